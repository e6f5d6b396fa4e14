// Chooses the parts of a picture that are hashed, for registering and for queries.

import { type Cut, common, commonIn, cores, middleOf } from './deframe/common-parts.js'
import { type Deframed, deframe, SAME_OVERLAP } from './deframe/deframe.js'
import { seenEndsOf } from './deframe/ends.js'
import type { IsBackground } from './deframe/mask.js'
import { inscribed, isShape, outlineOf, type Shape } from './deframe/shape.js'
import { CENTRE, CROPS, EDGE_CROPS, HALVES, QUARTERS, SHAPES, STORY, WITHOUT_A_SIDE } from './deframe/shares.js'
import { smallPicturesOf } from './deframe/small-pictures.js'
import type { MeasuredRaster } from './measured.js'
import { wholeOf } from './raster.js'
import { areaOf, overlapOf, type Rectangle, type Share, shaped, within } from './rectangle.js'
import { isPictureIn, isSignageInside } from './simple.js'
import { straightened, type TiltedPart } from './tilt.js'
import { orientationsOf } from './transforms.js'

/**
 * - `whole`: the whole picture.
 * - `deframed`: the picture without its frame.
 * - `crop`: a likely crop.
 * - `piece`: a half or a quarter, in case something covers the rest.
 * - `tilted`: slightly rotated and cropped to a rectangle. In a query, also crops without rotation.
 */
export const VIEW_KINDS = ['whole', 'deframed', 'crop', 'piece', 'tilted'] as const
export type ViewKind = (typeof VIEW_KINDS)[number]

/**
 * How much of a frame is hashed.
 * - `all`: all views.
 * - `frame`: the whole and its deframed views, for further frames of a file.
 * - `window`: a single view, as a part of the file's picture.
 *
 * Of a video in a query:
 * - `likely`: the whole and its likeliest deframed views, those marked `isCore` last.
 * - `pieces`: these; pieces; nine of 25 places of a crop (`centresIn`); slight rotations of the deframed views (`turned`); and the last parts marked `isCore`.
 * - `crops`: the same without pieces, and with the other 16 places.
 *
 * Of a registered video:
 * - `full`: all views but pieces and tilted ones.
 * - `thin`: the whole, its first deframed view and the crop marked `isThin`.
 * - `sparse`: the whole.
 */
export type Extent = 'all' | 'frame' | 'window' | 'likely' | 'pieces' | 'crops' | 'full' | 'thin' | 'sparse'

/** `register` chooses more crops of the picture, `query` more views that undo possible edits. */
export type Purpose = 'register' | 'query'

export type View = (
  | { readonly kind: 'whole' | 'deframed' | 'crop' | 'piece'; readonly part: Rectangle }
  | { readonly kind: 'tilted'; readonly part: TiltedPart | Rectangle }
) & {
  /** Unlikely to match, so it is queried in two orientations (original and mirrored) instead of eight. */
  readonly unlikely?: true
  /**
   * Registrations and queries cut this part in the same way. Two forms of one kind agree in it, so a form is not queried by it. Two objects of one kind
   * on a plain ground agree where it is `tilted`, so a picture with such a ground is not queried by that.
   */
  readonly isCore?: true
  /** The part of a query that this one was cut from. If it shows a picture, a form is queried by a core of it. */
  readonly cutFrom?: Rectangle
  /** The part shows a sign, such as a logo in a post. A query leaves it out, because it would match all posts with that sign. */
  readonly isSign?: true
  /** The largest rectangle in a shape, and its middle. If it shows a photograph, the picture is no form, however small it is. */
  readonly isInShape?: true
  /** The largest rectangle in an outline that is no shape. Many pictures have such an outline, also forms, so only queries hash it. */
  readonly isInside?: true
  /** An end of a photograph that the picture's border cuts off. Hashed only with extent `all`. */
  readonly isEnd?: true
  /** Tells the background in the part, which is replaced before hashing. */
  readonly isBackground?: IsBackground
  /** A crop also of a video's thin frames. */
  readonly isThin?: true
}

