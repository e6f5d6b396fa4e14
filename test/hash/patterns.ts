// Pictures that are hard for frame detection: many long edges, none, or edges where the borders of the oracle are.

import fc from 'fast-check'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { noisy, wordsFrom } from './synthetic.js'

type Shade = (x: number, y: number) => readonly number[]

export function shaded(width: number, height: number, shade: Shade, channels: 1 | 3 | 4 = 3): Pixels {
  const data = new Uint8Array(width * height * channels)
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k += channels) data.set(shade(x, y).slice(0, channels), k)
  }
  return { data, width, height, channels }
}

export function chessboard(width: number, height: number, fieldPx: number): Pixels {
  return shaded(width, height, (x, y) => {
    const level = (Math.floor(x / fieldPx) + Math.floor(y / fieldPx)) % 2 === 0 ? 20 : 230
    return [level, level, level]
  })
}

/** Thin lines on white, as in a spreadsheet. */
export function lined(width: number, height: number, acrossPx: number, downPx: number): Pixels {
  return shaded(width, height, (x, y) => (x % acrossPx === 0 || y % downPx === 0 ? [180, 180, 190] : [255, 255, 255]))
}

export function striped(width: number, height: number, period: number): Pixels {
  return shaded(width, height, (x) => (x % period === 0 ? [255, 0, 40] : [10, 200, 40]))
}

export function sloping(width: number, height: number): Pixels {
  return shaded(width, height, (x, y) => [(255 * x) / width, (255 * y) / height, (127 * (x + y)) / (width + height)])
}

export function plain(width: number, height: number, level: number): Pixels {
  return shaded(width, height, () => [level, level, level])
}

/** Overlapping rectangles of one colour each, with a little noise. */
export function pasted(seed: number, width: number, height: number): Pixels {
  const word = wordsFrom(seed)
  const below = (count: number) => (word() >>> 8) % Math.max(1, count)
  const picture = plain(width, height, below(256))
  const { data } = picture
  for (let n = 0; n < 12; n++) {
    const [left, top] = [below(width), below(height)]
    const [right, bottom] = [left + 1 + below(width - left), top + 1 + below(height - top)]
    const colour = [below(256), below(256), below(256)]
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) data.set(colour, 3 * (y * width + x))
  }
  for (let n = 0; n < data.length / 8; n++) data[below(data.length)] = below(256)
  return picture
}

/** A picture pasted onto another one. */
export function onto(pasted: Pixels, ground: Pixels, left: number, top: number): Pixels {
  const data = Uint8Array.from(ground.data)
  for (let y = 0; y < pasted.height; y++)
    data.set(pasted.data.subarray(3 * y * pasted.width, 3 * (y + 1) * pasted.width), 3 * ((top + y) * ground.width + left))
  return { ...ground, data }
}

/** Pictures of any of these kinds, with the given sides. */
export function pictures(side: fc.Arbitrary<number>): fc.Arbitrary<Pixels> {
  const period = fc.integer({ min: 1, max: 40 })
  return fc.oneof(
    fc.tuple(side, side, period).map(([width, height, px]) => chessboard(width, height, px)),
    fc.tuple(side, side, period, period).map(([width, height, across, down]) => lined(width, height, across, down)),
    fc.tuple(side, side, period).map(([width, height, px]) => striped(width, height, px)),
    fc.tuple(side, side).map(([width, height]) => sloping(width, height)),
    fc.tuple(side, side, fc.integer({ min: 0, max: 255 })).map(([width, height, level]) => plain(width, height, level)),
    fc.tuple(fc.nat(), side, side).map(([seed, width, height]) => pasted(seed, width, height)),
    fc
      .tuple(fc.nat(), side, side, fc.constantFrom(1 as const, 3 as const, 4 as const))
      .map(([seed, width, height, channels]) => noisy(seed, width, height, channels)),
  )
}
