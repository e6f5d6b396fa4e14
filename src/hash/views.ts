// Which parts of a picture are hashed: when it is registered, and when it is asked about.

import { type Deframed, deframe } from './deframe/deframe.js'
import type { MeasuredRaster } from './measured.js'
import { wholeOf } from './raster.js'
import type { Rectangle } from './rectangle.js'
import { straightened, type TiltedPart } from './tilt.js'
import { waysOf } from './transforms.js'

/**
 * whole: all of it. deframed: what is left without a frame. crop: what somebody may have cut out. half: one half, for when
 * something covers the other. tilted: turned a little and cut straight.
 */
export const VIEW_KINDS = ['whole', 'deframed', 'crop', 'half', 'tilted'] as const
export type ViewKind = (typeof VIEW_KINDS)[number]

/** `register` gives more views of the picture as it is, `query` more of what may have been done to it. */
export type Purpose = 'register' | 'query'

export type View = (
  | { readonly kind: 'whole' | 'deframed' | 'crop' | 'half'; readonly part: Rectangle }
  | { readonly kind: 'tilted'; readonly part: TiltedPart }
) & {
  /** Worth asking about as it is and mirrored alone, not in all eight ways. */
  readonly unlikely?: true
}

/**
 * The views of a picture, those that find most first.
 *
 * Chosen by what they add on the tuning photographs (docs/robustness.md): crops to the shapes of stories, posts and squares, because
 * those are what apps cut; halves, because a sticker or a caption leaves one of them alone; few of the many small crops.
 *
 * @param aspect width over height of the picture as it is shown.
 */
export function viewsOf(raster: MeasuredRaster, aspect: number, purpose: Purpose): View[] {
  const deframed = deframe(raster)
  return purpose === 'register' ? registered(raster, aspect, deframed) : asked(raster, aspect, deframed)
}

/** Whole pictures and parts without their frames are asked about in all eight ways, the others as they are and mirrored. */
export function askedTurns<Hash>(
  { kind, unlikely }: Pick<View, 'kind' | 'unlikely'>,
  dihedrals: readonly Hash[],
): readonly Hash[] {
  if ((kind === 'whole' || kind === 'deframed') && unlikely !== true) return dihedrals
  return waysOf(2).flatMap((way) => dihedrals[way] ?? [])
}

const PARTS_REGISTERED = 4
const LIKELY_PARTS = 6
const HALVES = [
  [0, 0, 0.5, 1],
  [0.5, 0, 1, 1],
  [0, 0, 1, 0.5],
  [0, 0.5, 1, 1],
] as const
/** Left, top, right, bottom, as parts of the sides. */
const CROPS = [
  [0, 0.05, 1, 0.95],
  [0.05, 0, 0.95, 1],
  [0, 0, 0.9, 1],
  [0.1, 0, 1, 1],
  [0, 0, 1, 0.9],
  [0, 0.1, 1, 1],
  [0.05, 0.05, 0.95, 0.95],
  [0.1, 0.1, 0.9, 0.9],
] as const
/** Width over height: a story, a post, a square, a wide screen. */
const SHAPES = [9 / 16, 4 / 5, 1, 16 / 9] as const
const REGISTERED_ANGLES_DEG = [3, -3, 6, -6, 9, -9] as const
/** An enlarged canvas around a turned picture: turned back and cut to what the picture was. */
const FILLED_ANGLES_DEG = [4, -4, 9, -9] as const
const SKEWED_ANGLES_DEG = [4, -4] as const
const SKEWED_SHARE = 0.92

function registered(raster: MeasuredRaster, aspect: number, { parts, framed }: Deframed): View[] {
  const whole = wholeOf(raster)
  const main = framed ?? whole
  const mainAspect = aspect * (((main.right - main.left) / raster.width) * (raster.height / (main.bottom - main.top)))
  return [
    { kind: 'whole', part: whole },
    ...parts.slice(0, PARTS_REGISTERED).map((part): View => ({ kind: 'deframed', part })),
    ...halvesOf(main),
    ...SHAPES.map((shape): View => ({ kind: 'crop', part: shaped(main, mainAspect, shape) })),
    ...CROPS.map((crop): View => ({ kind: 'crop', part: within(main, crop) })),
    ...(framed === undefined ? tiltedViews(aspect, REGISTERED_ANGLES_DEG) : halvesOf(whole)),
  ]
}

function asked(raster: MeasuredRaster, aspect: number, { parts }: Deframed): View[] {
  const whole = wholeOf(raster)
  const [first] = parts
  return [
    { kind: 'whole', part: whole },
    ...parts.map((part, rank): View => ({ kind: 'deframed', part, ...(rank >= LIKELY_PARTS && { unlikely: true }) })),
    ...halvesOf(whole),
    ...(first === undefined ? [] : halvesOf(first)),
    ...tiltedViews(aspect, FILLED_ANGLES_DEG),
    ...SKEWED_ANGLES_DEG.map(
      (angleDeg): View => ({ kind: 'tilted', part: { width: aspect * SKEWED_SHARE, height: SKEWED_SHARE, angleDeg } }),
    ),
  ]
}

function halvesOf(part: Rectangle): View[] {
  return HALVES.map((half) => ({ kind: 'half', part: within(part, half) }))
}

function tiltedViews(aspect: number, anglesDeg: readonly number[]): View[] {
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
