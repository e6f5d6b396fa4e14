// Queries: is this picture, or a changed copy of it, registered?

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AskedView } from '../../../packages/hash/src/details/features.js'
import { readAsked } from '../../../packages/hash/src/details/written.js'
import { parseHash } from '../../../packages/hash/src/hash256.js'
import { bandWithin } from '../../domain/matching/grade.js'
import type { HashedSignal } from '../../domain/matching/hashed-image.js'
import { SIGNAL_TYPES } from '../../domain/matching/signal-types.js'
import type { Caller } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { Hashing } from '../../services/intake/hashing.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import type { Match } from '../../services/matching/match.js'
import type { Matcher } from '../../services/matching/matcher.js'
import { rotated } from '../../services/matching/orientations.js'
import { askedOf, ofImage, ownSignals } from '../hashed-signals.js'
import { callerOf } from '../plugins/authentication.js'
import { may, problemBody } from '../problems.js'
import { DepthName, ThresholdBits } from '../schemas.js'
import { MatchResult, resultText, shownMatch } from '../shown-match.js'
import { eachImage, forQueries, type InFlight, type UploadLimits } from '../upload.js'
import type { ZodApp } from '../zod-app.js'
import { mayForUploads } from './cases/case-images.js'
import { Context, ImageMatchAnswer, MatchRequest, type Query } from './match-schemas.js'

const FEW_QUERIES = 16
/** Reading or validating a body of this size takes a fifth of a millisecond. */
const LONG_BYTES = 32_768

const MatchAnswer = z.object({ results: z.array(MatchResult) })

const ImageMatchParams = z.object({
  banks: z.string().max(6400).optional().meta({ description: 'Names separated by commas.' }),
  thresholdBits: z.coerce.number().pipe(ThresholdBits).optional(),
  depth: DepthName,
  transforms: z.enum(['true', 'false']).default('true'),
})

export interface MatchRouteOptions {
  readonly matcher: Matcher
  readonly hashing: Hashing
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
  /** Whether callers without `match:distance` get whole distance bands only, also as thresholds. */
  readonly bandsOnly: boolean
  readonly scheduler: Pick<EventLoopScheduler, 'next'>
}

export const matchRoutes: FastifyPluginAsyncZod<MatchRouteOptions> = async (app, options) => {
  matchRoute(app, options)
  matchImagesRoute(app, options)
}

function matchRoute(app: ZodApp, { matcher, scheduler, bandsOnly }: MatchRouteOptions): void {
  app.post(
    '/match',
    {
      config: { scope: 'match', writtenAnswer: true },
      bodyLimit: 4 << 20,
      // A long body was just parsed in this tick, so validate it in a later one.
      preValidation({ headers }, _reply, done) {
        if (Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) < LONG_BYTES) done()
        else scheduler.next().then(() => done(), done)
      },
      schema: {
        operationId: 'match',
        summary: 'Match pictures by their hashes',
        description:
          'Returns every registered image within the threshold, and none beyond it. A result with too many matches is cut and marked `truncated`.',
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
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      request.consumeQuota(reply, request.body.queries.length)
      const { queries, banks, thresholdBits, depth, transforms } = request.body
      const refused = new Map<number, Problem>()
      const views = queries.map(({ details }) => viewsIn(details, matcher))
      const mayKnowDistance = caller.scopes.has('match:distance')
      // Results are serialised as they are found, so that no single tick serialises a thousand.
      const results: string[] = []
      const truncated = new Set<number>()
      const asked = askedOneByOne(queries, transforms, refused)
      // For a few queries, rotate all hashes before the first search: rotating between searches would evict the search from the CPU caches.
      await matcher.match(queries.length <= FEW_QUERIES ? [...asked] : asked, {
        orgId: caller.orgId,
        banks,
        thresholdBits: radiusFor(caller, thresholdBits, bandsOnly),
        knowsDistance: mayKnowDistance,
        depth,
        mirrors: transforms,
        viewsOf: (i) => (refused.has(i) ? undefined : views[i]),
        isFormOf: (i) => queries[i]?.isForm === true,
        contexts: queries.map(({ context }) => context),
        onTruncated: (i) => void truncated.add(i),
        onMatched(i, matches) {
          const isTruncated = truncated.has(i)
          results[i] = resultText({ id: queries[i]?.id, matches, isTruncated, problem: refused.get(i), mayKnowDistance })
        },
      })
      return reply.type('application/json; charset=utf-8').send(`{"results":[${results.join()}]}`)
    },
  )
}

