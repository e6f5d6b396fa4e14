// Schemas of videos: those that clients send as hashes of frames, and the facts of answers about a video that the service hashed.

import { z } from 'zod'
import { fileSignals } from '../../packages/core/src/matching/file-signals.js'
import { parseSignalHash } from '../../packages/core/src/matching/hash-text.js'
import type { HashedVideo } from '../../packages/core/src/matching/hashed-image.js'
import { refusalOf } from '../../packages/core/src/matching/probable-hash.js'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import type { SignalType } from '../../packages/core/src/matching/signal-types.js'
import { parseHash } from '../../packages/hash/src/hash256.js'
import { MAX_AREA_SIGNALS } from '../../packages/hash/src/image-hasher.js'
import { MAX_VIDEO_MS, MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { Problem } from '../domain/problem.js'
import { Declared } from './declared-age.js'
import { CategoryName, GivenRef, type GivenSignal, HashText, IsForm, Quality, ViewName } from './schemas.js'

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

/** Frames of a video to register. */
export const GivenFrames = framesOf(Frame)

/** Frames of a query. */
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

/** Hashes of the file of a video. */
export const FileHashes = {
  sha256: HashText.optional().meta({ description: 'SHA-256 of the file.' }),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be 32 lowercase hex digits')
    .optional()
    .meta({ description: 'MD5 of the file, by which other systems know it: 32 lowercase hex digits.' }),
}

const VideoFields = { durationMs: DurationMs, frames: GivenFrames, ...FileHashes, category: CategoryName.optional() }
const ENDS_TOO_EARLY = 'must end after its last frame'

/** A video of a case. */
export const GivenVideo = z.strictObject({ ...Declared, ...VideoFields }).refine(endsAfterFrames, ENDS_TOO_EARLY)

/** The frames of an animation, which is a picture by its signals. */
export const GivenAnimation = z
  .strictObject({ durationMs: DurationMs, frames: GivenFrames })
  .refine(endsAfterFrames, ENDS_TOO_EARLY)
  .meta({ description: 'Of an animation: its frames as a video would have them.' })

export const GivenBankVideo = z
  .strictObject({ ...Declared, ...VideoFields, ref: GivenRef.optional() })
  .refine(endsAfterFrames, ENDS_TOO_EARLY)
  .refine(({ frames }) => frames.some(({ signals }) => signals.some(isWhole)), 'must have a frame that was hashed whole')

/** @returns the signals of the frames, then those of the file. */
export function videoSignals({ durationMs, frames, sha256, md5 }: Omit<z.infer<typeof GivenVideo>, 'category'>) {
  const signals: Signal[] = []
  for (const [frame, given] of frames.entries()) {
    const own = toSignals(given.signals, frame)
    if (own instanceof Problem) return own
    for (const signal of own) signals.push(signal)
  }
  const ofFile = fileSignals({ sha256: sha256 === undefined ? undefined : parseHash(sha256), md5 })
  if (ofFile.some((signal) => refusalOf(signal) !== undefined)) return new Problem('hash-improbable')
  signals.push(...ofFile)
  return { signals, video: { durationMs, framesAtMs: frames.map(({ atMs }) => atMs) } }
}

/** @param given a picture, or an animation with its frames. */
export function pictureSignals({
  signals: given,
  animation,
}: {
  readonly signals: readonly z.infer<typeof GivenSignal>[]
  readonly animation?: z.infer<typeof GivenAnimation> | undefined
}) {
  const signals = toSignals(given)
  if (signals instanceof Problem) return signals
  if (animation === undefined) return { signals }
  const film = videoSignals(animation)
  if (film instanceof Problem) return film
  return { signals: [...signals, ...film.signals], video: { ...film.video, isAnimation: true as const } }
}

/** Whether an animation has a signal by which it is known as a picture. */
export function isPicture({
  signals,
  animation,
}: {
  readonly signals: readonly Pick<z.infer<typeof GivenSignal>, 'type' | 'view'>[]
  readonly animation?: unknown
}): boolean {
  return animation === undefined || signals.some(({ type, view = 'whole' }) => type === 'pdq' && view === 'whole')
}

export const NO_PICTURE = 'of an animation must have a pdq of a whole frame'

function toSignals(given: readonly z.infer<typeof GivenSignal>[], frame?: number): Signal[] | Problem {
  const signals: Signal[] = []
  for (const { type, view = 'whole', quality, hash: text } of given) {
    const hash = parseSignalHash(type, text)
    if (hash === undefined) return new Problem('request-invalid')
    const signal = { type, view, quality, hash, ...(frame !== undefined && { frame }) }
    const refusal = refusalOf(signal)
    if (refusal !== undefined) return new Problem(refusal)
    signals.push(signal)
  }
  return signals
}

function endsAfterFrames({
  durationMs,
  frames,
}: {
  readonly durationMs: number
  readonly frames: z.infer<typeof GivenFrames>
}): boolean {
  return (frames.at(-1)?.atMs ?? 0) <= durationMs
}

function isWhole({ view = 'whole' }: z.infer<typeof FrameSignal>): boolean {
  return view === 'whole'
}

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
  isThinned: z.literal(true).optional().meta({
    description:
      'The video is long, so Tabir chose fewer frames or views. Queries longer than about three minutes find fewer cropped or filmed copies; query shorter parts to find more.',
  }),
}

export function hashedVideoFacts({ durationMs, protectedShare, isKeyFramesOnly, isThinned }: HashedVideo) {
  return {
    durationMs: Math.max(1, durationMs),
    protectedShare,
    ...(isKeyFramesOnly && { isKeyFramesOnly: true as const }),
    ...(isThinned && { isThinned: true as const }),
  }
}
