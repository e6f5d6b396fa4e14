// The signals of a picture, and those of a frame of a video or animation, in answers of workers.

import { z } from 'zod'
import { VIEW_NAMES, type View } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, type SignalType } from '../../packages/core/src/matching/signal-types.js'
import { MAX_FRAMES, MAX_IMAGE_SIGNALS } from '../../packages/hash/src/file-frames.js'
import { type Hash256, parseHash } from '../../packages/hash/src/hash256.js'
import { MAX_VIDEO_MS, REGISTERED_INTERVAL_MS } from '../../packages/hash/src/video-frames.js'

/** For each signal type: the maximum number of signals of one picture, their views, and how many hashes each may have. */
export const SIGNAL_RULES: Readonly<
  Record<SignalType, { readonly max: number; readonly views: readonly View[]; readonly hashes: readonly number[] }>
> = {
  pdq: { max: MAX_FRAMES, views: ['whole'], hashes: [8] },
  'pdq-area': { max: MAX_IMAGE_SIGNALS, views: VIEW_NAMES, hashes: [1, 2, 8] },
  blockhash: { max: 1, views: ['whole'], hashes: [8] },
  sha256: { max: 1, views: ['whole'], hashes: [1] },
  video_md5: { max: 0, views: [], hashes: [] },
}
const HashText = z.string().transform((text, context): Hash256 => {
  const hash = parseHash(text)
  if (hash !== undefined) return hash
  context.addIssue({ code: 'custom', message: 'must be 64 lowercase hex digits' })
  return z.NEVER
})

export const Quality = z.int().min(0).max(100)

const Share = z.number().min(0).max(1)
/**
 * How objects of an answer are read. A child that decodes is of this version and may have been taken over: nothing more than is known may be in its answer.
 * A worker may be of another version: what is not known is left out.
 */
type ObjectReading = typeof z.strictObject
export const EXACTLY: ObjectReading = z.strictObject
export const IGNORING_MORE: ObjectReading = z.object

export function signalMessage(object: ObjectReading) {
  const part = object({ left: Share, top: Share, right: Share, bottom: Share }).refine(
    ({ left, top, right, bottom }) => left < right && top < bottom,
  )
  return object({
    type: z.enum(SIGNAL_TYPE_NAMES),
    view: z.enum(VIEW_NAMES),
    quality: Quality,
    hashes: z.array(HashText).max(8),
    part: part.optional(),
    isPicture: z.literal(true).optional(),
  }).refine(({ type, view, quality, hashes, part, isPicture }) => {
    const rules = SIGNAL_RULES[type]
    if (isPicture && (view !== 'deframed' || part === undefined)) return false
    if (part !== undefined && (type !== 'pdq-area' || view === 'whole' || hashes.length === 1)) return false
    return rules.views.includes(view) && rules.hashes.includes(hashes.length) && (type !== 'sha256' || quality === 100)
  })
}

export const MAX_VIDEO_FRAMES = 2 + MAX_VIDEO_MS / REGISTERED_INTERVAL_MS
/** Maximum signals of a frame, each of at most eight hashes. */
const MAX_FRAME_SIGNALS = 64

const TimeMs = z.int().min(0).max(MAX_VIDEO_MS)

/** The facts of a video besides its frames, in this answer and in that of the child that hashes it. */
export const VIDEO_FACTS_MESSAGE = {
  durationMs: TimeMs,
  protectedShare: z.number().min(0).max(1),
  isKeyFramesOnly: z.literal(true).exactOptional(),
  isThinned: z.literal(true).exactOptional(),
}

export function videoFrameMessage(object: ObjectReading) {
  return object({
    atMs: TimeMs,
    signals: z
      .array(signalMessage(object).refine(({ type }) => type === 'pdq' || type === 'pdq-area'))
      .min(1)
      .max(MAX_FRAME_SIGNALS),
    isForm: z.literal(true).exactOptional(),
  })
}

/** The hashes of a video, or of an animation as a video has them. */
export function hashedFramesMessage(object: ObjectReading) {
  return object({
    ...VIDEO_FACTS_MESSAGE,
    frames: z
      .array(videoFrameMessage(object))
      .max(MAX_VIDEO_FRAMES)
      .refine((frames) => frames.every(({ atMs }, index) => atMs > (frames[index - 1]?.atMs ?? -1))),
  })
}
