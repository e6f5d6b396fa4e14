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
import type { Match, MatchOptions } from '../../services/matching/match.js'
import type { Matcher } from '../../services/matching/matcher.js'
import { rotated } from '../../services/matching/orientations.js'
import type { AskedVideo, VideoMatcher } from '../../services/matching/video/video-matcher.js'
import { radiusFor } from '../asked-radius.js'
import { callerOf } from '../plugins/authentication.js'
import { may } from '../problems.js'
import { MatchResult, resultText } from '../shown-match.js'
import { countedAs, MatchRequest, type Query } from './match-schemas.js'

const NO_VIDEO = { frames: [] }
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
  readonly scheduler: Pick<EventLoopScheduler, 'next'>
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
      // Results are serialised as they are found, so that no single tick serialises a thousand.
      const results: string[] = []
      const truncated = new Set<number>()
      // Of pictures and of videos, though videos use a part of it: a spread would cost 7 µs, because V8 then keeps a hidden class for each object.
      const optionsOf = (places: readonly number[]): MatchOptions => ({
        orgId: caller.orgId,
        banks,
        thresholdBits: radiusFor(caller, thresholdBits, bandsOnly),
        grading,
        knowsDistance: mayKnowDistance,
        depth,
        mirrors: transforms,
        beforeAnswer: matchVideos,
        viewsOf: (at: number) => (refused.has(places[at] ?? 0) ? undefined : views[places[at] ?? 0]),
        looksOf: (at: number) => queries[places[at] ?? 0],
        contexts: places.map((i) => queries[i]?.context),
        onTruncated: (at: number) => void truncated.add(places[at] ?? 0),
        onMatched(at: number, matches: readonly Match[]) {
          const i = places[at] ?? 0
          const isTruncated = truncated.has(i)
          results[i] = resultText({ id: queries[i]?.id, matches, isTruncated, problem: refused.get(i), mayKnowDistance })
        },
      })
      const matchVideos = async () => {
        const asked = videos.map((i) =>
          toAskedVideo(queries[i]?.video ?? NO_VIDEO, transforms, (problem) => refused.set(i, problem)),
        )
        if (videos.length > 0) await videoMatcher.matchVideos(asked, optionsOf(videos))
      }
      if (pictures.length === 0) await matchVideos()
      else {
        const asked = askedOneByOne(queries, pictures, transforms, refused)
        // For a few queries, rotate all hashes before the first search: rotating between searches would evict the search from the CPU caches.
        await matcher.match(pictures.length <= FEW_QUERIES ? [...asked] : asked, optionsOf(pictures))
      }
      return reply.type('application/json; charset=utf-8').send(`{"results":[${results.join()}]}`)
    },
  )
}

/**
 * Rotates the hashes of a query only when the matcher reaches it: for a thousand queries at once that would take milliseconds. Puts
 * problems into `refused`, by the index of the query.
 */
function* askedOneByOne(
  queries: z.infer<typeof MatchRequest>['queries'],
  places: readonly number[],
  withTransforms: boolean,
  refused: Map<number, Problem>,
): Generator<HashedSignal[], void, void> {
  for (const i of places) {
    const picture = toAsked(queries[i]?.signals ?? [], withTransforms)
    if (picture instanceof Problem) refused.set(i, picture)
    yield picture instanceof Problem ? [] : picture
  }
}

/** One with a frame that cannot be asked for is refused as a whole. */
function toAskedVideo(
  { frames, sha256, md5 }: NonNullable<z.infer<typeof Query>['video']>,
  withTransforms: boolean,
  onProblem: (problem: Problem) => void,
): AskedVideo {
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
  return { frames: asked, file: ofFile.map(({ hash, ...rest }) => ({ ...rest, hashes: [hash] })) }
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
