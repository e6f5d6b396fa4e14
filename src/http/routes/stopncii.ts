// StopNCII's interface. HMA and python-threatexchange can pull from Tabir by configuration alone. It is as strict as their client.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { formatSignalHash, parseSignalHash, SIGNAL_HASH_PATTERN } from '../../../packages/core/src/matching/hash-text.js'
import { refusalOf } from '../../../packages/core/src/matching/probable-hash.js'
import { ownValue } from '../../../packages/core/src/own-value.js'
import { tagDeclaresMinor } from '../../domain/cases/minors.js'
import type { FeedSignal, PlainHash } from '../../domain/organisations/feed.js'
import { Problem, type ProblemCode } from '../../domain/problem.js'
import { STOPNCII_TYPES } from '../../exchange/feeds/stopncii-feed.js'
import { fetchableIn } from '../../services/interop/fetched-hashes.js'
import type { StopNcii } from '../../services/interop/stopncii.js'
import { callerOf } from '../plugins/authentication.js'
import type { ZodApp } from '../zod-app.js'

const MAX_PAGE = 2000
const MAX_RECORDS = 1000
/** The client's own default, which means everything. */
const BEGINNING_S = 10
/** A later time is invalid. Later answers never give an earlier time, so a client with a wrong clock must not push them far ahead. */
const MAX_AHEAD_S = 86_400

const TYPE_NAMES = ['Unknown', 'ImagePDQ', 'VideoMD5', 'VideoTMK', 'Text', 'URL'] as const
const FEEDBACK_VALUES = [
  'Unknown',
  'None',
  'QualityUnknown',
  'PendingReview',
  'Blocked',
  'NotBlocked',
  'Withdrawn',
  'Deleted',
] as const
type FeedbackValue = (typeof FEEDBACK_VALUES)[number]

const TYPES: Readonly<Record<string, PlainHash['type']>> = STOPNCII_TYPES
export const STOPNCII_NAMES = { pdq: 'ImagePDQ', video_md5: 'VideoMD5' } as const satisfies Record<PlainHash['type'], string>

/** Verdicts that have an effect. Other values are ignored. */
const VERDICTS = {
  Blocked: 'blocked',
  NotBlocked: 'not-blocked',
  PendingReview: 'pending-review',
} as const satisfies Partial<Record<FeedbackValue, string>>

const FetchParams = z.object({
  startTimestamp: z.coerce.number().pipe(z.int().min(0)).default(BEGINNING_S),
  pageSize: z.coerce
    .number()
    .pipe(z.int().min(1))
    .default(800)
    .transform((size) => Math.min(size, MAX_PAGE)),
  nextPageToken: z.string().max(256).optional(),
})

const Records = z.array(z.unknown()).max(MAX_RECORDS)
const Submission = z.object({ hashRecords: Records })
const Feedbacks = z.object({ hashFeedbacks: Records })

const HashValue = z.string().regex(SIGNAL_HASH_PATTERN)
/** The client puts the name of its enumeration before the value. */
const SignalTypeText = z
  .string()
  .transform((text) => text.replace(/^StopNCIISignalType\./, ''))
  .pipe(z.enum(TYPE_NAMES))
const SubmittedRecord = z.object({ signalType: SignalTypeText, hashValue: HashValue })
/** Free-text tags that members may put beside a hash. */
const Tagged = z.object({ tags: z.array(z.string()) })
const WithTags = z.object({ CSPFeedbacks: z.array(z.unknown()) })
const FeedbackRecord = z.object({ hashValue: HashValue, feedbackValue: z.enum(FEEDBACK_VALUES) })

type Reason = ProblemCode | 'signal-type-unsupported' | 'feedback-without-effect'

interface Report {
  accepted: number
  refused: { readonly index: number; readonly reason: Reason }[]
}

export interface StopNciiOptions {
  readonly stopNcii: StopNcii
  readonly now: () => number
}

const schema = { hide: true }

export const stopNciiRoutes: FastifyPluginAsyncZod<StopNciiOptions> = async (app, options) => {
  fetchHashesRoute(app, options)
  submitHashesRoute(app, options)
  submitFeedbackRoute(app, options)
}

function fetchHashesRoute(app: ZodApp, { stopNcii, now }: StopNciiOptions): void {
  app.get(
    '/FetchHashes',
    {
      config: { scope: 'feed', queries: 'counted', keyAlso: 'in-functions-header' },
      schema: { ...schema, querystring: FetchParams },
    },
    async (request, reply) => {
      const { startTimestamp, pageSize, nextPageToken } = request.query
      if (startTimestamp * 1000 > now() + MAX_AHEAD_S * 1000) throw new Problem('request-invalid')
      request.consumeQuota(reply, 1)
      const { signals, withdrawn, timeS, token, more } = await stopNcii.page(callerOf(request), {
        sinceS: startTimestamp,
        token: nextPageToken === '' ? undefined : nextPageToken,
        limit: pageSize,
      })
      // The client keeps the last record of a hash.
      const hashRecords = [
        ...withdrawn.map((hash) => recordOf(hash, timeS, 'Withdrawn', [])),
        ...signals.flatMap((signal) => recordsOf(signal, timeS)),
      ]
      if (hashRecords.length > 1) request.chargeQuota(hashRecords.length - 1)
      return {
        count: hashRecords.length,
        nextSetTimestamp: timeS,
        nextPageToken: more ? token : null,
        hasMoreRecords: more,
        hashRecords,
      }
    },
  )
}

