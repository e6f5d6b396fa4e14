// Requests to another HMA about the contents of its banks, and parsers for its answers. See `reconciling.ts`.

import { z } from 'zod'
import { type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { BaseUrl, under } from './feeds/feed-page.js'

export const HmaConfig = z.strictObject({
  /** Base URL of its curation routes, without `/c`. */
  baseUrl: BaseUrl,
  /** A bearer token, if a proxy before the HMA requires one. */
  bearer: z.string().min(1).optional(),
})
export type HmaConfig = z.infer<typeof HmaConfig>

export interface HmaRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A disabled bank for markers. A content that is added to it and removed at once shows the newest content id of the HMA. */
export const MARK_BANK = 'TABIR_MARKS'

/** The PDQ hash of an imported content; `mark` for a marker that was left behind, `other` for a content that this exchange did not import. */
export type HmaContent = { readonly hash: Hash256 } | 'mark' | 'other'

const Content = z.object({
  bank: z.object({ name: z.string() }),
  signals: z.record(z.string(), z.string()).optional(),
  metadata: z.object({ collab: z.record(z.string(), z.unknown()).nullish() }).nullish(),
})
/** The form of a bank's name in HMA. An exchange has the same name as the bank that it fills. */
const BANK_NAME = /^[A-Z_][A-Z0-9_]{0,254}$/
const MAX_EXCHANGES = 1000
const ExchangeNames = z.array(z.string()).max(MAX_EXCHANGES)
const ExchangeOf = z.object({ api: z.string() })
const Added = z.object({ id: z.int().min(0) })
const Deleted = z.object({ deleted: z.int() })

/** Requests about one bank, and parsers of their answers (`parse…`). A parser returns `undefined` for an answer that it cannot read. */
export function hmaRequests(config: HmaConfig, hmaBank: string) {
  const request = requestsTo(config)
  const content = (bank: string, id: number) => `/c/bank/${bank}/content/${id}`
  return {
    makeMarkBank: () => request('POST', '/c/banks', { name: MARK_BANK, enabled_ratio: 0 }),
    mark: (hex: string) => request('POST', `/c/bank/${MARK_BANK}/signal`, { pdq: hex }),
    parseMark: (json: unknown) => Added.safeParse(json).data?.id,
    removeMark: (id: number) => request('DELETE', content(MARK_BANK, id)),
    content: (id: number) => request('GET', `${content(hmaBank, id)}?include_signals=true`),
    parseContent(json: unknown): HmaContent | undefined {
      const found = Content.safeParse(json).data
      if (found === undefined) return undefined
      if (found.bank.name === MARK_BANK) return 'mark'
      // Contents that the platform's staff added to this bank themselves are never removed.
      const isImported = found.bank.name === hmaBank && Object.hasOwn(found.metadata?.collab ?? {}, hmaBank)
      const hash = parseHash(found.signals?.['pdq'] ?? '')
      return isImported && hash !== undefined ? { hash } : 'other'
    },
    remove: (id: number) => request('DELETE', content(hmaBank, id)),
    parseRemoved: (json: unknown) => Deleted.safeParse(json).data?.deleted,
    disable: (id: number) => request('PUT', content(hmaBank, id), { disable_until_ts: 0 }),
  }
}
export type HmaRequests = ReturnType<typeof hmaRequests>

/** Requests and parsers to find the banks that pull by StopNCII's protocol. */
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
