// Reads the operator's file of exchanges: which feeds are pulled into which banks, and which HMAs have withdrawn hashes removed.

import { z } from 'zod'
import { BANK_REF_PATTERN, CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { EXCHANGE_APIS } from '../domain/organisations/exchange.js'
import type { Feed } from './feeds/feed-page.js'
import { NcmecConfig, ncmecFeed } from './feeds/ncmec.js'
import { StopNciiConfig, stopNciiFeed } from './feeds/stopncii-feed.js'
import { TatConfig, tatFeed } from './feeds/tat.js'
import { ThreatExchangeConfig, threatExchangeFeed } from './feeds/threatexchange.js'
import { HmaConfig } from './hma-requests.js'

const Name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lowercase letters, digits or -')
const Common = z.object({
  name: Name,
  /** An existing bank of the organisation that answers for the feed's signals. Its exact name, if several banks share a label. */
  bank: z
    .string()
    .regex(BANK_REF_PATTERN)
    .refine((bank) => bank !== CASES_BANK_NAME && bank !== HARMLESS_BANK_NAME, 'must not be one of the built-in banks'),
  intervalS: z.int().min(30).max(86_400).default(300),
})
const ReconcilerConfig = HmaConfig.extend({
  name: Name,
  /** The organisation whose key the HMA pulls with. Hashes that this organisation may read stay in the HMA. */
  organisation: z.string().min(1),
  intervalS: z.int().min(5).max(86_400).default(30),
})
const haveOwnNames = (entries: readonly { readonly name: string }[]) =>
  new Set(entries.map(({ name }) => name)).size === entries.length
const ExchangeFile = z.strictObject({
  reconcilers: z.array(ReconcilerConfig).refine(haveOwnNames, 'must have different names').default([]),
  exchanges: z
    .array(
      z.discriminatedUnion('api', [
        StopNciiConfig.extend(Common.shape),
        NcmecConfig.extend(Common.shape),
        ThreatExchangeConfig.extend(Common.shape),
        TatConfig.extend(Common.shape),
      ]),
    )
    .refine(haveOwnNames, 'must have different names')
    .default([]),
})
type ExchangeConfig = z.infer<typeof ExchangeFile>['exchanges'][number]
// A protocol without a schema does not compile: it is missing here.
;({}) satisfies Readonly<Record<Exclude<(typeof EXCHANGE_APIS)[number], ExchangeConfig['api']>, never>>

export interface Exchange {
  readonly name: string
  readonly api: ExchangeConfig['api']
  readonly bank: string
  readonly intervalS: number
  /** A trusted origin, because the operator configured it: it may be in a private network. */
  readonly origin: string
  readonly feed: Feed
}

/** An HMA that pulls from this service. Hashes that are withdrawn here are removed there. */
export interface Reconciler {
  readonly name: string
  readonly organisation: string
  readonly intervalS: number
  readonly hma: HmaConfig
  /** As `Exchange.origin`. */
  readonly origin: string
}

/** @returns the exchanges of a file. @throws {Error} that names each wrong field. It contains no values, because the file has passwords. */
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

/** @returns the reconcilers of a file. @throws as `exchangesIn`. */
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
    throw new Error(['The file of exchanges is not valid:', ...wrong].join('\n'))
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