function submitHashesRoute(app: ZodApp, { stopNcii }: StopNciiOptions): void {
  app.post(
    '/SubmitHashes',
    { config: { scope: 'signals:write', keyAlso: 'in-functions-header' }, schema: { ...schema, body: Submission } },
    async (request) => {
      if (request.body.hashRecords.flatMap(tagsOf).some(tagDeclaresMinor)) throw new Problem('minor-declared')
      const report: Report = { accepted: 0, refused: [] }
      const hashes: PlainHash[] = []
      const places: number[] = []
      for (const [index, given] of request.body.hashRecords.entries()) {
        const record = SubmittedRecord.safeParse(given).data
        const type = record && ownValue(TYPES, record.signalType)
        const hash = type && plainHash(type, record.hashValue)
        if (record !== undefined && type === undefined) report.refused.push({ index, reason: 'signal-type-unsupported' })
        else if (hash === undefined) report.refused.push({ index, reason: 'request-invalid' })
        else if (refusalOf({ ...hash, view: 'whole', quality: 100 }) !== undefined)
          report.refused.push({ index, reason: 'hash-improbable' })
        else {
          hashes.push(hash)
          places.push(index)
        }
      }
      for (const [i, isTaken] of (await stopNcii.submit(callerOf(request), hashes)).entries()) {
        if (isTaken) report.accepted++
        else report.refused.push({ index: places[i] ?? 0, reason: 'signal-invalidated' })
      }
      return report
    },
  )
}

function submitFeedbackRoute(app: ZodApp, { stopNcii }: StopNciiOptions): void {
  app.post(
    '/SubmitFeedback',
    {
      config: { scope: 'feedback', queries: 'counted', keyAlso: 'in-functions-header' },
      schema: { ...schema, body: Feedbacks },
    },
    async (request, reply) => {
      if (request.body.hashFeedbacks.flatMap(tagsOf).some(tagDeclaresMinor)) throw new Problem('minor-declared')
      // Reporting whether a hash is known answers a query. So it needs the scope `match`, and each counts as a query.
      const isAsking = callerOf(request).scopes.has('match')
      request.consumeQuota(reply, isAsking ? request.body.hashFeedbacks.length : 0)
      const report: Report = { accepted: 0, refused: [] }
      for (const [index, given] of request.body.hashFeedbacks.entries()) {
        const reason = await take(given)
        if (reason === undefined) report.accepted++
        else report.refused.push({ index, reason })
      }
      return report

      async function take(given: unknown): Promise<Reason | undefined> {
        const record = FeedbackRecord.safeParse(given)
        const hash =
          record.data && (plainHash('pdq', record.data.hashValue) ?? plainHash('video_md5', record.data.hashValue))
        if (!record.success || hash === undefined) return 'request-invalid'
        const { feedbackValue } = record.data
        const caller = callerOf(request)
        if (feedbackValue === 'Withdrawn' || feedbackValue === 'Deleted') {
          if (!caller.scopes.has('signals:write')) return 'scope-missing'
          return (await stopNcii.takeBack(caller, hash)) ? undefined : 'signal-unknown'
        }
        if (!isVerdict(feedbackValue)) return 'feedback-without-effect'
        if (!caller.scopes.has('match')) return 'scope-missing'
        try {
          const known = await stopNcii.feedback(caller, hash, { verdict: VERDICTS[feedbackValue] })
          return known ? undefined : 'signal-unknown'
        } catch (error) {
          if (error instanceof Problem && !['store-unavailable', 'index-loading'].includes(error.code)) return error.code
          throw error
        }
      }
    },
  )
}

/** @returns the tags of a record and of its feedbacks. */
function tagsOf(record: unknown): readonly string[] {
  const said = WithTags.safeParse(record).data?.CSPFeedbacks ?? []
  return [record, ...said].flatMap((each) => Tagged.safeParse(each).data?.tags ?? [])
}

/** One record for each hash type that this interface supports; none for an image without any. */
function recordsOf({ signals, tier, category, disputed }: FeedSignal, timeS: number) {
  const tags = category === undefined ? [] : [category]
  const isConfirmed = tier === 'platform-confirmed' || tier === 'verified'
  const value: FeedbackValue | undefined = disputed ? 'PendingReview' : isConfirmed ? 'Blocked' : undefined
  const feedbacks = value === undefined ? [] : [{ source: 'Tabir', feedbackValue: value, tags }]
  return fetchableIn(signals).map((hash) => recordOf(hash, timeS, 'Active', feedbacks))
}

/** Omits the case number: it would link two pictures of one case. */
function recordOf(plain: PlainHash, timeS: number, hashStatus: 'Active' | 'Withdrawn', CSPFeedbacks: readonly object[]) {
  return {
    lastModtimestamp: timeS,
    ...hashRecord(plain),
    hashStatus,
    caseNumbers: {},
    CSPFeedbacks,
  }
}

/** A hash as this interface names it: `POST …/SubmitHashes` takes it. */
export function hashRecord({ type, hash }: PlainHash) {
  return { signalType: STOPNCII_NAMES[type], hashValue: formatSignalHash(type, hash) }
}

/** @returns `undefined` if the text has the wrong number of digits for this type. */
function plainHash(type: PlainHash['type'], text: string): PlainHash | undefined {
  const hash = parseSignalHash(type, text)
  return hash && { type, hash }
}

function isVerdict(value: FeedbackValue): value is keyof typeof VERDICTS {
  return Object.hasOwn(VERDICTS, value)
}