/** Maximum views of a thin frame, by kind. */
export const MAX_THIN = { deframed: 1, crop: 1 } as const

/**
 * @returns the views of a picture, the most useful first.
 *
 * They were chosen by their recall on the tuning photographs (docs/robustness.md): crops to the formats of stories, posts and squares, because
 * apps crop to these; halves and quarters, because a sticker or a caption usually leaves one of them free; few small crops.
 *
 * @param aspect width over height of the displayed picture.
 */
export function viewsOf(raster: MeasuredRaster, aspect: number, purpose: Purpose): View[] {
  const [frames, outline] = [deframe(raster), outlineOf(raster, aspect)]
  const shape = isShape(outline) ? outline : undefined
  const views = purpose === 'register' ? registered(raster, aspect, frames, shape) : asked(raster, aspect, frames, shape)
  if (outline === undefined || shape !== undefined) return views
  const viewsOfCuts = purpose === 'register' ? registeredCuts : askedCuts
  return [...views, ...viewsOfCuts(commonIn(outline, (part) => aspectOf(part, raster, aspect)))]
}

/** @param asked what `viewsOf` returns for the query. @returns further views of a query by picture: small pictures on a page. */
export function smallViewsOf(raster: MeasuredRaster, aspect: number, asked: readonly View[]): View[] {
  if (asked.some(({ isInShape }) => isInShape === true)) return []
  const known = asked.flatMap(({ kind, part, isSign }) => (kind === 'deframed' && isSign !== true ? [part] : []))
  return smallPicturesOf(raster, aspect, known).map((part) => ({ kind: 'deframed', part, unlikely: true }))
}

/** @returns the hashes to query with: all eight orientations of whole pictures and likely deframed parts; of others the original and mirrored. */
export function queryOrientations<Hash>(
  { kind, unlikely }: Pick<View, 'kind' | 'unlikely'>,
  dihedrals: readonly Hash[],
): readonly Hash[] {
  if ((kind === 'whole' || kind === 'deframed') && unlikely !== true) return dihedrals
  return orientationsOf(2).flatMap((orientation) => dihedrals[orientation] ?? [])
}

const PARTS_ASKED = 8
const PARTS_REGISTERED = 3
/** Minimum share of the whole area. Smaller parts may be captions, which look alike in many pictures. */
const MIN_REGISTERED_AREA = 0.25
/**
 * Minimum share of the whole area for the likeliest part after the framed one that is a picture. It is small, because pictures in chats are smaller
 * than a quarter of a phone's screen. Further parts, and parts that are forms, such as an app's header, are not registered, because they would match
 * other screens of the same app.
 */
const MIN_NEXT_AREA = 0.1
/** Share of the whole area. If the part inside a frame is larger, the frame is an app's bar over a picture that fills the screen. */
const FULL_SCREEN_AREA = 0.75
/**
 * Maximum ratio of the long to the short side of a deframed part. A longer part is usually a banner, a headline or a toolbar of an app. If
 * registered, it would match every post with the same one.
 */
const MAX_REGISTERED_RATIO = 2.5
export const LIKELY_PARTS = 4
const REGISTERED_ANGLES_DEG = [4, -4, 8.5, -8.5] as const
/** For pictures that were rotated on an enlarged canvas: the view rotates back and crops to the original picture. */
const FILLED_ANGLES_DEG = [4, -4, 9, -9] as const
const SKEWED_ANGLES_DEG = [4, -4] as const
const SKEWED_SHARE = 0.92

/**
 * Views to register. Of a picture in a frame: the whole, and views of the inside only. Apps draw the same frame around many pictures, so a registered
 * part of it would match every screenshot of that app. If the frame may belong to the picture itself, crops of the whole are added, but not its
 * pieces, because one of them might show only the app.
 */
