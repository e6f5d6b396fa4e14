// Queries by hashes: is this picture or video, or a changed copy of it, registered?

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fileSignals } from '../../../packages/core/src/matching/file-signals.js'
import { parseSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import type { HashedSignal } from '../../../packages/core/src/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../../packages/core/src/matching/signal-types.js'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import { readAsked } from '../../../packages/hash/src/details/written.js'
import { Problem } from '../../domain/problem.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import { type MatchOptions, NO_RESULT, type QueryPicture, type QueryResult } from '../../services/matching/match.js'
import type { Matcher } from '../../services/matching/matcher.js'
import { rotated } from '../../services/matching/orientations.js'
import type { AskedVideo, VideoMatcher } from '../../services/matching/video/video-matcher.js'
import { radiusFor } from '../asked-radius.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { MatchResult, resultText } from '../shown-match.js'
import { countedAs, MatchRequest, type Query } from './match-schemas.js'

const NO_VIDEO: NonNullable<z.infer<typeof Query>['video']> = { frames: [] }
const FEW_QUERIES = 16
/** Reading or validating a body of this size takes a fifth of a millisecond. */
const LONG_BYTES = 32_768

const MatchAnswer = z.object({ results: z.array(MatchResult) })

const matchSchema = {
  operationId: 'match',
  summary: 'Match pictures and videos by their hashes',
  description:
    'A query is a picture or a video. Returns every registered image within the threshold, and none beyond it. A result with too many matches is cut and marked `truncated`.',
  tags: ['match'],
  body: MatchRequest,
  response: {
    200: MatchAnswer.or(z.string()),
    ...may(
      'request-invalid',
      'key-missing',
      'scope-missing',
      'bank-unknown',
      'extended-protection-off',
      'body-too-large',
      'index-loading',
    ),
  },
}

export interface MatchRouteOptions {
  readonly matcher: Matcher
  readonly videoMatcher: VideoMatcher
  /** Whether callers without `match:distance` get whole distance bands only, also as thresholds. */
  readonly bandsOnly: boolean
  readonly scheduler: Pick<EventLoopScheduler, 'next' | 'yielder'>
}

export const matchRoutes: FastifyPluginAsyncZod<MatchRouteOptions> = async (
  app,
  { matcher, videoMatcher, scheduler, bandsOnly },
) => {
  app.post(
    '/match',
    {
      config: { scope: 'match', queries: 'counted', writtenAnswer: true },
      bodyLimit: 4 << 20,
      // A long body was just parsed in this tick, so validate it in a later one.
      preValidation({ headers }, _reply, done) {
        if (Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) < LONG_BYTES) done()
        else scheduler.next().then(() => done(), done)
      },
      schema: matchSchema,
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { queries, banks, thresholdBits, grading, depth, transforms } = request.body
      request.consumeQuota(
        reply,
        queries.reduce((sum, query) => sum + countedAs(query), 0),
      )
      const refused = new Map<number, Problem>()
      const pictures = [...queries.keys()].filter((i) => queries[i]?.video === undefined)
      const videos = [...queries.keys()].filter((i) => queries[i]?.video !== undefined)
      const views = queries.map(({ details }) => viewsIn(details, matcher))
      const mayKnowDistance = caller.scopes.has('match:distance')
      let ofPictures: readonly QueryResult[] = []
      let ofVideos: readonly QueryResult[] = []
      const matchVideos = async () => {
        if (videos.length === 0) return
        const asked = videos.map((i) => toAskedVideo(queries[i], transforms, (problem) => refused.set(i, problem)))
        ofVideos = await videoMatcher.matchVideos(asked, options)
      }
      // Of pictures and of videos, though videos use a part of it: a spread would cost 7 µs, because V8 then keeps a hidden class for each object.
      const options: MatchOptions = {
        orgId: caller.orgId,
        banks,
        thresholdBits: radiusFor(caller, thresholdBits, bandsOnly),
        grading,
        knowsDistance: mayKnowDistance,
        depth,
        mirrors: transforms,
        // Images that are withdrawn while the videos are searched are left out.
        beforeAnswer: matchVideos,
      }
      if (pictures.length === 0) await matchVideos()
      else {
        const asked = askedOneByOne({ queries, places: pictures, views, withTransforms: transforms, refused })
        // For a few queries, rotate all hashes before the first search: rotating between searches would evict the search from the CPU caches.
        const few = pictures.length <= FEW_QUERIES ? [...asked] : asked
        ofPictures = await matcher.match(few, options)
      }
      const found = new Map([...pictures.entries()].map(([at, i]) => [i, ofPictures[at]]))
      for (const [at, i] of videos.entries()) found.set(i, ofVideos[at])
      const results: string[] = []
      const yieldIfNeeded = scheduler.yielder()
      for (const [i, { id }] of queries.entries()) {
        const pause = yieldIfNeeded()
        if (pause !== undefined) await pause
        const { matches, isTruncated } = found.get(i) ?? NO_RESULT
        results.push(resultText({ id, matches, isTruncated, problem: refused.get(i), mayKnowDistance }))
      }
      return reply.type('application/json; charset=utf-8').send(`{"results":[${results.join()}]}`)
    },
  )
}

