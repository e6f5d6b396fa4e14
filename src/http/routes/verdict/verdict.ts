// One file in, one decision out: for upload gates, which go by the status of the answer.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { GRADES } from '../../../../packages/core/src/matching/grade.js'
import { TIER_NAMES, type Tier } from '../../../../packages/core/src/matching/signal.js'
import { MAX_AREA_SIGNALS } from '../../../../packages/hash/src/image-hasher.js'
import { Problem } from '../../../domain/problem.js'
import { NO_RESULT, type QueryResult } from '../../../services/matching/match.js'
import type { Matcher } from '../../../services/matching/matcher.js'
import { UPLOAD_VERDICTS, type UploadVerdict, verdictOn } from '../../../services/matching/upload-verdict.js'
import type { VideoMatcher } from '../../../services/matching/video/video-matcher.js'
import { askedVideoOf, queryPictureOf } from '../../hashed-signals.js'
import { callerOf } from '../../plugins/authentication.js'
import { may, ProblemBody, problemBody } from '../../problems.js'
import type { Exchange } from '../../upload.js'
import { type AnyFileParts, type FileContent, hashAnyFile } from './any-file.js'

/** The status of each verdict. Every other status means that the question could not be answered. */
const STATUS = { pass: 200, hold: 202, block: 451 } as const satisfies Readonly<Record<UploadVerdict, number>>

const FILE_TYPE = 'application/octet-stream'

const REASONS = ['match', 'no-match', 'too-uncertain', 'too-plain', 'no-media', 'unreadable'] as const

const Answer = z
  .object({
    verdict: z.enum(UPLOAD_VERDICTS),
    why: z.enum(REASONS).meta({
      description:
        'match: it holds or blocks. too-uncertain: matches are disputed or of grade review, so the file passes. too-plain: no hash of it is reliable, so it passes. no-media: no picture and no video that is read here, so it passes. unreadable: it is held, because `problem` keeps it from being looked at.',
    }),
    grade: z.enum(GRADES).optional(),
    tier: z.enum(TIER_NAMES).optional(),
    matchId: z.string().optional().meta({ description: 'For feedback: send `auto-blocked` if no person decided.' }),
    problem: ProblemBody.optional().meta({
      description:
        'About this file: the same file gets it again. A problem that is the whole answer is never about the file.',
    }),
  })
  .meta({ id: 'UploadVerdict' })

const schema = {
  operationId: 'verdict',
  summary: 'Decide about an upload',
  description:
    'The body is any file, of any content type, or a form with one file part of any name. The status is the decision: 200 pass, 202 hold until a person has looked, 451 block. Every other status means that the question could not be answered: never block for it. Blocked is what matches as exact or strong, is not disputed, and has at least the tier that the operator chose (TABIR_GATE_TIERS, usually ngo-attested). Other matches from near hold: captions and cuts make a copy near. Grades count whole uploads, as `grading=per-upload` does. For public or semi-public uploads; not for private messages. Clients that cannot send a header may use POST /v1/verdict/{key}, or Basic with the key as password.',
  tags: ['match'],
  response: {
    200: Answer,
    202: Answer,
    451: Answer,
    ...may(
      'request-invalid',
      'upload-incomplete',
      'image-missing',
      'too-many-images',
      'video-unavailable',
      'hashing-unavailable',
    ),
  },
}

export interface VerdictRouteOptions extends AnyFileParts {
  readonly matcher: Matcher
  readonly videoMatcher: VideoMatcher
  /** The lowest tier that blocks. */
  readonly gateTier: Tier
}

export const verdictRoutes: FastifyPluginAsyncZod<VerdictRouteOptions> = async (app, options) => {
  // Whatever its type, which the uploader may have chosen, the body is a file. Forms keep their own parser.
  app.addContentTypeParser(FILE_TYPE, (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', async ({ raw: { headers } }) => {
    if (!/^multipart\/form-data\b/i.test(headers['content-type'] ?? '')) headers['content-type'] = FILE_TYPE
  })
  const config = { scope: 'match', keyAlso: 'in-path', queries: 'counted', multipart: true, anyFile: true } as const
  for (const [url, routeSchema] of [
    ['/verdict', schema],
    ['/verdict/:key', { hide: true }],
  ] as const)
    app.post(url, { config, schema: routeSchema }, async (request, reply) => {
      const answer = await answerTo(options, { request, reply })
      return reply.code(STATUS[answer.verdict]).send(answer)
    })
}

async function answerTo(options: VerdictRouteOptions, exchange: Exchange): Promise<z.infer<typeof Answer>> {
  const content = await hashAnyFile(options, exchange)
  await exchange.request.reauthorize() // the file may arrive slowly
  if (content === 'other' || content instanceof Problem) {
    exchange.request.consumeQuota(exchange.reply, 0)
    return withoutMatching(content)
  }
  const { matches } = await matchesOf(options, exchange, content)
  const { verdict, match } = verdictOn(matches, options.gateTier)
  if (match === undefined) return { verdict, why: matches.length > 0 ? 'too-uncertain' : 'no-match' }
  const { grade, tier, matchId } = match
  return { verdict, why: 'match', grade, tier, matchId }
}

function withoutMatching(content: 'other' | Problem): z.infer<typeof Answer> {
  if (content === 'other' || content.code === 'media-unsupported') return { verdict: 'pass', why: 'no-media' }
  if (content.code === 'quality-too-low') return { verdict: 'pass', why: 'too-plain' }
  return { verdict: 'hold', why: 'unreadable', problem: problemBody(content) }
}

async function matchesOf(
  { matcher, videoMatcher }: VerdictRouteOptions,
  { request, reply }: Exchange,
  content: Exclude<FileContent, 'other' | Problem>,
): Promise<QueryResult> {
  const asked = {
    orgId: callerOf(request).orgId,
    banks: undefined,
    thresholdBits: undefined,
    grading: 'per-upload',
    depth: 'auto',
  } as const
  if ('image' in content) {
    request.consumeQuota(reply, 1)
    const [result = NO_RESULT] = await matcher.match([queryPictureOf(content.image, true, undefined)], asked)
    return result
  }
  const signals = content.video.frames.reduce((sum, frame) => sum + frame.signals.length, 0)
  request.consumeQuota(reply, Math.ceil(signals / MAX_AREA_SIGNALS))
  const [result = NO_RESULT] = await videoMatcher.matchVideos([askedVideoOf(content.video, true, undefined)], asked)
  return result
}
