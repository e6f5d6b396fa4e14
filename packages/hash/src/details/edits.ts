// Simulates typical edits of a picture, so that details that survive them can be selected.

import type { Pixels } from '../pixels.js'

/** An edited picture. `mapPoint` maps a point of the original to the same point of the edited picture; coordinates are shares of the sides, 0…1. */
export interface Edit {
  readonly pixels: Pixels
  readonly mapPoint: (x: number, y: number) => readonly [x: number, y: number]
}

/**
 * Yields six edits: scaled down to 55 %, cropped on the left and top, rotated by 7° and by -16°, more contrast with noise, blurred (scaled down and
 * up again). Each one changes which corners are found and how they look.
 *
 * @param luma one channel, about 480 pixels a side.
 * Cost: about 8 ms.
 */
export function* editsOf(luma: Pixels): Generator<Edit, void, void> {
  yield scaled(luma, 0.55)
  yield cropped(luma, 0.17, 0.08)
  yield rotated(luma, 7)
  yield rotated(luma, -16)
  yield contrasted(luma, 1.35, 14)
  yield scaled(scaled(luma, 0.4).pixels, 1.8)
}

const SAME = (x: number, y: number) => [x, y] as const

function scaled(from: Pixels, factor: number): Edit {
  const width = Math.max(1, Math.round(from.width * factor))
  const height = Math.max(1, Math.round(from.height * factor))
  const [across, down] = [from.width / width, from.height / height]
  const pixels = pixelsFrom(width, height, (x, y) =>
    meanAt(from, x * across, y * down, Math.max(1, across), Math.max(1, down)),
  )
  return { pixels, mapPoint: SAME }
}

/** @param left, top shares of the sides that are cut off, 0…1. */
function cropped(from: Pixels, left: number, top: number): Edit {
  const [dx, dy] = [Math.round(from.width * left), Math.round(from.height * top)]
  const pixels = pixelsFrom(from.width - dx, from.height - dy, (x, y) => at(from, x + dx, y + dy))
  return {
    pixels,
    mapPoint: (x, y) => [(x * from.width - dx) / pixels.width, (y * from.height - dy) / pixels.height],
  }
}

/** Rotates about the centre. Beyond the edges, the outermost pixels are repeated. */
function rotated(from: Pixels, degrees: number): Edit {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const [middleX, middleY] = [from.width / 2, from.height / 2]
  const pixels = pixelsFrom(from.width, from.height, (x, y) => {
    const [dx, dy] = [x + 0.5 - middleX, y + 0.5 - middleY]
    return interpolated(from, middleX + cos * dx + sin * dy - 0.5, middleY - sin * dx + cos * dy - 0.5)
  })
  return {
    pixels,
    mapPoint(x, y) {
      const [dx, dy] = [x * from.width - middleX, y * from.height - middleY]
      return [(middleX + cos * dx - sin * dy) / from.width, (middleY + sin * dx + cos * dy) / from.height]
    },
  }
}

/** @param noise [grey levels] the maximum change in either direction. */
function contrasted(from: Pixels, factor: number, noise: number): Edit {
  let state = 1
  const pixels = pixelsFrom(from.width, from.height, (x, y) => {
    // A linear congruential generator (Numerical Recipes), because the noise has to be the same each time.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (at(from, x, y) - 128) * factor + 128 + (state / 2 ** 32 - 0.5) * 2 * noise
  })
  return { pixels, mapPoint: SAME }
}

function pixelsFrom(width: number, height: number, value: (x: number, y: number) => number): Pixels {
  const data = new Uint8ClampedArray(width * height)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[y * width + x] = value(x, y)
  return { data, width, height, channels: 1 }
}

function at({ data, width, height }: Pixels, x: number, y: number): number {
  const column = Math.max(0, Math.min(width - 1, x))
  return data[Math.max(0, Math.min(height - 1, y)) * width + column] ?? 0
}

/** Bilinear. */
function interpolated(from: Pixels, x: number, y: number): number {
  const [column, row] = [Math.floor(x), Math.floor(y)]
  const [right, down] = [x - column, y - row]
  const upper = at(from, column, row) * (1 - right) + at(from, column + 1, row) * right
  const lower = at(from, column, row + 1) * (1 - right) + at(from, column + 1, row + 1) * right
  return upper * (1 - down) + lower * down
}

/** The mean of four interpolated samples, spread over the area that one pixel of the new picture covers. */
function meanAt(from: Pixels, x: number, y: number, across: number, down: number): number {
  let sum = 0
  for (const i of [0.25, 0.75]) {
    for (const j of [0.25, 0.75]) sum += interpolated(from, x + i * across - 0.5, y + j * down - 0.5)
  }
  return sum / 4
}
