// Groups the frames of an animation that look the same, and keeps the pixels of those that represent it.

import { createHash } from 'node:crypto'
import { mostFrames } from '../../../src/domain/media/animations/animation.js'
import type { Rgba } from './canvas.js'

export interface Scenes {
  /** Adds a frame to the scene that it looks like, or as a new scene. @param isChosen whether the frame's scene has to be among the results. */
  add(frame: number, canvas: Rgba, durationMs: number, isChosen: boolean): void
  /** Called after a damaged frame. Browsers show no later frames, so no scene from before is dropped for a later one. */
  protect(): void
  /** @returns the scenes of the chosen frames in this order, then the others, those shown longest first. */
  best(chosen: readonly number[]): readonly Scene[]
  /** Overwrites all pixels. */
  wipe(): void
}

export interface Scene extends Rgba {
  /** For how long all its frames that were added are shown. */
  readonly shownMs: number
}

interface Kept extends Scene {
  readonly sample: Uint8Array
  /** The chosen frames of the scene, and its first one. */
  readonly frames: Set<number>
  shownMs: number
  isChosen: boolean
}

/** Maximum bytes of pixels that are copied for frames that are not chosen, to bound the time. */
const MAX_COPIED_BYTES = 64e6

/** One pixel is sampled in each cell of a grid with this many cells a side. */
const GRID_SIDE = 32
const CELLS = GRID_SIDE * GRID_SIDE
/** Two frames look the same if no sampled value differs by more than `MAX_LEVELS`, and the mean by no more than `MAX_MEAN_LEVELS`. */
const MAX_LEVELS = 16
const MAX_MEAN_LEVELS = 1

/**
 * @param file its hash decides which pixels are sampled. An attacker could paint fixed ones so that two different pictures count as the same.
 * @param size of the canvas.
 */
export function createScenes(file: Buffer, size: { readonly width: number; readonly height: number }): Scenes {
  const sampled = sampledPixels(file, size)
  const most = mostFrames(size)
  let kept: Kept[] = []
  let copiedBytes = 0
  return {
    add(frame, canvas, durationMs, isChosen) {
      const sample = sampleOf(canvas, sampled)
      const same = kept.find((scene) => looksSame(scene.sample, sample))
      if (same !== undefined) {
        same.shownMs += durationMs
        same.isChosen ||= isChosen
        if (isChosen) same.frames.add(frame)
        sample.fill(0)
        return
      }
      kept.sort((a, b) => Number(b.isChosen) - Number(a.isChosen) || b.shownMs - a.shownMs)
      const isWanted = kept.length < most || isPreferred(kept.at(-1), isChosen, durationMs)
      if (!isWanted || (!isChosen && copiedBytes >= MAX_COPIED_BYTES)) {
        sample.fill(0)
        return
      }
      if (!isChosen) copiedBytes += canvas.data.length
      if (kept.length >= most) {
        const dropped = kept.pop()
        dropped?.data.fill(0)
        dropped?.sample.fill(0)
      }
      const data = new Uint8Array(canvas.data)
      const frames = new Set([frame])
      const { width, height } = canvas
      kept.push({ data, width, height, sample, frames, shownMs: durationMs, isChosen })
    },
    protect() {
      for (const scene of kept) scene.isChosen = true
    },
    best(chosen) {
      const first = chosen.flatMap((frame) => kept.find(({ frames }) => frames.has(frame)) ?? [])
      const rest = [...kept].sort((a, b) => b.shownMs - a.shownMs)
      return [...new Set([...first, ...rest])]
    },
    wipe() {
      for (const { data, sample } of kept) {
        data.fill(0)
        sample.fill(0)
      }
      kept = []
    },
  }
}

function isPreferred(least: Kept | undefined, isChosen: boolean, durationMs: number): boolean {
  return least !== undefined && !least.isChosen && (isChosen || durationMs > least.shownMs)
}

/** Indexes of the sampled pixels. */
function sampledPixels(file: Buffer, { width, height }: { readonly width: number; readonly height: number }): Uint32Array {
  const random = createHash('shake256', { outputLength: 2 * CELLS })
    .update(file)
    .digest()
  return Uint32Array.from({ length: CELLS }, (_, cell) => {
    const x = Math.floor((((cell % GRID_SIDE) + (random[2 * cell] ?? 0) / 256) * width) / GRID_SIDE)
    const y = Math.floor(((Math.floor(cell / GRID_SIDE) + (random[2 * cell + 1] ?? 0) / 256) * height) / GRID_SIDE)
    return y * width + x
  })
}

function sampleOf({ data }: Rgba, sampled: Uint32Array): Uint8Array {
  const sample = new Uint8Array(4 * CELLS)
  for (let cell = 0; cell < CELLS; cell++) {
    const at = 4 * (sampled[cell] ?? 0)
    for (let channel = 0; channel < 4; channel++) sample[4 * cell + channel] = data[at + channel] ?? 0
  }
  return sample
}

function looksSame(a: Uint8Array, b: Uint8Array): boolean {
  let sum = 0
  for (let k = 0; k < a.length; k++) {
    const difference = Math.abs((a[k] ?? 0) - (b[k] ?? 0))
    if (difference > MAX_LEVELS) return false
    sum += difference
  }
  return sum <= MAX_MEAN_LEVELS * a.length
}
