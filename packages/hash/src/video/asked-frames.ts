// Chooses the frames by which a video is looked for: often, because registered frames are few.

import { distance, type Hash256 } from '../hash256.js'
import type { Extent, ViewKind } from '../views.js'
import { countSignals, type FrameSelection, type SeenFrame, slotOf, type VideoFrame } from './frame-selection.js'

/** Most signals of a video in a query: as many as a call of `POST /v1/match` takes. */
export const MAX_ASKED_VIDEO_SIGNALS = 8000

/** A frame nearer than this to the one before finds nothing more. */
const MIN_ASKED_BITS = 10
/** One frame in each such interval has pieces or crops, in turn: all would be more than a picture may have. */
const MORE_INTERVAL_MS = 1000
const MORE: readonly Extent[] = ['pieces', 'crops']
const MORE_VIEWS: ReadonlySet<ViewKind> = new Set<ViewKind>(['piece', 'tilted'])
/** The first interval that leaves frames out. */
const WIDER_INTERVAL_MS = 500

/**
 * Queries each frame that differs from the one before by its whole and its likeliest deframed views, and one frame a second by more: in turn by pieces
 * and crops, and by other crops. When there are too many signals it leaves out these first; then it keeps only the first frame of each half second,
 * second, two seconds and so on.
 *
 * Few views of many frames find more than many views of few. The wholes and deframed views found 87.8 % of 24 edits at four frames a second, and 87.6 % at
 * two; all views found 89.4 % at four, and 84.7 % at one. Of 75 edited clips, four deframed views found one more than three did and as many as all did;
 * pieces added none: they find registered pictures, which have them, too. What crops find: bench/record/video.md.
 *
 * @param maxSignals for tests.
 */
export function createAskedFrames(maxSignals = MAX_ASKED_VIDEO_SIGNALS): FrameSelection {
  let kept: VideoFrame[] = []
  let signalCount = 0
  let isThinned = false
  let intervalMs = 0
  let before: { readonly hash: Hash256; readonly isFound: boolean } | undefined

  function thinOut(): void {
    if (!isThinned) {
      isThinned = true
      kept = kept.map(({ atMs, signals }) => ({ atMs, signals: signals.filter(({ view }) => !MORE_VIEWS.has(view)) }))
    } else {
      intervalMs = Math.max(WIDER_INTERVAL_MS, 2 * intervalMs)
      kept = kept.filter(({ atMs }, i) => isFirst(atMs, kept[i - 1], intervalMs))
    }
    signalCount = countSignals(kept)
  }

  function isKept({ atMs, look }: SeenFrame): boolean {
    const previous = kept.at(-1)
    if (intervalMs > 0 && !isFirst(atMs, previous, intervalMs)) return true
    const hasMore = !isThinned && isFirst(atMs, previous, MORE_INTERVAL_MS)
    const signals = look(hasMore ? (MORE[slotOf(atMs, MORE_INTERVAL_MS) % MORE.length] ?? 'likely') : 'likely')
    if (signals === undefined) return false
    kept.push({ atMs, signals })
    signalCount += signals.length
    while (signalCount > maxSignals && kept.length > 1) thinOut()
    return true
  }

  return {
    add(frame) {
      if (before === undefined || distance(frame.hash, before.hash) >= MIN_ASKED_BITS)
        before = { hash: frame.hash, isFound: isKept(frame) }
      return before.isFound
    },
    frames: () => [...kept],
    isThinned: () => isThinned,
  }
}

function isFirst(atMs: number, previous: VideoFrame | undefined, intervalMs: number): boolean {
  return previous === undefined || slotOf(previous.atMs, intervalMs) !== slotOf(atMs, intervalMs)
}
