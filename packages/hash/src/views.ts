// Which parts of a picture are hashed: when it is registered, and when it is asked about.

import { type Deframed, deframe } from './deframe/deframe.js'
import { inscribed, type Shape, shapeOf } from './deframe/shape.js'
import type { MeasuredRaster } from './measured.js'
import { wholeOf } from './raster.js'
import { areaOf, type Rectangle } from './rectangle.js'
import { straightened, type TiltedPart } from './tilt.js'
import { orientationsOf } from './transforms.js'

/**
 * whole: all of it. deframed: what is left without a frame. crop: what somebody may have cut out. piece: a half or a quarter, for
 * when something covers the rest. tilted: turned a little and cut straight.
 */
export const VIEW_KINDS = ['whole', 'deframed', 'crop', 'piece', 'tilted'] as const
export type ViewKind = (typeof VIEW_KINDS)[number]

/** `register` gives more views of the picture as it is, `query` more of what may have been done to it. */
export type Purpose = 'register' | 'query'

export type View = (
  | { readonly kind: 'whole' | 'deframed' | 'crop' | 'piece'; readonly part: Rectangle }
  | { readonly kind: 'tilted'; readonly part: TiltedPart }
) & {
  /** Worth asking about as it is and mirrored alone, not in all eight ways. */
  readonly unlikely?: true
}

/**
 * The views of a picture, those that find most first.
 *
 * Chosen by what they add on the tuning photographs (docs/robustness.md): crops to the shapes of stories, posts and squares, because
 * those are what apps cut; halves and quarters, because a sticker or a caption leaves one of them alone; few of the many small crops.
 *
 * @param aspect width over height of the picture as it is shown.
 */
export function viewsOf(raster: MeasuredRaster, aspect: number, purpose: Purpose): View[] {
  const [frames, shape] = [deframe(raster), shapeOf(raster, aspect)]
  return purpose === 'register' ? registered(raster, aspect, frames, shape) : asked(raster, aspect, frames, shape)
}

/** Whole pictures and parts without their frames are asked about in all eight ways, the others as they are and mirrored. */
export function queryOrientations<Hash>(
  { kind, unlikely }: Pick<View, 'kind' | 'unlikely'>,
  dihedrals: readonly Hash[],
): readonly Hash[] {
  if ((kind === 'whole' || kind === 'deframed') && unlikely !== true) return dihedrals
  return orientationsOf(2).flatMap((orientation) => dihedrals[orientation] ?? [])
}

const PARTS_ASKED = 10
const PARTS_REGISTERED = 3
/** Of the whole: a caption is less, and captions are alike. */
const MIN_REGISTERED_AREA = 0.25
/**
 * Long side over short side of a part without its frame. What is longer is seldom somebody's picture: it is the banner, the headline or the bar of an
 * app, and registered it would match every post that has the same.
 */
const LONGEST_REGISTERED = 2.5
const LIKELY_PARTS = 4
/** Left, top, right, bottom, as parts of the sides. */
const HALVES: readonly Share[] = [
  [0, 0, 0.5, 1],
  [0.5, 0, 1, 1],
  [0, 0, 1, 0.5],
  [0, 0.5, 1, 1],
]
const QUARTERS: readonly Share[] = [
  [0, 0, 0.5, 0.5],
  [0.5, 0, 1, 0.5],
  [0, 0.5, 0.5, 1],
  [0.5, 0.5, 1, 1],
]
/** From one side, from two opposite ones, from a corner, from all around. */
const CROPS: readonly Share[] = [
  [0, 0, 0.9, 1],
  [0.1, 0, 1, 1],
  [0, 0, 1, 0.9],
  [0, 0.1, 1, 1],
  [0, 0.05, 1, 0.95],
  [0.05, 0, 0.95, 1],
  [0, 0, 0.94, 0.94],
  [0.06, 0, 1, 0.94],
  [0, 0.06, 0.94, 1],
  [0.06, 0.06, 1, 1],
  [0.1, 0.1, 0.9, 0.9],
]
/** Width over height: a story, a post, a square, a wide screen. */
const SHAPES = [9 / 16, 4 / 5, 1, 16 / 9] as const
const REGISTERED_ANGLES_DEG = [4, -4, 8.5, -8.5] as const
/** An enlarged canvas around a turned picture: turned back and cut to what the picture was. */
const FILLED_ANGLES_DEG = [4, -4, 9, -9] as const
const SKEWED_ANGLES_DEG = [4, -4] as const
const SKEWED_SHARE = 0.92

/**
 * Of a picture that something was put around, nothing but what is inside, and the whole: what an app draws is the same around
 * everybody's pictures, and a registered part of it would match every screenshot of that app. Where it may as well be a picture that has
 * something like a frame in it, the cuts of the whole come too; its pieces do not, for those might be of the app alone.
 */
