// Queries by picture: is this one, or a changed copy of it, registered?

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Problem } from '../../domain/problem.js'
import type { Hashing } from '../../services/intake/hashing.js'
import { type Match, NO_RESULT } from '../../services/matching/match.js'
import type { RefuseUnknownBanks } from '../../services/matching/match-scope.js'
import type { Matcher } from '../../services/matching/matcher.js'
import { radiusFor } from '../asked-radius.js'
import { ofImage, ownSignals, queryPictureOf } from '../hashed-signals.js'
import { callerOf } from '../plugins/authentication.js'
import { problemBody } from '../problems.js'
import { DepthName, GradingName, ThresholdBits } from '../schemas.js'
import { shownMatch } from '../shown-match.js'
import { eachImage, forQueries, type InFlight, type UploadLimits } from '../upload.js'
import { beforeUpload } from '../video-upload.js'
import { mayForUploads } from './cases/case-images.js'
import { Context, ImageMatchAnswer } from './match-schemas.js'

const ImageMatchParams = z.object({
  banks: z.string().max(6400).optional().meta({ description: 'Names separated by commas.' }),
  thresholdBits: z.coerce.number().pipe(ThresholdBits).optional(),
  grading: GradingName,
  depth: DepthName,
  transforms: z.enum(['true', 'false']).default('true'),
})

const matchImagesSchema = {
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
}

export interface MatchImageRouteOptions {
  readonly matcher: Matcher
  readonly refuseUnknownBanks: RefuseUnknownBanks
  readonly hashing: Hashing
  readonly uploadLimits: UploadLimits
  readonly inFlight: InFlight
  /** Whether callers without `match:distance` get whole distance bands only, also as thresholds. */
  readonly bandsOnly: boolean
}

export const matchImageRoutes: FastifyPluginAsyncZod<MatchImageRouteOptions> = async (
  app,
  { matcher, refuseUnknownBanks, hashing, uploadLimits, inFlight, bandsOnly },
) => {
  const queryLimits = forQueries(uploadLimits)
  app.post(
    '/match/images',
    {
      config: { scope: 'match', queries: 'counted', multipart: true, contextField: true },
      schema: matchImagesSchema,
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { banks, thresholdBits, grading, depth, transforms } = request.query
      const asked = { banks: banks?.split(','), orgId: caller.orgId }
      await beforeUpload(reply, () => refuseUnknownBanks(asked))
      const details = depth !== 'hashes' && matcher.hasDetails() ? 'also' : 'none'
      let context: string | undefined
      const outcomes = await eachImage(
        request,
        queryLimits,
        inFlight,
        (image, isCut) => ofImage(hashing.hash(image, 'query', details, request.hashingFor(reply)), isCut),
        {
          onField(name, text) {
            if (name === 'context') context = contextIn(text)
          },
        },
      )
      await request.reauthorize() // pictures may arrive slowly
      request.consumeQuota(reply, outcomes.length)
      const refusal = outcomes.find((outcome) => outcome instanceof Problem)
      if (refusal !== undefined && outcomes.every((outcome) => outcome instanceof Problem)) throw refusal
      const withTransforms = transforms === 'true'
      const found = await matcher.match(
        outcomes.map((outcome) =>
          outcome instanceof Problem ? { signals: [] } : queryPictureOf(outcome, withTransforms, context),
        ),
        {
          orgId: asked.orgId,
          banks: asked.banks,
          thresholdBits: radiusFor(caller, thresholdBits, bandsOnly),
          grading,
          knowsDistance: caller.scopes.has('match:distance'),
          depth,
          mirrors: withTransforms,
        },
      )
      const mayKnowDistance = caller.scopes.has('match:distance')
      const show = (match: Match) => shownMatch(match, mayKnowDistance)
      return {
        results: outcomes.map((outcome, i) => {
          if (outcome instanceof Problem) return { matches: [], problem: problemBody(outcome) }
          const { matches, isTruncated } = found[i] ?? NO_RESULT
          return {
            matches: matches.map(show),
            ...(isTruncated && { truncated: true as const }),
            quality: outcome.quality,
            signals: ownSignals(outcome),
            ...(outcome.isForm && { isForm: true as const }),
            ...(outcome.isObject && { isObject: true as const }),
          }
        }),
      }
    },
  )
}

function contextIn(text: string): string {
  const context = Context.safeParse(text)
  if (!context.success) throw new Problem('request-invalid')
  return context.data
}
