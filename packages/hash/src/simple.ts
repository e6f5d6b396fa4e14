// Recognises letters, icons and signs in a few flat colours, whose hashes are shared by thousands of pictures; and forms, which are mostly flat.

import { cutOut } from './pixels.js'
import type { Raster } from './raster.js'
import { areaOf, type Rectangle } from './rectangle.js'

/** Bits of each channel by which colours are distinguished. */
const BITS = 4
const LEVELS = 1 << BITS
/**
 * Minimum shares of a sign: covered by three colours and their neighbours (background, disc, letter), and flat. No photograph reaches either
 * (docs/robustness.md).
 */
const SIMPLE: Least = { covered: 0.98, flat: 0.76 }
/**
 * The same for strips of text, such as a banner or a headline, at least `MIN_STRIP_ASPECT` times as wide as high: every post that shows one would match it.
 * Drawn ones of set a have at least 0.97 and 0.74. Receipts and cards can have as much, and are not as wide.
 */
const STRIP: Least = { covered: 0.95, flat: 0.7 }
const MIN_STRIP_ASPECT = 2
/**
 * The same for a part of a query that takes less than `MAX_BADGE_AREA` of it, such as a logo in a corner, and that has text as well; and for a strip in
 * a query, such as a headline under a photograph. Drawn ones of set a have at least 0.86 and 0.39, and 0.95 and 0.58. Of 528 parts that showed an edited
 * tuning photograph, 14 were as flat as a badge, all of them without text, and none like a strip.
 */
const BADGE: Least = { covered: 0.84, flat: 0.36 }
const MAX_BADGE_AREA = 0.1
const PASTED_STRIP: Least = { covered: 0.93, flat: 0.54 }
/** The same for pages such as receipts and screens of apps. Drawn ones of test set a have at least 0.87 and 0.59. */
const PAGE: Least = { covered: 0.86, flat: 0.58 }
/** The same for coloured cards, which need text as well. Drawn ones of set a have at least 0.82 and 0.52; 94 of 99 photographs have less of one. */
const CARD: Least = { covered: 0.78, flat: 0.48 }
/**
 * Minimum share of a form that is flat although it is shaded, such as a card with a gradient; with text as well. Drawn ones have 0.79 to 0.84. Of 99
 * tuning photographs and four edits of each, none with text has more than 0.70.
 */
const SHADED_FLAT = 0.76
/**
 * A part of a form that shows a photograph: at least this share of it, and less flat than that. Drawn forms of set a have no part of 0.14 with less
 * than 0.47; screenshots of tuning photographs in a chat have 0.23 with 0.12 in the median. Portraits of identity cards are smaller.
 */
const MIN_PHOTOGRAPH_AREA = 0.2
const MAX_PHOTOGRAPH_FLAT = 0.25
/**
 * Text: of the pixels that differ from one beside or below, at least this share differs by `SHARP_LEVELS`. Drawn cards of set a have at least 0.07.
 * Of 229 edits of tuning photographs that are otherwise like cards, half have less than 0.02.
 */
const MIN_SHARP_SHARE = 0.07
const SHARP_LEVELS = 64
/**
 * A picture is grey when at most this share of its pixels differs more between channels. Its greys are counted in finer steps than colours
 * (`GREY_BITS`). In the coarse steps of `BITS`, three greys and their neighbours cover more than half of all greys, and one grey photograph in ten would
 * count as a form.
 */
const MAX_COLOURED_SHARE = 0.05
const MAX_GREY_CHROMA = 16
const GREY_BITS = 6
/** White text on a light blue is sharp in red alone. */
const GREEN: readonly number[] = [1]
const ALL_CHANNELS: readonly number[] = [0, 1, 2]
/** Maximum difference between a flat pixel and those to its right and below it, in levels. */
const FLAT_LEVELS = 1

/**
 * Whether a picture is a sign in at most three flat colours, or a strip of text. Cost: 0.9 ms at 600 × 600 pixels.
 * @param aspect width over height of the picture, which a raster may not keep.
 */
export function isSimple(raster: Coloured, aspect = raster.width / raster.height): boolean {
  return hasLeast(raster, SIMPLE) || (aspect >= MIN_STRIP_ASPECT && hasLeast(raster, STRIP) && hasText(raster))
}

/**
 * Whether a part of a picture shows a sign that others show as well: a logo, a banner, a headline. A registered one would match all their posts.
 * @param aspect width over height of the displayed picture.
 * Cost: at most as `isSimple`; nothing for parts that are neither small nor strips.
 */
export function isSignIn(raster: Coloured, part: Rectangle, aspect: number): boolean {
  const { width, height } = raster
  const isStrip = aspect * (part.right - part.left) * height >= MIN_STRIP_ASPECT * (part.bottom - part.top) * width
  const isBadge = areaOf(part) < MAX_BADGE_AREA * width * height
  if (!isStrip && !isBadge) return false
  return judged(
    raster,
    part,
    (cut) => (isStrip && hasLeast(cut, PASTED_STRIP)) || (isBadge && hasLeast(cut, BADGE) && hasText(cut)),
  )
}

