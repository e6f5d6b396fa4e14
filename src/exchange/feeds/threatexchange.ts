// ThreatExchange's threat_updates: opinions of a privacy group's members about hashes.

import { z } from 'zod'
import { tagDeclaresMinor } from '../../domain/cases/minors.js'
import { signalFrom } from '../given-signal.js'
import { BaseUrl, type Feed, FeedError, type FeedRecord, jsonOf, recordFrom, under } from './feed-page.js'

export const ThreatExchangeConfig = z.strictObject({
  api: z.literal('threatexchange'),
  baseUrl: BaseUrl.default('https://graph.facebook.com/v21.0'),
  privacyGroup: z.string().regex(/^\d{1,30}$/),
  accessToken: z.string().min(1),
})

const PAGE_RECORDS = 100
/** The server keeps tombstones for 90 days. Its own client reads everything again after 85. */
const TELLS_OF_GONE_FOR_MS = 85 * 86_400_000
const FIELDS =
  'id,indicator,type,last_updated,should_delete,descriptors{reactions,my_reactions,owner{id},tags,status,added_on}'

const Page = z.object({ data: z.array(z.unknown()), paging: z.object({ next: z.string().optional() }).optional() })
const Update = z.object({
  id: z.coerce.string().max(64),
  indicator: z.string(),
  type: z.string(),
  last_updated: z.int().min(0).optional(),
  should_delete: z.boolean().default(false),
  descriptors: z.object({ data: z.array(z.object({ status: z.string().optional(), tags: z.unknown() })) }).optional(),
})
const RecordId = z.object({ id: z.coerce.string().max(64) })

export function threatExchangeFeed({ baseUrl, privacyGroup, accessToken }: z.infer<typeof ThreatExchangeConfig>): Feed {
  const path = under(baseUrl, `/${privacyGroup}/threat_updates/`)
  return {
    identity: path,
    start: { position: '0', highest: '0' },
    tombstoneTtlMs: TELLS_OF_GONE_FOR_MS,
    request({ position, cursor }) {
      const query = new URLSearchParams(cursor ?? { limit: String(PAGE_RECORDS), fields: FIELDS })
      if (cursor === undefined && position !== '0') query.set('start_time', position)
      query.set('access_token', accessToken)
      return { method: 'GET', url: `${path}?${query}`, headers: {} }
    },
    read(body, { position, highest }) {
      const page = Page.safeParse(jsonOf(body)).data
      if (page === undefined) throw new FeedError('response-invalid')
      const times = page.data.map((value) => Update.safeParse(value).data?.last_updated ?? 0)
      const furthest = String(times.reduce((most, time) => Math.max(most, time), Number(highest)))
      const records = page.data.map(recordOf)
      const next = page.paging?.next
      if (next === undefined) return { records, next: { position: furthest, highest: furthest }, isLast: true }
      return { records, next: { position, cursor: cursorIn(next, path), highest: furthest }, isLast: false }
    },
  }
}

/** The query of the link to the next page, without the access token, which must not be stored. @throws {FeedError} next-page-outside-feed */
function cursorIn(link: string, path: string): string {
  if (!URL.canParse(link)) throw new FeedError('next-page-outside-feed')
  const url = new URL(link)
  const own = new URL(path)
  const isOwn = url.origin === own.origin && url.pathname.replace(/\/$/, '') === own.pathname.replace(/\/$/, '')
  if (!isOwn || url.username !== '') throw new FeedError('next-page-outside-feed')
  url.searchParams.delete('access_token')
  return url.searchParams.toString()
}

/** A hash that some members call harmful and others harmless is disputed, and rejected. */
function recordOf(value: unknown): FeedRecord {
  const entry = RecordId.safeParse(value).data?.id
  const update = Update.safeParse(value).data
  if (update === undefined || entry === undefined) return { kind: 'rejected', entry, why: 'record-unreadable' }
  const opinions = update.descriptors?.data ?? []
  if (update.should_delete || opinions.length === 0) return { kind: 'deleted', entry }
  if (opinions.flatMap(({ tags }) => textsIn(tags)).some(tagDeclaresMinor))
    return { kind: 'rejected', entry, why: 'minor-declared' }
  if (opinions.some(({ status }) => status === 'NON_MALICIOUS')) return { kind: 'rejected', entry, why: 'not-harmful' }
  const isReviewed = opinions.some(({ status }) => status === 'MALICIOUS')
  return recordFrom(entry, signalFrom({ typeText: update.type, hex: update.indicator, ref: `tx ${entry}`, isReviewed }))
}

/** All texts in the tags, which are a list of texts, of objects with texts, or an object with such a list in `data`. */
function textsIn(tags: unknown): string[] {
  if (typeof tags === 'string') return [tags]
  if (Array.isArray(tags)) return tags.flatMap(textsIn)
  return typeof tags === 'object' && tags !== null ? Object.values(tags).flatMap(textsIn) : []
}