function registered(raster: MeasuredRaster, aspect: number, { framed, parts }: Deframed, shape: Shape | undefined): View[] {
  const whole = wholeOf(raster)
  const own: View = { kind: 'whole', part: whole }
  const sidesOf = (part: Rectangle) => aspectOf(part, raster, aspect)
  const isStrip = (part: Rectangle) => Math.max(sidesOf(part), 1 / sidesOf(part)) > MAX_REGISTERED_RATIO
  const isLargeEnough = (part: Rectangle, minArea: number) => areaOf(part) >= minArea * areaOf(whole) && !isStrip(part)
  if (shape !== undefined && (framed === undefined || !shape.holds(framed))) {
    const inside = [...shapes(shape.inside, sidesOf(shape.inside)), ...crops(shape.inside, CROPS)]
    return [own, ...insides(shape, 'crop'), ...registeredCuts(commonIn(shape, sidesOf)), ...inside]
  }
  if (framed === undefined) {
    return [
      own,
      ...pieces(whole, [...HALVES, ...QUARTERS]),
      ...registeredCores(whole, aspect),
      ...shapes(whole, aspect),
      ...crops(whole, EDGE_CROPS),
      ...tilts(aspect, REGISTERED_ANGLES_DEG),
      ...middles(whole, aspect).slice(0, 1),
      ...deframed(parts.filter((part) => isLargeEnough(part, MIN_REGISTERED_AREA)).slice(0, PARTS_REGISTERED)),
      // Last, because they are left out where there are too many. Of 2,730 edits of tuning photographs none was found by the centre alone.
      ...crops(whole, [CENTRE]),
      ...middles(whole, aspect).slice(1),
    ]
  }
  if (isStrip(framed)) return [own, ...shapes(whole, aspect), ...crops(whole, CROPS)]
  const isApart = (part: Rectangle) => isLargeEnough(part, MIN_NEXT_AREA) && overlapOf(part, framed) < SAME_OVERLAP
  const next = parts.find((part) => isApart(part) && isPictureIn(raster, part))
  const isFullScreen = framed.isPlainAround && areaOf(framed) >= FULL_SCREEN_AREA * areaOf(whole)
  const inside = [
    ...deframed(next === undefined ? [framed] : [framed, next]),
    ...pieces(framed, [...HALVES, ...QUARTERS]),
    ...registeredCores(framed, sidesOf(framed)),
    ...(isFullScreen ? registeredCores(whole, aspect) : []),
    ...shapes(framed, sidesOf(framed)),
  ]
  return framed.isPlainAround
    ? [own, ...inside, ...crops(framed, CROPS), ...middles(framed, sidesOf(framed))]
    : [
        own,
        ...inside,
        ...registeredCores(whole, aspect),
        ...shapes(whole, aspect),
        ...crops(whole, CROPS),
        ...middles(whole, aspect),
      ]
}

function asked(raster: MeasuredRaster, aspect: number, { framed, parts }: Deframed, shape: Shape | undefined): View[] {
  const whole = wholeOf(raster)
  const sidesOf = (part: Rectangle) => aspectOf(part, raster, aspect)
  const likely = parts.slice(0, PARTS_ASKED)
  const signs = new Set(likely.filter((part) => isSignageInside(raster, part, aspect)))
  const inside = deframed(likely, signs)
  const [first, second] = likely.map((part) => (signs.has(part) ? undefined : part))
  const ofFirst = first === undefined ? [] : askedCores(common(first, sidesOf(first)), first)
  if (shape !== undefined) {
    const ofShape = askedCuts(commonIn(shape, sidesOf))
    return [{ kind: 'whole', part: whole }, ...insides(shape, 'deframed'), ...ofShape, ...inside, ...ofFirst]
  }
  const shown = likely.filter((part) => !signs.has(part))
  return [
    { kind: 'whole', part: whole },
    ...pieces(whole, [...HALVES, ...QUARTERS]),
    ...inside,
    ...(first === undefined ? [] : pieces(first, HALVES)),
    ...askedCores(common(whole, aspect)),
    ...ofFirst,
    ...ends(seenEndsOf(shown, raster, aspect, SAME_OVERLAP)),
    ...tilts(aspect, FILLED_ANGLES_DEG),
    ...middles(whole, aspect),
    ...SKEWED_ANGLES_DEG.map(
      (angleDeg): View => ({ kind: 'tilted', part: { width: aspect * SKEWED_SHARE, height: SKEWED_SHARE, angleDeg } }),
    ),
    ...(second === undefined ? [] : askedCores(cores(second, sidesOf(second)), second)),
    ...(first === undefined ? [] : withoutSides(first, 'crop')),
    // The whole of a framed picture shows an app or a table around it.
    ...(framed === undefined ? withoutSides(whole, 'tilted') : []),
  ]
}

