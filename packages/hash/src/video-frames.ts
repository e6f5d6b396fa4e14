// Hashes a video by some of its frames, each like a picture, and chooses these frames while the video is being decoded. Workers and browsers both
// use it.

import { MIN_USABLE_QUALITY } from './file-frames.js'
import { distance, type Hash256 } from './hash256.js'
import type { ImageHasher, ImageSignal } from './image-hasher.js'
import type { Pixels } from './pixels.js'
import { createAskedFrames } from './video/asked-frames.js'
import { type SeenFrame, slotOf, type VideoFrame } from './video/frame-selection.js'
import { createRegisteredFrames, MIN_FAST_BITS } from './video/registered-frames.js'
import type { Purpose } from './views.js'

export { MAX_ASKED_VIDEO_SIGNALS } from './video/asked-frames.js'
export type { VideoFrame } from './video/frame-selection.js'
export { MAX_VIDEO_SIGNALS } from './video/registered-frames.js'

/** Interval at which frames are decoded and compared. */
export const FRAME_INTERVAL_MS = 250
/** The same for a registration, which also looks at frames between two that differ much. */
export const REGISTERED_INTERVAL_MS = FRAME_INTERVAL_MS / 2
/** Longer videos are refused. */
export const MAX_VIDEO_MS = 600_000

/** A frame counts as shown for at most this long. If the next one comes later, decoding may have ended early or left frames out. */
const MAX_FRAME_SPAN_MS = 2000

export interface VideoSignals {
  /** Whole milliseconds, not less than the time of any frame. */
  readonly durationMs: number
  /** By ascending time. Empty if no frame has enough structure: such a video can be neither registered nor found. */
  readonly frames: readonly VideoFrame[]
  /** Share of the duration, 0…1, in which every frame has enough structure to be found. */
  readonly protectedShare: number
  /** Set if a long video had too many signals, so that fewer frames or views were chosen. */
  readonly isThinned?: true
}

export interface VideoHasher {
  /**
   * The next time [ms] for which a frame is wanted. The frame shown then is the last that starts at or before it. A frame that is shown for longer is
   * wanted again. A decoder may skip all other frames.
   */
  readonly nextMs: number
  /**
   * Adds a decoded frame. Ignores a frame whose time is before `nextMs`. The pixels can be overwritten afterwards.
   *
   * Cost, at 0.5 megapixels: 1 ms; 5 to 15 ms if the frame is hashed in full. Memory: at most 20 MB for all frames.
   *
   * @param atMs the time for which it was wanted, or at which it starts.
   * @param pixels as for `ImageHasher`; grey is enough.
   * @param aspect width over height of the displayed frame, if its sides were reduced by different factors.
   * @throws {RangeError} when the time is not a number or beyond `MAX_VIDEO_MS`, or the sizes are out of range or do not fit the data.
   */
  add(atMs: number, pixels: Pixels, aspect?: number): void
  /**
   * Of a registration, after `add`: the time halfway between the last two frames, if these are in neighbouring intervals and differ much. Stills of
   * what is shown then are found only if it is given to `addBetween`.
   */
  readonly betweenMs: number | undefined
  /** Adds the frame of `betweenMs`, before the next one. Does nothing if none is wanted. Cost and errors as of `add`. */
  addBetween(pixels: Pixels, aspect?: number): void
  /**
   * @returns what was chosen so far: at most `MAX_VIDEO_SIGNALS` signals to register, `MAX_ASKED_VIDEO_SIGNALS` to query.
   * @throws as `checkDuration`.
   */
  result(durationMs: number): VideoSignals
}

export interface RepeatingVideoHasher extends VideoHasher {
  /**
   * Adds the last frame again, because it is still shown. Does what `add` would with the same pixels, without hashing them. They must not be
   * overwritten yet.
   * @throws {RangeError} when no frame was added, or as `add`.
   */
  addAgain(atMs: number): void
}

/** @throws {RangeError} when the duration is not a number from 0 to `MAX_VIDEO_MS`. */
export function checkDuration(durationMs: number): void {
  if (!(durationMs >= 0 && durationMs <= MAX_VIDEO_MS)) throw new RangeError('the duration is out of range')
}

