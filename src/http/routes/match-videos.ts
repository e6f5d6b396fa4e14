// Queries by video file: is this one, an excerpt of it, or a changed copy registered?

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { fileSignals } from '../../../packages/core/src/matching/file-signals.js'
import { formatSignalHash } from '../../../packages/core/src/matching/hash-text.js'
import type { HashedVideoFile } from '../../../packages/core/src/matching/hashed-image.js'
import { formatHash } from '../../../packages/hash/src/hash256.js'
import { MAX_AREA_SIGNALS } from '../../../packages/hash/src/image-hasher.js'
import { VIDEO_FORMATS } from '../../domain/media/video-limits.js'
import { Problem } from '../../domain/problem.js'
import type { VideoHashing } from '../../services/intake/video-hashing.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import { NO_RESULT } from '../../services/matching/match.js'
import type { RefuseUnknownBanks } from '../../services/matching/match-scope.js'
import type { VideoMatcher } from '../../services/matching/video/video-matcher.js'
import { radiusFor } from '../asked-radius.js'
import { FRAME_SIGNAL_TYPES, HashedVideoFacts, hashedVideoFacts } from '../given-videos.js'
import { askedVideoOf } from '../hashed-signals.js'
import { callerOf } from '../plugins/authentication.js'
import { GradingName, IsForm, Quality, SignalHashText, SignalTypeName, ThresholdBits, ViewName } from '../schemas.js'
import { Matches, resultText, Truncated } from '../shown-match.js'
import { beforeUpload, withVideo } from '../video-upload.js'
import { mayForVideos } from './cases/case-videos.js'
import { Context } from './match-schemas.js'

const VideoMatchParams = z.object({
  banks: z.string().max(6400).optional().meta({ description: 'Names separated by commas.' }),
  thresholdBits: z.coerce.number().pipe(ThresholdBits).optional(),
  grading: GradingName,
  transforms: z.enum(['true', 'false']).default('true'),
})

const ownSignal = <T extends z.ZodType>(type: T) =>
  z.object({ type, view: ViewName, quality: Quality, hash: SignalHashText })

const VideoMatchAnswer = z.object({
  results: z
    .array(
      z.object({
        matches: Matches,
        truncated: Truncated,
        quality: Quality,
        ...HashedVideoFacts,
        signals: z.array(ownSignal(SignalTypeName)).meta({ description: 'Hashes of the file.' }),
        md5: z.string().meta({ description: 'MD5 of the file, in hex.' }),
        frames: z
          .array(
            z.object({ atMs: z.int(), isForm: IsForm.optional(), signals: z.array(ownSignal(z.enum(FRAME_SIGNAL_TYPES))) }),
          )
          .meta({ description: 'For `video.frames` of POST /v1/match, so that you need not send the video again.' }),
      }),
    )
    .length(1),
})

const schema = {
  operationId: 'matchVideo',
  summary: 'Match a video',
  description: `One part named \`video\`, with a Content-Length: ${VIDEO_FORMATS}; up to 200 MiB and ten minutes. The video is held in memory for at most 20 minutes, hashed and then discarded. The answer takes some seconds for each minute of video; if the caller disconnects before that, hashing ends. Matches are those of a \`video\` of POST /v1/match, and of the hash of the file. Counts as one picture for each 32 signals. The field context may say where you saw it.`,
  tags: ['match'],
  querystring: VideoMatchParams,
  response: {
    200: VideoMatchAnswer.or(z.string()),
    ...mayForVideos('key-missing', 'scope-missing', 'bank-unknown', 'index-loading'),
  },
}

export interface MatchVideoRouteOptions {
  readonly videoMatcher: VideoMatcher
  readonly refuseUnknownBanks: RefuseUnknownBanks
  readonly videoHashing: VideoHashing
  readonly scheduler: Pick<EventLoopScheduler, 'yielder'>
  /** Whether callers without `match:distance` get whole distance bands only, also as thresholds. */
  readonly bandsOnly: boolean
}

export const matchVideoRoutes: FastifyPluginAsyncZod<MatchVideoRouteOptions> = async (
  app,
  { videoMatcher, refuseUnknownBanks, videoHashing, scheduler, bandsOnly },
) => {
  app.post(
    '/match/videos',
    { config: { scope: 'match', queries: 'counted', videoFile: true, contextField: true, writtenAnswer: true }, schema },
    async (request, reply) => {
      const { banks, thresholdBits, grading, transforms } = request.query
      const asked = { banks: banks?.split(','), orgId: callerOf(request).orgId }
      await beforeUpload(reply, () => refuseUnknownBanks(asked))
      let context: string | undefined
      const hashed = await withVideo(request, reply, {
        videoHashing,
        onField(name, text) {
          if (name !== 'context') return
          const given = Context.safeParse(text)
          if (!given.success) throw new Problem('request-invalid')
          context = given.data
        },
        use: (video, disconnected) => video.hash('query', disconnected),
      })
      await request.reauthorize() // it may have taken minutes
      const caller = callerOf(request)
      const signals = hashed.frames.reduce((sum, frame) => sum + frame.signals.length, 0)
      request.consumeQuota(reply, Math.ceil(signals / MAX_AREA_SIGNALS))
      const mayKnowDistance = caller.scopes.has('match:distance')
      const [{ matches, isTruncated } = NO_RESULT] = await videoMatcher.matchVideos(
        [askedVideoOf(hashed, transforms === 'true', context)],
        {
          orgId: asked.orgId,
          banks: asked.banks,
          thresholdBits: radiusFor(caller, thresholdBits, bandsOnly),
          grading,
          knowsDistance: mayKnowDistance,
        },
      )
      const found = resultText({ id: undefined, matches, isTruncated, problem: undefined, mayKnowDistance })
      const frames = await framesText(hashed, scheduler)
      const facts = JSON.stringify(factsOf(hashed)).slice(1, -1)
      return reply
        .type('application/json; charset=utf-8')
        .send(`{"results":[${found.slice(0, -1)},${facts},"frames":[${frames}]}]}`)
    },
  )
}

function factsOf(hashed: HashedVideoFile) {
  const { frames, file } = hashed
  const quality = Math.max(...frames.flatMap(({ signals }) => signals.map((signal) => signal.quality)))
  const signals = fileSignals(file).map((signal) => ({ ...signal, hash: formatSignalHash(signal.type, signal.hash) }))
  return { quality, ...hashedVideoFacts(hashed), signals, md5: file.md5 }
}

/** As JSON, without brackets. Frame by frame, so that no tick writes thousands of hashes. */
async function framesText({ frames }: HashedVideoFile, scheduler: Pick<EventLoopScheduler, 'yielder'>): Promise<string> {
  const yieldIfNeeded = scheduler.yielder()
  const texts: string[] = []
  for (const frame of frames) {
    const pause = yieldIfNeeded()
    if (pause !== undefined) await pause
    const signals = frame.signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
      hash === undefined ? [] : [{ type, view, quality, hash: formatHash(hash) }],
    )
    texts.push(JSON.stringify({ ...frame, signals }))
  }
  return texts.join()
}
