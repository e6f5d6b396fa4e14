// The file that says which feeds are pulled into which banks, and out of whose HMA is taken what was withdrawn.

import { z } from 'zod'
import { BANK_REF_PATTERN, CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../domain/organisations/bank.js'
import type { Feed } from './feeds/feed-page.js'
import { NcmecConfig, ncmecFeed } from './feeds/ncmec.js'
import { StopNciiConfig, stopNciiFeed } from './feeds/stopncii-feed.js'
import { TatConfig, tatFeed } from './feeds/tat.js'
import { ThreatExchangeConfig, threatExchangeFeed } from './feeds/threatexchange.js'
import { HmaConfig } from './hma-requests.js'

const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lowercase letters, digits or -')
const Common = z.object({
  name: Name,
  /** Has to be there, and belong to whoever answers for what the feed brings. Of several banks of one name, the exact name. */
  bank: z
    .string()
    .regex(BANK_REF_PATTERN)
    .refine((bank) => bank !== CASES_BANK_NAME && bank !== HARMLESS_BANK_NAME, 'is a bank that nobody hands in to'),
  intervalS: z.int().min(30).max(86_400).default(300),
})
const ReconcilerConfig = HmaConfig.extend({
  name: Name,
  /** Whose key the HMA pulls with: what it may know of stays. */
  organisation: z.string().min(1),
  intervalS: z.int().min(5).max(86_400).default(30),
})
const haveOwnNames = (all: readonly { readonly name: string }[]) => new Set(all.map(({ name }) => name)).size === all.length
const ExchangeFile = z.strictObject({
  reconcilers: z.array(ReconcilerConfig).refine(haveOwnNames, 'have names of their own').default([]),
  exchanges: z
    .array(
      z.discriminatedUnion('api', [
        StopNciiConfig.extend(Common.shape),
        NcmecConfig.extend(Common.shape),
        ThreatExchangeConfig.extend(Common.shape),
        TatConfig.extend(Common.shape),
      ]),
    )
    .refine(haveOwnNames, 'have names of their own')
    .default([]),
})
type ExchangeConfig = z.infer<typeof ExchangeFile>['exchanges'][number]

export interface Exchange {
  readonly name: string
  readonly api: ExchangeConfig['api']
  readonly bank: string
  readonly intervalS: number
  /** The operator vouches for it by writing it down. */
  readonly origin: string
  readonly feed: Feed
}

/** An HMA that pulls from here, and out of which is taken what was withdrawn. */
export interface Reconciler {
  readonly name: string
  readonly organisation: string
  readonly intervalS: number
  readonly hma: HmaConfig
  /** The operator vouches for it by writing it down. */
  readonly origin: string
}

/** @throws {Error} naming what is wrong and where, and no value: the file has passwords in it. */
export function exchangesIn(json: string): Exchange[] {
  return fileIn(json).exchanges.map((config) => ({
    name: config.name,
    api: config.api,
    bank: config.bank,
    intervalS: config.intervalS,
    origin: new URL(config.baseUrl).origin,
    feed: feedOf(config),
  }))
}

/** As `exchangesIn`. */
export function reconcilersIn(json: string): Reconciler[] {
  return fileIn(json).reconcilers.map(({ name, organisation, intervalS, ...hma }) => ({
    name,
    organisation,
    intervalS,
    hma,
    origin: new URL(hma.baseUrl).origin,
  }))
}

function fileIn(json: string): z.infer<typeof ExchangeFile> {
  const file = ExchangeFile.safeParse(parsed(json))
  if (!file.success) {
    const wrong = file.error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`)
    throw new Error(['The file of exchanges cannot be used:', ...wrong].join('\n'))
  }
  return file.data
}

function feedOf(config: ExchangeConfig): Feed {
  switch (config.api) {
    case 'stopncii':
      return stopNciiFeed(config)
    case 'ncmec':
      return ncmecFeed(config)
    case 'threatexchange':
      return threatExchangeFeed(config)
    case 'tat':
      return tatFeed(config)
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
