// Estimates the cost of decoding an animation by the headers of its frames.

import { MAX_CHOSEN_FRAMES } from '../../../../packages/hash/src/file-frames.js'
import { MAX_PIXELS } from '../../../../packages/hash/src/pixels.js'
import type { MediaFormat } from '../media-formats.js'
import { type Animation, type DrawingCost, mostFrames, planOf } from './animation.js'
import { pngAnimation } from './apng.js'
import { avifAnimation, chosenSamples } from './avif.js'
import { gifAnimation } from './gif.js'
import { webpAnimation } from './webp.js'

/** Measured on a processor of 2022, rounded up. */
export const DRAWING_COSTS = {
  gif: { msPerFrame: 0.1, nsPerPixel: 15 },
  webp: { msPerFrame: 1.5, nsPerPixel: 35 },
  png: { msPerFrame: 1, nsPerPixel: 20 },
} as const satisfies Readonly<Record<string, DrawingCost>>

/** For the canvas, a copy to restore, the pixels of a frame, and the still picture made of one. */
const BYTES_PER_PIXEL = 24
const BYTES_PER_KEPT_PIXEL = 4

export interface AnimationCost {
  readonly timeMs: number
  readonly memoryMb: number
}
const STILL: AnimationCost = { timeMs: 0, memoryMb: 0 }

/**
 * @param head the file, or its beginning; frames after it are not counted.
 * @returns the cost of decoding and hashing the frames; nothing for a still picture.
 * @throws {RangeError} when the file ends within its header. @throws {TooManyBoxes}
 */
export function animationCost(head: Buffer, format: MediaFormat): AnimationCost {
  return COST_OF[format]?.(head) ?? STILL
}

/** By format; `undefined` for formats without frames, and for those whose frames `picture-cost.ts` counts with the picture. */
const COST_OF: Readonly<Record<MediaFormat, ((head: Buffer) => AnimationCost) | undefined>> = {
  jpeg: undefined,
  png: (head) => drawnCost(pngAnimation(head), DRAWING_COSTS.png, head.length),
  webp: (head) => drawnCost(webpAnimation(head), DRAWING_COSTS.webp, head.length),
  gif: (head) => drawnCost(gifAnimation(head), DRAWING_COSTS.gif, head.length),
  avif: sequenceCost,
  tiff: undefined,
  heif: undefined,
  bmp: undefined,
  jxl: undefined,
}

function drawnCost(animation: Animation | undefined, cost: DrawingCost, headBytes: number): AnimationCost {
  if (animation === undefined || animation.frames.length < 2) return STILL
  const { timeMs } = planOf(animation, cost, headBytes, MAX_CHOSEN_FRAMES)
  const canvas = animation.width * animation.height
  const areas = animation.frames.map(({ width, height }) => width * height).filter((area) => area <= MAX_PIXELS)
  const largest = areas.reduce((most, area) => Math.max(most, area), canvas)
  return {
    timeMs,
    memoryMb: (largest * BYTES_PER_PIXEL + canvas * BYTES_PER_KEPT_PIXEL * (mostFrames(animation) + 1)) / 1e6,
  }
}

function sequenceCost(head: Buffer): AnimationCost {
  const sequence = avifAnimation(head)
  if (sequence === undefined) return STILL
  return { timeMs: chosenSamples(sequence, head.length, MAX_CHOSEN_FRAMES).timeMs, memoryMb: 0 }
}
