// StopNCII's FetchHashes: pages of hashes that people registered themselves, with the feedback of platforms.

import { z } from 'zod'
import { ownValue } from '../../../packages/core/src/own-value.js'
import { signalFrom } from '../given-signal.js'
import { BaseUrl, type Feed, FeedError, type FeedRecord, jsonOf, recordFrom, under } from './feed-page.js'

export const StopNciiConfig = z.strictObject({
  api: z.literal('stopncii'),
  baseUrl: BaseUrl,
  functionKey: z.string().min(1),
  subscriptionKey: z.string().min(1),
})

const PAGE_RECORDS = 800
/** The first timestamp of StopNCII's own client. */
const FIRST_TIMESTAMP = '10'
/** StopNCII's own client reads everything again after 30 days. */
const TELLS_OF_GONE_FOR_MS = 30 * 86_400_000

const Page = z.object({
  nextSetTimestamp: z.int().min(0),
  nextPageToken: z.string().nullish(),
  hasMoreRecords: z.boolean().default(false),
  hashRecords: z.array(z.unknown()),
})
/** Only the fields that are used. The service sends more than its documentation describes. */
const HashRecord = z.object({
  signalType: z.string(),
  hashValue: z.string().max(200),
  hashStatus: z.enum(['Unknown', 'Received', 'Active', 'Withdrawn', 'Deleted']),
  CSPFeedbacks: z.array(z.object({ feedbackValue: z.string(), tags: z.array(z.string()).nullish() })).nullish(),
})
const RecordKey = z.object({ signalType: z.string(), hashValue: z.string().max(200) })

/** Types that Tabir has, by StopNCII's names. */
export const STOPNCII_TYPES = { ImagePDQ: 'pdq', VideoMD5: 'video_md5' } as const
const TYPES: Readonly<Record<string, string>> = STOPNCII_TYPES

export function stopNciiFeed({ baseUrl, functionKey, subscriptionKey }: z.infer<typeof StopNciiConfig>): Feed {
  return {
    identity: under(baseUrl, ''),
    start: { position: FIRST_TIMESTAMP, highest: FIRST_TIMESTAMP },
    tombstoneTtlMs: TELLS_OF_GONE_FOR_MS,
    request({ position, cursor }) {
      const query = new URLSearchParams({ startTimestamp: position, pageSize: String(PAGE_RECORDS) })
      if (cursor !== undefined) query.set('nextPageToken', cursor)
      return {
        method: 'GET',
        url: under(baseUrl, `/FetchHashes?${query}`),
        headers: { 'x-functions-key': functionKey, 'ocp-apim-subscription-key': subscriptionKey },
      }
    },
    read(body, { position, highest }) {
      const page = Page.safeParse(jsonOf(body)).data
      if (page === undefined) throw new FeedError('response-invalid')
      const furthest = String(Math.max(page.nextSetTimestamp, Number(highest))) // never moves backwards, even if the answer does
      const records = page.hashRecords.map(recordOf)
      if (!page.hasMoreRecords) return { records, next: { position: furthest, highest: furthest }, isLast: true }
      const next =
        typeof page.nextPageToken === 'string' && page.nextPageToken !== ''
          ? { position, cursor: page.nextPageToken, highest: furthest }
          : { position: furthest, highest: furthest }
      return { records, next, isLast: false }
    },
  }
}

/** Reviewed, if a platform looked at a copy and blocked it. Otherwise only the submitter vouches for it. */
function recordOf(value: unknown): FeedRecord {
  const named = RecordKey.safeParse(value).data
  if (named === undefined) return { kind: 'rejected', entry: undefined, why: 'record-unreadable' }
  const { hashValue } = named
  const signalType = named.signalType.replace(/^StopNCIISignalType\./, '')
  const entry = `${signalType} ${hashValue.toLowerCase()}`
  const record = HashRecord.safeParse(value).data
  if (record === undefined) return { kind: 'rejected', entry, why: 'record-unreadable' }
  if (record.hashStatus === 'Withdrawn' || record.hashStatus === 'Deleted') return { kind: 'deleted', entry }
  const isReviewed = (record.CSPFeedbacks ?? []).some(({ feedbackValue }) => feedbackValue === 'Blocked')
  const typeText = ownValue(TYPES, signalType) ?? ''
  return recordFrom(entry, signalFrom({ typeText, hex: hashValue, isReviewed }))
}
