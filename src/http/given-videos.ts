// Videos given as hashes of their frames, and what a caller is told of one that was hashed here.

import { z } from 'zod'
import { MAX_AREA_SIGNALS } from '../../packages/hash/src/image-hasher.js'
import { MAX_VIDEO_MS, MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import type { HashedVideo } from '../domain/matching/hashed-image.js'
import type { SignalType } from '../domain/matching/signal-types.js'
import { HashText, IsForm, Quality, ViewName } from './schemas.js'

/** What a frame of a video is hashed with. */
export const FRAME_SIGNAL_TYPES = ['pdq', 'pdq-area'] as const satisfies readonly SignalType[]

const FrameSignal = z.strictObject({
  type: z.enum(FRAME_SIGNAL_TYPES),
  hash: HashText,
  quality: Quality,
  view: ViewName.optional(),
})

const AtMs = z.int().min(0).max(MAX_VIDEO_MS)

const Frame = z.strictObject({
  atMs: AtMs.meta({ description: 'When the frame is shown, in milliseconds from the start.' }),
  signals: z
    .array(FrameSignal)
    .min(1)
    .max(MAX_AREA_SIGNALS + 1),
})

/** Of a video that is registered. */
export const GivenFrames = framesOf(Frame)

/** Of a query. */
export const AskedFrames = framesOf(Frame.extend({ isForm: IsForm.optional() }))

function framesOf<T extends typeof Frame>(frame: T) {
  return z
    .array(frame)
    .min(1)
    .max(MAX_VIDEO_SIGNALS)
    .refine(areInOrder, 'must be in the order in which they are shown')
    .refine((frames) => signalsIn(frames) <= MAX_VIDEO_SIGNALS, `must have at most ${MAX_VIDEO_SIGNALS} signals in all`)
    .meta({
      description: `Frames as \`hashVideo\` of \`@tabir/hash\` gives them, in the order in which they are shown, with at most ${MAX_VIDEO_SIGNALS} signals in all.`,
    })
}

export const DurationMs = z
  .int()
  .min(1)
  .max(MAX_VIDEO_MS)
  .meta({ description: 'Duration in milliseconds; at most ten minutes.' })

function areInOrder(frames: readonly { readonly atMs: number }[]): boolean {
  return frames.every(({ atMs }, i) => i === 0 || atMs > (frames[i - 1]?.atMs ?? 0))
}

function signalsIn(frames: readonly { readonly signals: readonly unknown[] }[]): number {
  return frames.reduce((sum, { signals }) => sum + signals.length, 0)
}

export const HashedVideoFacts = {
  durationMs: DurationMs,
  protectedShare: z
    .number()
    .min(0)
    .max(1)
    .meta({ description: 'Share of the duration in which every frame has enough structure to be found.' }),
  isKeyFramesOnly: z.literal(true).optional().meta({
    description: 'Decoding all of it would have cost too much: of some parts only key frames were looked at.',
  }),
}

export function hashedVideoFacts({ durationMs, protectedShare, isKeyFramesOnly }: HashedVideo) {
  return {
    durationMs: Math.max(1, durationMs),
    protectedShare,
    ...(isKeyFramesOnly && { isKeyFramesOnly: true as const }),
  }
}
