// What to ask an HMA about the contents of one of its banks, by its own routes, and what its answers say.

import { z } from 'zod'
import { type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { BaseUrl, under } from './feeds/feed-page.js'

export const HmaConfig = z.strictObject({
  /** Of its curation routes, without `/c`. */
  baseUrl: BaseUrl,
  /** For an HMA that stands behind something which asks for a key. */
  bearer: z.string().min(1).optional(),
})
export type HmaConfig = z.infer<typeof HmaConfig>

export interface HmaRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A bank that answers nothing. What is put there and removed at once has the newest of all ids. */
export const MARK_BANK = 'TABIR_MARKS'

/** The PDQ that a content was imported with; `mark` for one of ours that was left behind, `other` for what is not this exchange's. */
export type HmaContent = { readonly hash: Hash256 } | 'mark' | 'other'

const Content = z.object({
  bank: z.object({ name: z.string() }),
  signals: z.record(z.string(), z.string()).optional(),
  metadata: z.object({ collab: z.record(z.string(), z.unknown()).nullish() }).nullish(),
})
/** An exchange and the bank that it fills have one name. One that no bank of HMA can have is none. */
const BANK_NAME = /^[A-Z_][A-Z0-9_]{0,254}$/
const MAX_EXCHANGES = 1000
const ExchangeNames = z.array(z.string()).max(MAX_EXCHANGES)
const ExchangeOf = z.object({ api: z.string() })
const Added = z.object({ id: z.int().min(0) })
const Deleted = z.object({ deleted: z.int() })

/** A request for each thing to do, and a reader for each answer; a reader gives `undefined` for an answer that is none. */
export function hmaRequests(config: HmaConfig, hmaBank: string) {
  const request = requestsTo(config)
  const content = (bank: string, id: number) => `/c/bank/${bank}/content/${id}`
  return {
    makeMarkBank: () => request('POST', '/c/banks', { name: MARK_BANK, enabled_ratio: 0 }),
    mark: (hex: string) => request('POST', `/c/bank/${MARK_BANK}/signal`, { pdq: hex }),
    markIn: (json: unknown) => Added.safeParse(json).data?.id,
    removeMark: (id: number) => request('DELETE', content(MARK_BANK, id)),
    content: (id: number) => request('GET', `${content(hmaBank, id)}?include_signals=true`),
    contentIn(json: unknown): HmaContent | undefined {
      const found = Content.safeParse(json).data
      if (found === undefined) return undefined
      if (found.bank.name === MARK_BANK) return 'mark'
      // What people of the platform put into the same bank was not imported, and stays.
      const isImported = found.bank.name === hmaBank && Object.hasOwn(found.metadata?.collab ?? {}, hmaBank)
      const hash = parseHash(found.signals?.['pdq'] ?? '')
      return isImported && hash !== undefined ? { hash } : 'other'
    },
    remove: (id: number) => request('DELETE', content(hmaBank, id)),
    removedIn: (json: unknown) => Deleted.safeParse(json).data?.deleted,
    switchOff: (id: number) => request('PUT', content(hmaBank, id), { disable_until_ts: 0 }),
  }
}
export type HmaRequests = ReturnType<typeof hmaRequests>

/** The same, to find the banks that pull from StopNCII's interface. */
export function hmaExchangeRequests(config: HmaConfig) {
  const request = requestsTo(config)
  return {
    names: () => request('GET', '/c/exchanges'),
    namesIn: (json: unknown) => ExchangeNames.safeParse(json).data?.filter((name) => BANK_NAME.test(name)),
    exchange: (name: string) => request('GET', `/c/exchange/${name}`),
    isFeeding: (json: unknown): boolean | undefined => {
      const found = ExchangeOf.safeParse(json).data
      return found && found.api === 'stop_ncii'
    },
  }
}

function requestsTo({ baseUrl, bearer }: HmaConfig) {
  return (method: HmaRequest['method'], path: string, body?: object): HmaRequest => ({
    method,
    url: under(baseUrl, path),
    headers: {
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}
