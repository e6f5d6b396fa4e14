// The file that says which feeds are pulled, and into which banks.

import { z } from 'zod'
import { BANK_NAME_PATTERN, CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../domain/bank.js'
import type { Feed } from './feeds/feed.js'
import { NcmecConfig, ncmecFeed } from './feeds/ncmec.js'
import { StopNciiConfig, stopNciiFeed } from './feeds/stopncii.js'
import { TatConfig, tatFeed } from './feeds/tat.js'
import { ThreatExchangeConfig, threatExchangeFeed } from './feeds/threatexchange.js'

const Common = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lowercase letters, digits or -'),
  /** Has to be there, and belong to whoever answers for what the feed brings. */
  bank: z
    .string()
    .regex(BANK_NAME_PATTERN)
    .refine((bank) => bank !== CASES_BANK_NAME && bank !== HARMLESS_BANK_NAME, 'is a bank that nobody hands in to'),
  everyS: z.int().min(30).max(86_400).default(300),
})
const ExchangeFile = z.strictObject({
  exchanges: z
    .array(
      z.discriminatedUnion('api', [
        StopNciiConfig.extend(Common.shape),
        NcmecConfig.extend(Common.shape),
        ThreatExchangeConfig.extend(Common.shape),
        TatConfig.extend(Common.shape),
      ]),
    )
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'have names of their own'),
})
type ExchangeConfig = z.infer<typeof ExchangeFile>['exchanges'][number]

export interface Exchange {
  readonly name: string
  readonly api: ExchangeConfig['api']
  readonly bank: string
  readonly everyS: number
  /** The operator vouches for it by writing it down. */
  readonly origin: string
  readonly feed: Feed
}

/** @throws {Error} naming what is wrong and where, and no value: the file has passwords in it. */
export function exchangesIn(json: string): Exchange[] {
  const file = ExchangeFile.safeParse(parsed(json))
  if (!file.success) {
    const wrong = file.error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`)
    throw new Error(['The file of exchanges cannot be used:', ...wrong].join('\n'))
  }
  return file.data.exchanges.map((config) => ({
    name: config.name,
    api: config.api,
    bank: config.bank,
    everyS: config.everyS,
    origin: new URL(config.baseUrl).origin,
    feed: feedOf(config),
  }))
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
