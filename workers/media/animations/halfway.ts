// Keeps the canvas of the frame that may be wanted halfway between two looked frames.

import type { LookedFrame } from '../../../packages/hash/src/video/animation-frames.js'
import type { Rgba } from './canvas.js'

/** Larger canvases are not copied, to bound the memory. */
const MAX_COPIED_PIXELS = 4_000_000

export interface Halfway {
  /** Copies the canvas, if this is a frame halfway. */
  keep(index: number, canvas: Rgba): void
  /** @returns the canvas of this frame, if it was kept last. It is overwritten by the next `keep` or by `wipe`. */
  take(index: number | undefined): Rgba | undefined
  wipe(): void
}

export function createHalfway(looked: readonly LookedFrame[], { width, height }: Pick<Rgba, 'width' | 'height'>): Halfway {
  const wanted = new Set(width * height > MAX_COPIED_PIXELS ? [] : looked.flatMap(({ between = [] }) => between))
  const data = new Uint8Array(wanted.size === 0 ? 0 : 4 * width * height)
  let kept: number | undefined
  return {
    keep(index, canvas) {
      if (!wanted.has(index)) return
      data.set(canvas.data)
      kept = index
    },
    take: (index) => (index !== undefined && index === kept ? { data, width, height } : undefined),
    wipe: () => data.fill(0),
  }
}