export function createVideoHasher(hasher: ImageHasher, purpose: Purpose): RepeatingVideoHasher {
  const selection = purpose === 'register' ? createRegisteredFrames() : createAskedFrames()
  let nextMs = 0
  let shown: Shown | undefined
  let last: Seen | undefined
  let between: ReturnType<typeof halfwayOf>
  let foundMs = 0
  const formsAtMs = new Set<number>()

  /** @returns `undefined` if the frame has too little structure. */
  function seen(atMs: number, { whole, pixels, aspect }: Shown): SeenFrame | undefined {
    const [hash] = whole.hashes
    if (whole.quality < MIN_USABLE_QUALITY[purpose] || hash === undefined) return undefined
    return {
      atMs,
      hash,
      look(extent) {
        const { signals, isSimple, isForm } = hasher.parts(pixels, purpose, aspect, extent)
        if (isForm) formsAtMs.add(atMs)
        return isSimple ? undefined : [whole, ...signals]
      },
    }
  }

  /** How long the last frame is shown before `toMs`; 0 if it cannot be found. */
  function spanMs(toMs: number): number {
    return last?.isFound === true ? Math.min(toMs - last.atMs, MAX_FRAME_SPAN_MS) : 0
  }

  /** @param look gives the frame, if one is wanted for this time. */
  function add(givenMs: number, look: () => Shown): void {
    if (!(givenMs <= MAX_VIDEO_MS)) throw new RangeError('the time of a frame is out of range')
    between = undefined
    if (givenMs < nextMs) return
    const atMs = Math.round(givenMs)
    shown = look()
    const frame = seen(atMs, shown)
    if (selection.addBetween !== undefined) between = halfwayOf(last, { atMs, hash: frame?.hash })
    const next = { atMs, isFound: frame !== undefined && selection.add(frame), hash: frame?.hash }
    // Some files start a few milliseconds late. Their first frame counts from 0.
    foundMs += last === undefined && next.isFound && atMs < FRAME_INTERVAL_MS ? atMs : spanMs(atMs)
    last = next
    nextMs = FRAME_INTERVAL_MS * (Math.floor(atMs / FRAME_INTERVAL_MS) + 1)
  }

  return {
    get nextMs() {
      return nextMs
    },
    add(atMs, pixels, aspect) {
      add(atMs, () => ({ whole: hasher.whole(pixels), pixels, aspect }))
    },
    addAgain(atMs) {
      add(atMs, () => {
        if (shown === undefined) throw new RangeError('no frame was added')
        return shown
      })
    },
    get betweenMs() {
      return between?.atMs
    },
    addBetween(pixels, aspect) {
      if (between === undefined) return
      const { atMs, around } = between
      between = undefined
      const frame = seen(atMs, { whole: hasher.whole(pixels), pixels, aspect })
      if (frame !== undefined) selection.addBetween?.(frame, around)
    },
    result(givenMs) {
      checkDuration(givenMs)
      const durationMs = Math.max(Math.round(givenMs), last?.atMs ?? 0)
      const share = durationMs === 0 ? Number(last?.isFound ?? false) : (foundMs + spanMs(durationMs)) / durationMs
      const frames = selection
        .frames()
        .map((frame) => (formsAtMs.has(frame.atMs) ? { ...frame, isForm: true as const } : frame))
      const isThinned = selection.isThinned()
      return { durationMs, frames, protectedShare: share, ...(isThinned && { isThinned }) }
    },
  }
}

interface Seen {
  readonly atMs: number
  readonly isFound: boolean
  /** `undefined` if it has too little structure. */
  readonly hash: Hash256 | undefined
}

/** @returns the time halfway between two frames, if they are in neighbouring intervals and differ much. */
function halfwayOf(last: Seen | undefined, { atMs, hash }: Pick<Seen, 'atMs' | 'hash'>) {
  if (last?.hash === undefined || hash === undefined) return undefined
  const isNext = slotOf(atMs, FRAME_INTERVAL_MS) === slotOf(last.atMs, FRAME_INTERVAL_MS) + 1
  const isFast = atMs - last.atMs >= REGISTERED_INTERVAL_MS && distance(last.hash, hash) >= MIN_FAST_BITS
  return isNext && isFast ? { atMs: Math.round((last.atMs + atMs) / 2), around: [last.hash, hash] as const } : undefined
}

/** A frame whose parts are not hashed yet. */
interface Shown {
  readonly whole: ImageSignal
  readonly pixels: Pixels
  readonly aspect: number | undefined
}
