// Recognises letters, icons and signs in a few flat colours, whose hashes thousands of pictures share; and forms, which are mostly flat.
//
// Limits are chosen on set a, the drawn look-alikes for tuning (bench/record/lookalikes.md), and on tuning photographs.

import { cutOut } from './pixels.js'
import type { Raster } from './raster.js'
import { areaOf, type Rectangle } from './rectangle.js'

/** Colours are told apart by the highest bits of each channel. */
const BITS = 4
const LEVELS = 1 << BITS
/**
 * Minimum shares of a sign. `covered`: pixels of three colours and their neighbours, such as background, disc and letter. `flat`: pixels that differ
 * little from those beside and below. No photograph reaches either (docs/robustness.md).
 */
const SIMPLE: Shares = { covered: 0.98, flat: 0.76 }
/**
 * The same for strips of text, such as a banner or a headline. A registered strip would match every post that shows it. Strips of set a have at least
 * 0.97 and 0.74. Receipts and cards can have as much, but are narrower than `MIN_STRIP_ASPECT`.
 */
const STRIP: Shares = { covered: 0.95, flat: 0.7 }
const MIN_STRIP_ASPECT = 2
/**
 * The same for a small part of a query that has text, such as a logo in a corner. Badges of set a have at least 0.86 and 0.39. Of 528 parts that
 * showed an edited tuning photograph, 14 were as flat, all of them without text.
 */
const BADGE: Shares = { covered: 0.84, flat: 0.36 }
/** Share of the query. */
const MAX_BADGE_AREA = 0.1
/** The same for a strip in a query, such as a headline under a photograph. Those of set a have at least 0.95 and 0.58, no edited photograph has. */
const PASTED_STRIP: Shares = { covered: 0.93, flat: 0.54 }
/** The same for pages such as receipts and screens of apps. Those of set a have at least 0.87 and 0.59. */
const PAGE: Shares = { covered: 0.86, flat: 0.58 }
/** The same for coloured cards that have text. Those of set a have at least 0.82 and 0.52. 94 of 99 photographs have less of one or the other. */
const CARD: Shares = { covered: 0.78, flat: 0.48 }
/**
 * Minimum flat share of a shaded form with text, such as a card with a gradient. Those of set a have 0.79 to 0.84. Of 99 tuning photographs and four
 * edits of each, none with text has more than 0.70.
 */
const SHADED_FLAT = 0.76
/**
 * A part of a form shows a photograph if it takes at least this share of the form and is less flat than this. No part of a form of set a with a share
 * of 0.14 or more is less flat than 0.47. In screenshots of tuning photographs in a chat, the median share is 0.23, and 0.12 of it is flat. Portraits
 * on identity cards are smaller.
 */
const MIN_PHOTOGRAPH_AREA = 0.2
const MAX_PHOTOGRAPH_FLAT = 0.25
/** Minimum share of a form that a picture in it takes. Smaller parts are avatars and stickers, which many forms share. */
const MIN_PICTURE_AREA = 0.07
/**
 * A picture has text if, of its pixels that differ from the one beside or below, at least this share differs by `SHARP_LEVELS`. Cards of set a have
 * at least 0.07. Of 229 edits of tuning photographs that are otherwise like cards, half have less than 0.02.
 */
const MIN_SHARP_SHARE = 0.07
const SHARP_LEVELS = 64
/**
 * A picture is grey if at most this share of its pixels has channels that differ by more than `MAX_GREY_CHROMA`. Its greys are counted in finer steps
 * than colours: in the coarse steps of `BITS`, three greys and their neighbours cover more than half of all greys, and one grey photograph in ten
 * would count as a form.
 */
const MAX_COLOURED_SHARE = 0.05
const MAX_GREY_CHROMA = 16
const GREY_BITS = 6
/** The channels that `hasText` reads. Green alone is faster, but white text on light blue is sharp only in red. */
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
 * Whether a part of a picture shows a sign, such as a logo, a banner or a headline. It would match every post with the same sign.
 * @param aspect width over height of the displayed picture.
 * Cost: at most as `isSimple`; nothing for parts that are neither small nor strips.
 */
export function isSignageInside(raster: Coloured, part: Rectangle, aspect: number): boolean {
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

/** Whether a part of a form shows a photograph, as in a chat. Then the form is compared like a picture. Cost: at most as `isSimple`. */
export function isPhotographIn(raster: Coloured, part: Rectangle, minArea = MIN_PHOTOGRAPH_AREA): boolean {
  const { width, height } = raster
  if (areaOf(part) < minArea * width * height) return false
  return judged(raster, part, (cut) => !isFlat(cut, MAX_PHOTOGRAPH_FLAT))
}

/** Whether a part is not itself a form, such as a photograph in a chat. Cost: at most that of `isForm`. */
export function isPictureIn(raster: Coloured, part: Rectangle): boolean {
  return judged(raster, part, (cut) => !isForm(cut))
}

/** The same for a part that is no avatar or sticker, which many forms share. */
export function isLargePictureIn(raster: Coloured, part: Rectangle): boolean {
  return areaOf(part) >= MIN_PICTURE_AREA * raster.width * raster.height && isPictureIn(raster, part)
}

/** Judges the pixels that lie completely within a part. */
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
 * Whether a picture looks like a form: flat and in few colours, such as a card, a receipt or a screen of an app; or very flat, with text on a
 * gradient. Cost: as `isSimple`.
 */
export function isForm(raster: Coloured): boolean {
  if (isFlat(raster, SHADED_FLAT) && hasText(raster, ALL_CHANNELS)) return true
  return hasLeast(raster, CARD) && !isShadedGrey(raster) && (hasText(raster) || isPage(raster))
}

/** Whether a picture shows little but flat colours and text. A window or a frame of a video is a form only if it does. Cost: as `isSimple`. */
export function isPage(raster: Coloured): boolean {
  return hasLeast(raster, PAGE) && !isShadedGrey(raster)
}

/** Whether a picture is grey and has more shades than three greys and their neighbours. Then it is a photograph, not a form. */
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

interface Shares {
  readonly covered: number
  readonly flat: number
}

/** Checks flatness first, because that ends early for most photographs. */
function hasLeast(raster: Coloured, minimum: Shares): boolean {
  return isFlat(raster, minimum.flat) && isCovered(raster, minimum.covered)
}

function isCovered({ width, height, rgb }: Coloured, share: number): boolean {
  const counts = new Uint32Array(LEVELS ** 3)
  for (let k = 0; k < rgb.length; k += 3) {
    const colour = (levelOf(rgb[k]) * LEVELS + levelOf(rgb[k + 1])) * LEVELS + levelOf(rgb[k + 2])
    counts[colour] = (counts[colour] ?? 0) + 1
  }
  const covered = takeMostFrequent(counts) + takeMostFrequent(counts) + takeMostFrequent(counts)
  return covered >= share * width * height
}

function levelOf(value = 0): number {
  return value >> (8 - BITS)
}

/** Removes the most frequent colour and its neighbours from the counts. @returns their number of pixels. */
function takeMostFrequent(counts: Uint32Array): number {
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
