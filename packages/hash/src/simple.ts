// Letters, icons and signs in a few flat colours: their hashes say where an edge runs, and thousands have it there. And forms, which are flat for the most part.

import type { Raster } from './raster.js'

/** Colours are told apart by so many bits of each channel. */
const BITS = 4
const LEVELS = 1 << BITS
/** How much of a simple picture three colours cover: a ground, a disc and a letter, each with those beside it; and how much of it is flat. No photograph reaches either (docs/robustness.md). */
const SIMPLE: Least = { covered: 0.98, flat: 0.76 }
/** The same of a form. Drawn documents of set a have at least 0.87 and 0.59, 99 of 100 photographs less of one or both. */
const FORM: Least = { covered: 0.86, flat: 0.58 }
/** How far the pixels beside and below a flat one may lie from it, in levels. */
const FLAT_LEVELS = 1

/** Is a picture a sign in three flat colours, or fewer? Cost: 0.9 ms at 600 × 600 pixels. */
export function isSimple(raster: Coloured): boolean {
  return hasLeast(raster, SIMPLE)
}

/** Is most of a picture flat and in three colours, as of a card, a receipt or a screen of an app? Cost: as `isSimple`. */
export function isForm(raster: Coloured): boolean {
  return hasLeast(raster, FORM)
}

type Coloured = Pick<Raster, 'width' | 'height' | 'rgb'>

interface Least {
  readonly covered: number
  readonly flat: number
}

function hasLeast({ width, height, rgb }: Coloured, least: Least): boolean {
  const counts = new Uint32Array(LEVELS ** 3)
  for (let k = 0; k < rgb.length; k += 3) {
    const colour = (levelOf(rgb[k]) * LEVELS + levelOf(rgb[k + 1])) * LEVELS + levelOf(rgb[k + 2])
    counts[colour] = (counts[colour] ?? 0) + 1
  }
  const covered = takeFirst(counts) + takeFirst(counts) + takeFirst(counts)
  return covered >= least.covered * width * height && flatShareOf({ width, height, rgb }) >= least.flat
}

function levelOf(value = 0): number {
  return value >> (8 - BITS)
}

/** Takes the colour that most pixels have from the counts, with all beside it. @returns how many pixels that are. */
function takeFirst(counts: Uint32Array): number {
  let first = 0
  for (let colour = 1; colour < counts.length; colour++) if ((counts[colour] ?? 0) > (counts[first] ?? 0)) first = colour
  const [red, green, blue] = [first >> (2 * BITS), (first >> BITS) % LEVELS, first % LEVELS]
  const beside = (level: number) => [level - 1, level, level + 1].filter((near) => near >= 0 && near < LEVELS)
  let sum = 0
  for (const r of beside(red)) {
    for (const g of beside(green)) {
      for (const b of beside(blue)) {
        const colour = (r * LEVELS + g) * LEVELS + b
        sum += counts[colour] ?? 0
        counts[colour] = 0
      }
    }
  }
  return sum
}

function flatShareOf({ width, height, rgb }: Coloured): number {
  let flat = 0
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = 3 * (y * width + x)
      if (isAlike(rgb, at, at + 3) && isAlike(rgb, at, at + 3 * width)) flat++
    }
  }
  return flat / Math.max(1, (width - 1) * (height - 1))
}

function isAlike(rgb: Uint8Array, one: number, other: number): boolean {
  for (let k = 0; k < 3; k++) if (Math.abs((rgb[one + k] ?? 0) - (rgb[other + k] ?? 0)) > FLAT_LEVELS) return false
  return true
}
