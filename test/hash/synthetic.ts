// Pixels to hash, generated from a seed.

import type { Pixels } from '../../packages/hash/src/pixels.js'
import type { Transform } from '../../packages/hash/src/transforms.js'
import { scenePixels } from '../helpers/pictures.js'

/** The generator of Numerical Recipes, which the reference vectors use: 32-bit words. */
export function wordsFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
}

export function drawn(seed: number, width: number, height: number): Pixels {
  return { ...scenePixels(seed, { width, height }), channels: 3 }
}

/** With grain, as a camera's pictures have. Without it, a scene on a plain ground counts as a form. */
export function photographed(seed: number, width: number, height: number): Pixels {
  const word = wordsFrom(seed)
  const data = Uint8Array.from(drawn(seed, width, height).data, (level) =>
    Math.min(255, Math.max(0, level + (word() >>> 28) - 8)),
  )
  return { data, width, height, channels: 3 }
}

/** Noise on a slope: every pixel matters, and every running sum rounds. */
export function noisy(seed: number, width: number, height: number, channels: 1 | 3 | 4): Pixels {
  const word = wordsFrom(seed)
  const rowBytes = width * channels
  const data = Uint8Array.from({ length: rowBytes * height }, (_, k) => (127 * (k % rowBytes)) / rowBytes + (word() >>> 25))
  return { data, width, height, channels }
}

/** The picture rotated or mirrored pixel by pixel. */
export function rotatedPixels(picture: Pixels, { topBottom, leftRight, transposes }: Transform): Pixels {
  const { data, width, height, channels } = picture
  const [toWidth, toHeight] = transposes ? [height, width] : [width, height]
  const to = new Uint8Array(data.length)
  for (let y = 0; y < toHeight; y++) {
    for (let x = 0; x < toWidth; x++) {
      const [row, column] = transposes ? [x, y] : [y, x]
      const from = (topBottom ? height - 1 - row : row) * width + (leftRight ? width - 1 - column : column)
      for (let c = 0; c < channels; c++) to[(y * toWidth + x) * channels + c] = data[from * channels + c] ?? 0
    }
  }
  return { data: to, width: toWidth, height: toHeight, channels }
}

/** The scene of a seed in grey, as decoders deliver frames. */
export function greyScene(seed: number, size: { readonly width: number; readonly height: number }): Pixels {
  const { data } = scenePixels(seed, size)
  const grey = Uint8Array.from({ length: size.width * size.height }, (_, i) => data[3 * i + 1] ?? 0)
  return { data: grey, ...size, channels: 1 }
}