function registeredCores(part: Rectangle, aspect: number): View[] {
  return cores(part, aspect).map((core) => ({ kind: 'crop', part: core }))
}

function registeredCuts(cuts: readonly Cut[]): View[] {
  return cuts.filter(({ isInside }) => isInside !== true).map((cut) => ({ kind: 'crop', ...cut }))
}

function askedCores(parts: readonly Rectangle[], cutFrom?: Rectangle): View[] {
  return askedCuts(parts.map((part) => ({ part }))).map((view) => (cutFrom === undefined ? view : { ...view, cutFrom }))
}

function askedCuts(cuts: readonly Cut[]): View[] {
  return cuts.map((cut) => ({ kind: 'deframed', ...cut, unlikely: true, isCore: true }))
}

/** Width over height of a part of a picture whose sides may have been reduced by different factors. */
function aspectOf({ left, top, right, bottom }: Rectangle, raster: MeasuredRaster, aspect: number): number {
  return aspect * (((right - left) / raster.width) * (raster.height / (bottom - top)))
}

/** The inside of a shape, without the background, and pieces of it. */
function insides({ inside, middle }: Shape, kind: 'crop' | 'deframed'): View[] {
  const parts = middle === undefined ? [inside] : [middle, inside]
  return [...parts.map((part): View => ({ kind, part, isInShape: true })), ...pieces(inside, [...HALVES, ...QUARTERS])]
}

/** The rectangles that a circle would leave of the middle square, and that round corners would leave of the part. */
function middles(part: Rectangle, aspect: number): View[] {
  return [middleOf(part, aspect), inscribed(part)].map((middle) => ({ kind: 'crop', part: middle }))
}

/** @param parts the likeliest first. Those after `LIKELY_PARTS` are marked `unlikely`. @param signs those to mark `isSign`. */
function deframed(parts: readonly Rectangle[], signs: ReadonlySet<Rectangle> = new Set()): View[] {
  return parts.map((part, rank) => ({
    kind: 'deframed',
    part,
    ...(rank >= LIKELY_PARTS && { unlikely: true }),
    ...(signs.has(part) && { isSign: true }),
  }))
}

function ends(parts: readonly Rectangle[]): View[] {
  return parts.map((part) => ({ kind: 'deframed', part, unlikely: true, isEnd: true }))
}

function pieces(part: Rectangle, shares: readonly Share[]): View[] {
  return shares.map((share) => ({ kind: 'piece', part: within(part, share) }))
}

function crops(part: Rectangle, shares: readonly Share[]): View[] {
  return shares.map((share) => ({ kind: 'crop', part: within(part, share) }))
}

function withoutSides(part: Rectangle, kind: 'crop' | 'tilted'): View[] {
  return WITHOUT_A_SIDE.map((share) => ({ kind, part: within(part, share), isCore: true }))
}

function shapes(part: Rectangle, aspect: number): View[] {
  return SHAPES.map((shape) => ({
    kind: 'crop',
    part: shaped(part, aspect, shape),
    ...(shape === STORY && { isThin: true }),
  }))
}

function tilts(aspect: number, anglesDeg: readonly number[]): View[] {
  return anglesDeg
    .map((angleDeg) => straightened(aspect, angleDeg))
    .filter(({ width, height }) => width > 0.1 * aspect && height > 0.1)
    .map((part) => ({ kind: 'tilted', part }))
}
