// Frames as a selection sees them, made up by fast-check: their hashes are near those of earlier frames, or far from all.

import fc from 'fast-check'
import { HASH_BITS, HASH_BYTES, type Hash256, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import type { ImageSignal } from '../../../packages/hash/src/image-hasher.js'
import type { FrameSelection, VideoFrame } from '../../../packages/hash/src/video/frame-selection.js'
import { type Extent, VIEW_KINDS, type ViewKind } from '../../../packages/hash/src/views.js'
import { wordsFrom } from '../synthetic.js'

export interface MadeFrame {
  readonly atMs: number
  readonly hash: Hash256
  /** How many views it has of each kind, besides the whole. */
  readonly views: Readonly<Partial<Record<ViewKind, number>>>
  readonly isSign: boolean
}

const made = fc.record({
  /** Which earlier frame it is like; none if there are not so many. */
  like: fc.nat({ max: 12 }),
  flippedBits: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 60 })),
  steps: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20 })),
  views: fc.record({ deframed: fc.nat({ max: 3 }), piece: fc.nat({ max: 9 }), crop: fc.nat({ max: 5 }) }),
  isSign: fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
  seed: fc.nat(),
})

export const sequences = fc.array(made, { maxLength: 60 }).map((all): MadeFrame[] => {
  const frames: MadeFrame[] = []
  let atMs = 0
  for (const { like, flippedBits, steps, seed, ...rest } of all) {
    const earlier = frames.at(-1 - like)
    const hash = earlier === undefined ? randomHash(seed) : flipped(earlier.hash, flippedBits, seed)
    frames.push({ atMs, hash, ...rest })
    atMs += 250 * steps
  }
  return frames
})

export function randomHash(seed: number): Hash256 {
  const word = wordsFrom(seed)
  return hashFromBytes(Uint8Array.from({ length: HASH_BYTES }, () => word() >>> 24))
}

/** @returns a hash exactly so many bits away. */
export function flipped(hash: Hash256, bits: number, seed: number): Hash256 {
  const word = wordsFrom(seed)
  const order = Array.from({ length: HASH_BITS }, (_, bit) => ({ bit, key: word() })).sort((a, b) => a.key - b.key)
  const bytes = Uint8Array.from(hash)
  for (const { bit } of order.slice(0, bits)) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

/** Counts differing bits without the table of `distance`. */
export function apart(a: Hash256, b: Hash256): number {
  const written = (hash: Hash256) => Array.from(hash, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const other = written(b)
  return Array.from(written(a)).filter((bit, i) => bit !== other[i]).length
}

/** How many views of each kind are hashed, at most. */
const MOST = {
  full: { deframed: 3, crop: 5 },
  thin: { deframed: 3, crop: 2 },
  pieces: { deframed: 3, piece: 9 },
  likely: { deframed: 3 },
} as const

export function signalsOf({ hash, views }: MadeFrame, extent: keyof typeof MOST): ImageSignal[] {
  const signal = (view: ViewKind) => ({ type: 'pdq-area', view, quality: 100, hashes: [hash] }) as const
  const most: Partial<Record<ViewKind, number>> = MOST[extent]
  const parts = VIEW_KINDS.flatMap((view) =>
    Array.from({ length: Math.min(views[view] ?? 0, most[view] ?? 0) }, () => signal(view)),
  )
  return [{ ...signal('whole'), type: 'pdq' }, signal('whole'), ...parts]
}

/** Adds all frames. @returns what was chosen, and which frames can be found. */
export function chosenBy(
  selection: FrameSelection,
  frames: readonly MadeFrame[],
): { readonly frames: VideoFrame[]; readonly found: boolean[] } {
  const found = frames.map((frame) =>
    selection.add({
      atMs: frame.atMs,
      hash: frame.hash,
      look: (extent) => (frame.isSign ? undefined : signalsOf(frame, known(extent))),
    }),
  )
  return { frames: selection.frames(), found }
}

function known(extent: Extent): keyof typeof MOST {
  if (extent === 'all' || extent === 'window' || extent === 'frame') throw new Error('no selection looks at that')
  return extent
}