/** Whether a part of a form shows a photograph: the form is no other one of its kind, but a chat, say. Cost: at most as `isSimple`. */
export function isPhotographIn(raster: Coloured, part: Rectangle): boolean {
  const { width, height } = raster
  if (areaOf(part) < MIN_PHOTOGRAPH_AREA * width * height) return false
  return judged(raster, part, (cut) => !isFlat(cut, MAX_PHOTOGRAPH_FLAT))
}

/** Whether a part is no form by itself, such as a photograph in a chat. Cost: at most that of `isForm`. */
export function isPictureIn(raster: Coloured, part: Rectangle): boolean {
  return judged(raster, part, (cut) => !isForm(cut))
}

/** Judges the pixels that lie in a part completely. */
function judged({ width, height, rgb }: Coloured, part: Rectangle, isSo: (cut: Coloured) => boolean): boolean {
  const [left, top] = [Math.ceil(part.left), Math.ceil(part.top)]
  const [right, bottom] = [Math.max(left, Math.floor(part.right)), Math.max(top, Math.floor(part.bottom))]
  const { data, ...size } = cutOut({ data: rgb, width, height, channels: 3 }, { left, top, right, bottom })
  try {
    return isSo({ ...size, rgb: data })
  } finally {
    data.fill(0)
  }
}

/**
 * Whether a picture is much like a form: flat and in few colours, such as a card, a receipt or a screen of an app; or very flat, with text on a
 * gradient. Cost: as `isSimple`.
 */
export function isForm(raster: Coloured): boolean {
  if (isFlat(raster, SHADED_FLAT) && hasText(raster, ALL_CHANNELS)) return true
  return hasLeast(raster, CARD) && !isShadedGrey(raster) && (hasText(raster) || isPage(raster))
}

/** Whether a form shows little but flat colours and text. Windows and frames of videos are forms only if they do. Cost: as `isSimple`. */
export function isPage(raster: Coloured): boolean {
  return hasLeast(raster, PAGE) && !isShadedGrey(raster)
}

/** Whether a grey picture has more shades than three greys and their neighbours: a photograph, and no form. */
function isShadedGrey({ width, height, rgb }: Coloured): boolean {
  const counts = new Uint32Array(1 << GREY_BITS)
  let coloured = 0
  for (let k = 0; k < rgb.length; k += 3) {
    const [red = 0, green = 0, blue = 0] = [rgb[k], rgb[k + 1], rgb[k + 2]]
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > MAX_GREY_CHROMA) coloured++
    const grey = green >> (8 - GREY_BITS)
    counts[grey] = (counts[grey] ?? 0) + 1
  }
  if (coloured > MAX_COLOURED_SHARE * width * height) return false
  let covered = 0
  for (let times = 0; times < 3; times++) {
    const first = counts.indexOf(Math.max(...counts))
    for (const grey of [first - 1, first, first + 1]) {
      covered += counts[grey] ?? 0
      counts[grey] = 0 // out of range is ignored
    }
  }
  return covered < PAGE.covered * width * height
}

type Coloured = Pick<Raster, 'width' | 'height' | 'rgb'>

interface Least {
  readonly covered: number
  readonly flat: number
}

/** Flatness comes first: most photographs have so little that a part of the picture tells. */
function hasLeast(raster: Coloured, least: Least): boolean {
  return isFlat(raster, least.flat) && isCovered(raster, least.covered)
}

function isCovered({ width, height, rgb }: Coloured, share: number): boolean {
  const counts = new Uint32Array(LEVELS ** 3)
  for (let k = 0; k < rgb.length; k += 3) {
    const colour = (levelOf(rgb[k]) * LEVELS + levelOf(rgb[k + 1])) * LEVELS + levelOf(rgb[k + 2])
    counts[colour] = (counts[colour] ?? 0) + 1
  }
  const covered = takeFirst(counts) + takeFirst(counts) + takeFirst(counts)
  return covered >= share * width * height
}

function levelOf(value = 0): number {
  return value >> (8 - BITS)
}

/** Removes the most frequent colour and its neighbours from the counts. @returns their number of pixels. */
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

function isFlat({ width, height, rgb }: Coloured, share: number): boolean {
  const inAll = Math.max(1, (width - 1) * (height - 1))
  let flat = 0
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = 3 * (y * width + x)
      if (isAlike(rgb, at, at + 3) && isAlike(rgb, at, at + 3 * width)) flat++
    }
    const left = (width - 1) * (height - 2 - y)
    if ((flat + left) / inAll < share) return false
  }
  return flat / inAll >= share
}

function hasText({ width, height, rgb }: Coloured, channels = GREEN): boolean {
  let edges = 0
  let sharp = 0
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      let change = 0
      for (const channel of channels) {
        const at = 3 * (y * width + x) + channel
        const level = rgb[at] ?? 0
        const [right, below] = [rgb[at + 3] ?? 0, rgb[at + 3 * width] ?? 0]
        change = Math.max(change, Math.abs(level - right), Math.abs(level - below))
      }
      if (change > FLAT_LEVELS) edges++
      if (change >= SHARP_LEVELS) sharp++
    }
  }
  return sharp > 0 && sharp >= MIN_SHARP_SHARE * edges
}

function isAlike(rgb: Uint8Array, a: number, b: number): boolean {
  for (let k = 0; k < 3; k++) if (Math.abs((rgb[a + k] ?? 0) - (rgb[b + k] ?? 0)) > FLAT_LEVELS) return false
  return true
}
