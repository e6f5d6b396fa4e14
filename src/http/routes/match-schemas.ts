// Schemas of a query and its answer.

import { z } from 'zod'
import { MAX_IMAGE_SIGNALS } from '../../../packages/hash/src/file-frames.js'
import { MAX_AREA_SIGNALS } from '../../../packages/hash/src/image-hasher.js'
import { MAX_ASKED_VIDEO_SIGNALS } from '../../../packages/hash/src/video-frames.js'
import { AskedFrames, DurationMs, FileHashes } from '../given-videos.js'
import {
  AskedDetails,
  BankRef,
  DepthName,
  GradingName,
  IsForm,
  IsObject,
  PartProblem,
  Quality,
  SignalHashText,
  SignalTypeName,
  ThresholdBits,
  ViewName,
} from '../schemas.js'
import { Matches, Truncated } from '../shown-match.js'

export const MAX_QUERIES = 1000

const MAX_SIGNALS_PER_QUERY = MAX_IMAGE_SIGNALS + 2

/** Maximum signals of a call. Each is a search, so this bounds the cost: a thousand plain pictures, 156 with all their views, or a video. */
export const MAX_SIGNALS = MAX_ASKED_VIDEO_SIGNALS

/**
 * At least 22 characters: 128 bits in base64url. Telephone numbers, the numbers of accounts and nearly all names are shorter. No dot, space
 * or other sign: no address, URL or sentence fits. UUID, ULID and a keyed hash in hex or base64url fit.
 */
export const CONTEXT_FORM = /^[A-Za-z0-9_-]{22,64}$/

export const Context = z.string().regex(CONTEXT_FORM, 'must be an opaque id: 22 to 64 characters of A-Z a-z 0-9 _ -')

/** A signal of a query, or of a watch. */
export const AskedSignal = z.strictObject({
  type: SignalTypeName,
  hash: SignalHashText,
  quality: Quality.optional(),
  view: ViewName.optional(),
})

export const Query = z
  .strictObject({
    context: Context.optional().meta({
      description:
        'Your opaque id of the place where you saw it: 22 to 64 characters of A-Z a-z 0-9 _ -. This form fits a UUID and a keyed hash (128 bits or more in base64url or hex), and no telephone number, e-mail address, URL or sentence. Send a keyed hash of a chat or group id, never of a person. See /v1/insights/contexts.',
    }),
    id: z.string().max(128).optional().meta({ description: 'Your own id; returned with the result.' }),
    signals: z.array(AskedSignal).min(1).max(MAX_SIGNALS_PER_QUERY).optional().meta({
      description:
        'Hashes of one picture. A second type lets a match be corroborated. `quality` as `hashImage` gives it, 100 when left out: a view under 70 has to be nearer to decide alone, and so has one that looks like itself when it is flipped along a diagonal.',
    }),
    video: z
      .strictObject({ durationMs: DurationMs.optional(), frames: AskedFrames, ...FileHashes })
      .optional()
      .meta({
        description:
          'A video in place of `signals`: as `hashVideo` gives it. Matches are registered videos, with the segments that agree, and registered pictures, with the moment. Counts as one picture for each 32 signals.',
      }),
    details: AskedDetails.optional(),
    isForm: IsForm.optional().meta({
      description:
        'As `hashImage` gives it: the picture is flat and of few colours, as cards, receipts and app screens are. It has to be nearer then, because forms of one kind look alike. Of a video, its frames say so.',
    }),
    isObject: IsObject.optional().meta({
      description:
        'As `hashImage` gives it: the picture shows one object on a plain ground, as shops show goods. It has to be nearer then, because objects of one kind look alike.',
    }),
  })
  .refine(({ signals, video }) => (signals === undefined) !== (video === undefined), 'must have either signals or a video')

export const MatchRequest = z.strictObject({
  queries: z
    .array(Query)
    .min(1)
    .max(MAX_QUERIES)
    .refine((queries) => signalsIn(queries) <= MAX_SIGNALS, `must have at most ${MAX_SIGNALS} signals in all`)
    .meta({ description: `With at most ${MAX_SIGNALS} signals in all.` }),
  banks: z.array(BankRef).min(1).max(100).optional().meta({ description: 'Search only these banks; all if omitted.' }),
  thresholdBits: ThresholdBits.optional(),
  grading: GradingName,
  depth: DepthName,
  transforms: z
    .boolean()
    .default(true)
    .meta({ description: 'Also find rotated and mirrored copies. For queries by hash their distances are approximate.' }),
})

type Asked = Pick<z.infer<typeof Query>, 'signals' | 'video'>

export function signalsIn(queries: readonly Asked[]): number {
  return queries.reduce((sum, query) => sum + signalsOf(query), 0)
}

function signalsOf({ signals = [], video }: Asked): number {
  return (video?.frames ?? []).reduce((sum, frame) => sum + frame.signals.length, signals.length)
}

/** As how many queries a query is counted by rate limits: a video as the pictures that have its signals. */
export function countedAs(query: Asked): number {
  return query.video === undefined ? 1 : Math.ceil(signalsOf(query) / MAX_AREA_SIGNALS)
}

export const ImageMatchAnswer = z.object({
  results: z.array(
    z.object({
      matches: Matches,
      truncated: Truncated,
      quality: Quality.optional(),
      signals: z
        .array(z.object({ type: SignalTypeName, view: ViewName, quality: Quality, hash: SignalHashText }))
        .optional()
        .meta({ description: 'The hashes of the picture, so that you need not send it again.' }),
      isForm: IsForm.optional().meta({ description: 'Send it with the hashes: see the queries of POST /v1/match.' }),
      isObject: IsObject.optional().meta({ description: 'If you query again by these hashes, send `isObject` too.' }),
      problem: PartProblem,
    }),
  ),
})
