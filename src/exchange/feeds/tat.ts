// Tech Against Terrorism's hash list, version 2. Positions are opaque checkpoints; removed hashes have tombstones.

import { z } from 'zod'
import { signalFrom } from '../given-signal.js'
import { BaseUrl, type Feed, FeedError, type FeedRecord, jsonOf, recordFrom, under } from './feed-page.js'

export const TatConfig = z.strictObject({
  api: z.literal('tat'),
  baseUrl: BaseUrl.default('https://beta.terrorismanalytics.org'),
  username: z.string().min(1),
  password: z.string().min(1),
})

const Token = z.object({ token: z.string().regex(/^[\x21-\x7e]{1,8192}$/) })
const Page = z.object({
  next: z.string().nullish(),
  checkpoint: z.string().max(512).nullish(),
  results: z.array(z.unknown()),
})
const Entry = z.object({
  id: z.int(),
  hash_digest: z.string().nullish(),
  algorithm: z.string(),
  deleted: z.boolean().default(false),
})
const RecordId = z.object({ id: z.int() })

export function tatFeed({ baseUrl, username, password }: z.infer<typeof TatConfig>): Feed {
  return {
    identity: under(baseUrl, ''),
    start: { position: '', highest: '' },
    login: {
      request: {
        method: 'POST',
        url: under(baseUrl, '/token-auth/tcap/'),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ username, password, resend: 'False' }).toString(),
      },
      token: (body) => Token.safeParse(jsonOf(body)).data?.token,
    },
    request({ position }, token) {
      const query = new URLSearchParams({ order: 'asc', after: position })
      return {
        method: 'GET',
        url: under(baseUrl, `/api/hash-list/v2/all?${query}`),
        headers: { authorization: `Bearer ${token}` },
      }
    },
    /** Uses the checkpoint and ignores the link to the next page, which could lead to another server. */
    read(body, { position }) {
      const page = Page.safeParse(jsonOf(body)).data
      if (page === undefined) throw new FeedError('response-invalid')
      const checkpoint = page.checkpoint || position
      const isLast = page.next === undefined || page.next === null
      return { records: page.results.map(recordOf), next: { position: checkpoint, highest: checkpoint }, isLast }
    },
  }
}

/** A map, because look-ups use text from the feed, such as `__proto__`. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['PDQ', 'pdq'],
  ['ImagePDQ', 'pdq'],
])

function recordOf(value: unknown): FeedRecord {
  const named = RecordId.safeParse(value).data
  const entry = named === undefined ? undefined : String(named.id)
  const record = Entry.safeParse(value).data
  if (record === undefined || entry === undefined) return { kind: 'rejected', entry, why: 'record-unreadable' }
  if (record.deleted) return { kind: 'deleted', entry }
  const typeText = TYPES.get(record.algorithm) ?? ''
  return recordFrom(entry, signalFrom({ typeText, hex: record.hash_digest ?? '', ref: `tat ${entry}` }))
}