function registered(raster: MeasuredRaster, aspect: number, { framed, parts }: Deframed, shape: Shape | undefined): View[] {
  const whole = wholeOf(raster)
  const own: View = { kind: 'whole', part: whole }
  const sidesOf = ({ left, top, right, bottom }: Rectangle) =>
    aspect * (((right - left) / raster.width) * (raster.height / (bottom - top)))
  const isStrip = (part: Rectangle) => Math.max(sidesOf(part), 1 / sidesOf(part)) > LONGEST_REGISTERED
  const isWorth = (part: Rectangle) => areaOf(part) >= MIN_REGISTERED_AREA * areaOf(whole) && !isStrip(part)
  if (shape !== undefined && (framed === undefined || !shape.holds(framed))) {
    return [own, ...insides(shape, 'crop'), ...shapes(shape.inside, sidesOf(shape.inside)), ...crops(shape.inside, CROPS)]
  }
  if (framed === undefined) {
    return [
      own,
      ...pieces(whole, [...HALVES, ...QUARTERS]),
      ...shapes(whole, aspect),
      ...crops(whole, CROPS),
      ...tilts(aspect, REGISTERED_ANGLES_DEG),
      ...deframed(parts.filter(isWorth).slice(0, PARTS_REGISTERED)),
      ...middles(whole, aspect),
    ]
  }
  if (isStrip(framed)) return [own, ...shapes(whole, aspect), ...crops(whole, CROPS)]
  const inside = [...deframed([framed]), ...pieces(framed, [...HALVES, ...QUARTERS]), ...shapes(framed, sidesOf(framed))]
  return framed.isPlainAround
    ? [own, ...inside, ...crops(framed, CROPS), ...middles(framed, sidesOf(framed))]
    : [own, ...inside, ...shapes(whole, aspect), ...crops(whole, CROPS), ...middles(whole, aspect)]
}

function asked(raster: MeasuredRaster, aspect: number, { parts }: Deframed, shape: Shape | undefined): View[] {
  const whole = wholeOf(raster)
  const [first] = parts
  if (shape !== undefined)
    return [{ kind: 'whole', part: whole }, ...insides(shape, 'deframed'), ...deframed(parts.slice(0, PARTS_ASKED))]
  return [
    { kind: 'whole', part: whole },
    ...pieces(whole, [...HALVES, ...QUARTERS]),
    ...deframed(parts.slice(0, PARTS_ASKED)),
    ...(first === undefined ? [] : pieces(first, HALVES)),
    ...tilts(aspect, FILLED_ANGLES_DEG),
    ...SKEWED_ANGLES_DEG.map(
      (angleDeg): View => ({ kind: 'tilted', part: { width: aspect * SKEWED_SHARE, height: SKEWED_SHARE, angleDeg } }),
    ),
    ...middles(whole, aspect),
  ]
}

/** What a picture in a shape shows without what is around, and its parts. */
function insides({ inside, middle }: Shape, kind: 'crop' | 'deframed'): View[] {
  const all = middle === undefined ? [inside] : [middle, inside]
  return [...all.map((part): View => ({ kind, part })), ...pieces(inside, [...HALVES, ...QUARTERS])]
}

/** What a circle and round corners would leave of a picture: of its middle square, and of all of it. */
function middles(part: Rectangle, aspect: number): View[] {
  return [shaped(part, aspect, 1), part].map((middle) => ({ kind: 'crop', part: inscribed(middle) }))
}

/** The likeliest come first. */
function deframed(parts: readonly Rectangle[]): View[] {
  return parts.map((part, rank) => ({ kind: 'deframed', part, ...(rank >= LIKELY_PARTS && { unlikely: true }) }))
}

function pieces(part: Rectangle, shares: readonly Share[]): View[] {
  return shares.map((share) => ({ kind: 'piece', part: within(part, share) }))
}

function crops(part: Rectangle, shares: readonly Share[]): View[] {
  return shares.map((share) => ({ kind: 'crop', part: within(part, share) }))
}

function shapes(part: Rectangle, aspect: number): View[] {
  return SHAPES.map((shape) => ({ kind: 'crop', part: shaped(part, aspect, shape) }))
}

function tilts(aspect: number, anglesDeg: readonly number[]): View[] {
  return anglesDeg
    .map((angleDeg) => straightened(aspect, angleDeg))
    .filter(({ width, height }) => width > 0.1 * aspect && height > 0.1)
    .map((part) => ({ kind: 'tilted', part }))
}

type Share = readonly [left: number, top: number, right: number, bottom: number]

function within({ left, top, right, bottom }: Rectangle, [l, t, r, b]: Share): Rectangle {
  const width = right - left
  const height = bottom - top
  return { left: left + l * width, top: top + t * height, right: left + r * width, bottom: top + b * height }
}

/** The largest part of a shape in the middle. */
function shaped(part: Rectangle, aspect: number, shape: number): Rectangle {
  const across = Math.min(1, shape / aspect)
  const down = Math.min(1, aspect / shape)
  return within(part, [(1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2])
}