interface AskedQueries {
  readonly queries: z.infer<typeof MatchRequest>['queries']
  /** Indexes of the pictures among the queries. */
  readonly places: readonly number[]
  /** Details, by query. */
  readonly views: readonly (readonly AskedView[] | undefined)[]
  readonly withTransforms: boolean
  /** Where problems are put, by query. */
  readonly refused: Map<number, Problem>
}

/** Rotates the hashes of a query only when the matcher reaches it: for a thousand queries at once that would take milliseconds. */
function* askedOneByOne({
  queries,
  places,
  views,
  withTransforms,
  refused,
}: AskedQueries): Generator<QueryPicture, void, void> {
  for (const i of places) {
    const { signals: given = [], isForm, isObject, context } = queries[i] ?? {}
    const signals = toAsked(given, withTransforms)
    if (signals instanceof Problem) {
      refused.set(i, signals)
      yield { signals: [] }
    } else yield { signals, views: views[i], isForm, isObject, context }
  }
}

/** One with a frame that cannot be asked for is refused as a whole. */
function toAskedVideo(
  query: z.infer<typeof Query> | undefined,
  withTransforms: boolean,
  onProblem: (problem: Problem) => void,
): AskedVideo {
  const { frames, sha256, md5 } = query?.video ?? NO_VIDEO
  const asked = []
  for (const { atMs, signals, isForm } of frames) {
    const picture = toAsked(signals, withTransforms)
    if (picture instanceof Problem) {
      onProblem(picture)
      return { frames: [] }
    }
    asked.push({ atMs, signals: picture, ...(isForm && { isForm }) })
  }
  const ofFile = fileSignals({ sha256: sha256 === undefined ? undefined : parseSignalHash('sha256', sha256), md5 })
  const file = ofFile.map(({ hash, ...rest }) => ({ ...rest, hashes: [hash] }))
  return { frames: asked, file, context: query?.context }
}

function toAsked(signals: NonNullable<z.infer<typeof Query>['signals']>, withTransforms: boolean): HashedSignal[] | Problem {
  const asked: HashedSignal[] = []
  for (const { type, view, quality, hash: text } of signals) {
    const hash = parseSignalHash(type, text)
    if (hash === undefined) return new Problem('request-invalid')
    if (quality !== undefined && quality < SIGNAL_TYPES[type].minAskedQuality) return new Problem('quality-too-low')
    asked.push({
      type,
      view: view ?? 'whole',
      quality: quality ?? 100,
      hashes: withTransforms ? rotated(type, view ?? 'whole', hash) : [hash],
    })
  }
  return asked
}

/** Parses details before anything is searched. */
function viewsIn(details: string | undefined, matcher: Matcher): readonly AskedView[] | undefined {
  if (details === undefined) return undefined
  if (!matcher.knowsDetails) throw new Problem('extended-protection-off')
  const views = readAsked(Buffer.from(details, 'base64'))
  if (views === undefined) throw new Problem('request-invalid')
  return views
}