function matchImagesRoute(app: ZodApp, { matcher, hashing, uploadLimits, inFlight, bandsOnly }: MatchRouteOptions): void {
  const queryLimits = forQueries(uploadLimits)
  app.post(
    '/match/images',
    {
      config: { scope: 'match', multipart: true, contextField: true },
      schema: {
        operationId: 'matchImages',
        summary: 'Match pictures',
        description:
          'Parts named image, answered in order. Pictures are hashed and then discarded. A part that is refused has a problem instead of a result; if all are refused, the first problem is the answer. The field context applies to all pictures. What follows the image in a file is not read: a file beyond the limit is answered if its image ends within it, without sha256.',
        tags: ['match'],
        querystring: ImageMatchParams,
        response: {
          200: ImageMatchAnswer,
          ...mayForUploads('request-invalid', 'key-missing', 'scope-missing', 'bank-unknown', 'body-too-large'),
        },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { banks, thresholdBits, depth, transforms } = request.query
      const details = depth !== 'hashes' && matcher.hasDetails() ? 'also' : 'none'
      let context: string | undefined
      const outcomes = await eachImage(
        request,
        queryLimits,
        inFlight,
        (image, isCut) => ofImage(hashing.hash(image, 'query', details, request.hashingFor(reply)), isCut),
        (name, text) => {
          if (name === 'context') context = contextIn(text)
        },
      )
      await request.reauthorize() // pictures may arrive slowly
      request.consumeQuota(reply, outcomes.length)
      const refusal = outcomes.find((outcome) => outcome instanceof Problem)
      if (refusal !== undefined && outcomes.every((outcome) => outcome instanceof Problem)) throw refusal
      const viewsOf = (i: number) => {
        const outcome = outcomes[i]
        return outcome instanceof Problem ? undefined : outcome?.asked
      }
      const isFormOf = (i: number) => {
        const outcome = outcomes[i]
        return !(outcome instanceof Problem) && outcome?.isForm === true
      }
      const truncated = new Set<number>()
      const found = await matcher.match(
        outcomes.map((outcome) => (outcome instanceof Problem ? [] : askedOf(outcome, transforms === 'true'))),
        {
          orgId: caller.orgId,
          banks: banks?.split(','),
          thresholdBits: radiusFor(caller, thresholdBits, bandsOnly),
          knowsDistance: caller.scopes.has('match:distance'),
          depth,
          mirrors: transforms === 'true',
          viewsOf,
          isFormOf,
          contexts: outcomes.map(() => context),
          onTruncated: (i) => void truncated.add(i),
        },
      )
      const mayKnowDistance = caller.scopes.has('match:distance')
      const show = (match: Match) => shownMatch(match, mayKnowDistance)
      return {
        results: outcomes.map((outcome, i) =>
          outcome instanceof Problem
            ? { matches: [], problem: problemBody(outcome) }
            : {
                matches: (found[i] ?? []).map(show),
                ...(truncated.has(i) && { truncated: true as const }),
                quality: outcome.quality,
                signals: ownSignals(outcome),
                ...(outcome.isForm && { isForm: true as const }),
              },
        ),
      }
    },
  )
}

/** Rounds the threshold to a whole distance band for callers without `match:distance`, so that they cannot measure a distance with it. */
function radiusFor({ scopes }: Caller, thresholdBits: number | undefined, bandsOnly: boolean): number | undefined {
  return thresholdBits === undefined || !bandsOnly || scopes.has('match:distance')
    ? thresholdBits
    : bandWithin(thresholdBits)
}

function contextIn(text: string): string {
  const context = Context.safeParse(text)
  if (!context.success) throw new Problem('request-invalid')
  return context.data
}

/**
 * Rotates the hashes of a query only when the matcher reaches it: for a thousand queries at once that would take milliseconds. Puts
 * problems into `refused`, by the index of the query.
 */
function* askedOneByOne(
  queries: z.infer<typeof MatchRequest>['queries'],
  withTransforms: boolean,
  refused: Map<number, Problem>,
): Generator<HashedSignal[], void, void> {
  for (const [i, { signals }] of queries.entries()) {
    const picture = toAsked(signals, withTransforms)
    if (picture instanceof Problem) refused.set(i, picture)
    yield picture instanceof Problem ? [] : picture
  }
}

function toAsked(signals: z.infer<typeof Query>['signals'], withTransforms: boolean): HashedSignal[] | Problem {
  const asked: HashedSignal[] = []
  for (const { type, view, quality, hash: text } of signals) {
    const hash = parseHash(text)
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
