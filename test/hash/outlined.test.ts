// Pictures cut to an outline: what is registered of them, and when a page that shows one is no form.

import t from 'tap'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { rasterOf } from '../../packages/hash/src/raster.js'
import { isForm } from '../../packages/hash/src/simple.js'
import { viewsOf } from '../../packages/hash/src/views.js'
import { hasher } from './deframe/nearest.js'
import { wordsFrom } from './synthetic.js'

const kernel = loadFrameKernelSync()
const SIDE = 640
const SEEDS = [1, 2, 3]

/** Whether a point, given from −1 to 1, belongs to the picture. */
type Outline = (x: number, y: number) => boolean

/** Half of its box is background: too much for a shape. Half of it is a rectangle. */
const diamond: Outline = (x, y) => Math.abs(x) + Math.abs(y) < 1
const heart: Outline = (x, y) => {
  const [a, b] = [x * 1.15, 0.3 - y * 1.2]
  return (a * a + b * b - 1) ** 3 - a * a * b ** 3 < 0
}

/** Noise in three colours: with as few colours as a form has, and not flat. */
function speckled(seed: number): Pixels {
  const word = wordsFrom(seed)
  const data = new Uint8Array(3 * SIDE * SIDE).fill(60)
  for (let k = 0; k < data.length; k += 3) data[k] = [60, 130, 200][(word() >>> 16) % 3] ?? 0
  return { data, width: SIDE, height: SIDE, channels: 3 }
}

/** A picture cut to an outline in the middle of a plain square. `size`: its side, relative to the square's. */
function outlined(picture: Pixels, outline: Outline, size: number): Pixels {
  const data = new Uint8Array(3 * SIDE * SIDE).fill(240)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [across, down] = [((2 * x) / SIDE - 1) / size, ((2 * y) / SIDE - 1) / size]
      if (Math.max(Math.abs(across), Math.abs(down)) > 1 || !outline(across, down)) continue
      const k = 3 * (y * SIDE + x)
      data.set(picture.data.subarray(k, k + 3), k)
    }
  }
  return { data, width: SIDE, height: SIDE, channels: 3 }
}

t.test('the inside of an outline is asked, and never registered: forms may have the same outline', async (t) => {
  for (const seed of SEEDS) {
    const picture = outlined(speckled(seed), diamond, 1)
    const insidesFor = (purpose: 'register' | 'query') =>
      kernel.measure(picture, (raster) => viewsOf(raster, 1, purpose).filter(({ isInside }) => isInside === true).length)
    t.same([insidesFor('register'), insidesFor('query')], [0, 1], `${seed}`)
  }
})

t.test('a form around a photograph in an outline, or a small one in a heart, is compared as a picture', async (t) => {
  for (const [name, outline, size] of [
    ['a diamond', diamond, 0.95],
    ['a small heart', heart, 0.5],
  ] as const) {
    for (const seed of SEEDS) {
      const page = outlined(speckled(seed), outline, size)
      t.ok(isForm(rasterOf(page)), `${name}, ${seed}: the page looks like a form`)
      t.equal(hasher.hash(page, 'query').isForm, false, `${name}, ${seed}`)
    }
  }
})
