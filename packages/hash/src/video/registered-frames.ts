// Chooses the frames to register of a video: full frames at intervals, with many views, and between them frames with few views that look different.

import { distance, HASH_BITS, type Hash256 } from '../hash256.js'
import type { ImageSignal } from '../image-hasher.js'
import { MAX_THIN } from '../views.js'
import { type FrameSelection, slotOf } from './frame-selection.js'

/** Maximum signals of a registered video. */
export const MAX_VIDEO_SIGNALS = 10_000

/** There is at most one full frame in each interval. */
const FULL_INTERVAL_MS = 2000
/** How often the interval is doubled if there are too many signals. After that, frames are dropped, thin ones first. */
const MAX_WIDENINGS = 2
/** A full frame is at least this far from all earlier full frames. */
const MIN_FULL_BITS = 24
/** A thin frame is at least this far from all frames that are kept. */
const MIN_THIN_BITS = 50
/** A sparse frame is nearer, but at least this far. A still in a screenshot has to be within 40 bits, and is some bits from its own frame anyway. */
const MIN_SPARSE_BITS = 36
/** Two frames in a row that differ by so much are too far apart for a still between them: the frame halfway is looked at, too. */
export const MIN_FAST_BITS = 80
/** The frame halfway is at least this far from all frames that are kept, and from the two around it. */
const MIN_BETWEEN_BITS = 72

/**
 * A full frame has all views but pieces and tilted ones. A thin frame has the whole, its first deframed view and a crop. A sparse frame has the
 * whole. So has a frame between two.
 *
 * Of 24 edits of 63 clips, full and thin frames together found 88.9 %, with 967 signals a minute; one frame a second with all views found 89.4 %,
 * with 1,621. In that measurement full frames had pieces, and thin frames had no crops. Of 75 edited clips, pieces of full frames then found none,
 * and two crops of thin frames found four more, with as many signals. Of 155 edited clips, two more deframed views of thin frames found none, with 46
 * more signals a minute. Since queries have more crops (`undone-edits.ts`), a second crop of thin frames finds none of 783 edits. Sparse frames cost
 * a third of its signals, and of 62 stills in chats they find five more. Frames between two cost 58 signals a minute, and of 783 edits find five more
 * (bench/record/video.md).
 *
 * If there are too many signals, the interval of full frames becomes 4, then 8 seconds, and full frames in between become thin. After that, frames
 * are dropped one by one: first those that are not full, starting with the one that was least different when it was added, then full ones; of
 * equals the latest.
 *
 * Cost of a frame: its distances from at most 4,801 kept ones, 0.2 ms, and hashing it if it is kept.
 * @param maxSignals for tests only.
 */
export function createRegisteredFrames(maxSignals = MAX_VIDEO_SIGNALS): FrameSelection {
  const kept: Kept[] = []
  /**
   * Frames that were full when they were added. Later frames are compared with these, so that the choice does not depend on when the interval was
   * widened.
   */
  const fulls: Pick<Kept, 'atMs' | 'hash'>[] = []
  let intervalMs = FULL_INTERVAL_MS
  let signalCount = 0
  let isThinned = false

  function makeThin(frame: Kept): void {
    const dropped = (['deframed', 'crop'] as const).flatMap((kind) =>
      frame.signals.filter(({ view }) => view === kind).slice(MAX_THIN[kind]),
    )
    const signals = frame.signals.filter((signal) => !dropped.includes(signal))
    signalCount -= frame.signals.length - signals.length
    frame.isFull = false
    frame.signals = signals
  }

  function widen(): void {
    intervalMs *= 2
    let slot: number | undefined
    for (const frame of kept.filter(({ isFull }) => isFull)) {
      const its = slotOf(frame.atMs, intervalMs)
      if (its === slot) makeThin(frame)
      slot = its
    }
  }

  function dropOne(): void {
    const rank = ({ isFull, bits }: Kept) => (isFull ? HASH_BITS + 1 : bits)
    const least = Math.min(...kept.map(rank))
    const [dropped] = kept.splice(
      kept.findLastIndex((frame) => rank(frame) === least),
      1,
    )
    signalCount -= dropped?.signals.length ?? 0
  }

  function bound(): void {
    isThinned ||= signalCount > maxSignals
    while (signalCount > maxSignals && intervalMs < FULL_INTERVAL_MS << MAX_WIDENINGS) widen()
    while (signalCount > maxSignals) dropOne()
  }

  return {
    add({ atMs, hash, look }) {
      const bits = nearestBits(hash, kept)
      const before = fulls.at(-1)
      const isFirst = (ms: number) => before === undefined || slotOf(before.atMs, ms) !== slotOf(atMs, ms)
      const isFull = isFirst(FULL_INTERVAL_MS) && nearestBits(hash, fulls) >= MIN_FULL_BITS
      if (!isFull && bits < MIN_SPARSE_BITS) return true
      const signals = look(isFull ? 'full' : bits < MIN_THIN_BITS ? 'sparse' : 'thin')
      if (signals === undefined) return false
      const frame: Kept = { atMs, hash, bits, isFull, signals }
      kept.push(frame)
      signalCount += signals.length
      if (isFull) {
        if (!isFirst(intervalMs)) makeThin(frame)
        fulls.push({ atMs, hash })
      }
      bound()
      return true
    },
    addBetween({ atMs, hash, look }, around) {
      const bits = nearestBits(hash, kept)
      const isApart = around.every((other) => distance(hash, other) >= MIN_BETWEEN_BITS)
      const signals = isApart && bits >= MIN_BETWEEN_BITS ? look('sparse') : undefined
      if (signals === undefined) return
      const place = kept.findLastIndex((frame) => frame.atMs < atMs) + 1
      kept.splice(place, 0, { atMs, hash, bits, isFull: false, signals })
      signalCount += signals.length
      bound()
    },
    frames: () => kept.map(({ atMs, signals }) => ({ atMs, signals })),
    isThinned: () => isThinned,
  }
}

interface Kept {
  readonly atMs: number
  readonly hash: Hash256
  /** Distance to the nearest frame that was kept when this one was added. */
  readonly bits: number
  isFull: boolean
  signals: readonly ImageSignal[]
}

function nearestBits(hash: Hash256, others: readonly { readonly hash: Hash256 }[]): number {
  let least = HASH_BITS
  for (const { hash: other } of others) least = Math.min(least, distance(hash, other, least))
  return least
}
