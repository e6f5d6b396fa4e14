// Verifies whether one picture shows another: many details must agree on one similarity transform (scale, rotation and shift).

import { cellOf } from './features.js'
import { PLACES, type PlacedFeature } from './kept.js'
import type { Points } from './rows.js'
import { bitsBelow, wordsOf } from './words.js'

/** A detail of the registered picture and one of the queried view, with similar descriptors and positions that agree. */
export interface AgreeingPair {
  /** Position in pixels of the queried view. */
  readonly x: number
  readonly y: number
  /** 0…35: cell of the registered picture, of 6 × 6. */
  readonly cell: number
  readonly distanceBits: number
}

export interface Verified {
  readonly pairs: readonly AgreeingPair[]
  /** Number of pairs that agree on one similarity transform. */
  readonly inliers: number
  /** Number of the registered picture's 6 × 6 cells that have an inlier. */
  readonly cells: number
  /** Minimum number of inliers for a match. */
  readonly least: number
}

/** Minimum number of inliers. Two screenshots of one app can have more, so `MIN_SHARES` may require more. */
export const MIN_INLIERS = 8
/** Minimum number of cells with an inlier. A shared edge or sticker covers few cells, a shared picture many. */
export const MIN_CELLS = 6

/** Maximum distance of two descriptors that form a pair. */
export const MATCH_BITS = 64
const MATCHES_TRIED = 40
const MIN_APART_PX = 10
const MAX_SCALE = 6
/** Maximum error of an inlier, in cells of 1/32 of the registered picture's longer side: 12 of 480 pixels. */
const TOLERANCE_CELLS = 0.8

/** @returns whether the view shows the registered picture. */
export function meetsThreshold({ inliers, cells, least }: Pick<Verified, 'inliers' | 'cells' | 'least'>): boolean {
  return inliers >= least && cells >= MIN_CELLS
}

/**
 * Share of the details in the common area that has to agree, by scale (registered pixels per pixel of the view). Details are counted in the
 * registered picture and in the view, and the smaller number counts.
 *
 * Two screenshots of one app agree in buttons and text, although the pictures between them differ. So a few agreeing details are not enough. Beyond
 * the last scale no share is required: a picture shown that small has lost most of its details, and screenshots of one app have nearly the same
 * scale.
 */
const MIN_SHARES = [
  { upToScale: 1.25, share: 0.35 },
  { upToScale: 2, share: 0.15 },
] as const
/** If the view shows less than this share of the registered details, few of them can disagree. So `MIN_SHARE_OF_CORNER` of them have to agree. */
const CORNER_PART = 0.2
const MIN_SHARE_OF_CORNER = 0.6

function minOf({ cos, sin }: Similarity, { both, part }: Seen): number {
  const scale = Math.hypot(cos, sin)
  const share = MIN_SHARES.find(({ upToScale }) => scale <= upToScale)?.share ?? 0
  const needed = part < CORNER_PART ? MIN_SHARE_OF_CORNER : share
  return Math.max(MIN_INLIERS, Math.ceil(needed * both))
}

/**
 * Pairs details that are each other's nearest. Tries the similarity transform of each two of the 40 nearest pairs, and keeps the one that most
 * pairs agree with.
 *
 * Errors are measured in the registered picture. In the view they would always be small under a transform to a very small size.
 *
 * @param view size of the view, in the pixels of its features' coordinates.
 * Cost: about 1 ms for 150 registered details and 300 of the view.
 */
export function verify(registered: Points, asked: readonly PlacedFeature[], view: Size): Verified {
  const places = placed(registered)
  const pairs = mutuallyNearest(places, asked)
  const tolerance = (TOLERANCE_CELLS * Math.max(registered.width, registered.height)) / PLACES
  let best: { readonly agreeing: Pair[]; readonly similarity: Similarity; readonly first: Pair } | undefined
  const tried = pairs.slice(0, MATCHES_TRIED)
  for (const [i, first] of tried.entries()) {
    for (const second of tried.slice(i + 1)) {
      const similarity = similarityOf(first, second)
      if (similarity === undefined) continue
      const agreeing = pairs.filter((pair) => errorOf(similarity, first, pair) <= tolerance * tolerance)
      if (agreeing.length > (best?.agreeing.length ?? 0)) best = { agreeing, similarity, first }
    }
  }
  if (best === undefined) return verifiedBy([], MIN_INLIERS)
  const seen = seenOf(best.similarity, best.first, { places, registered, asked, view })
  return verifiedBy(
    best.agreeing.map((pair) => ({
      x: pair.asked.x,
      y: pair.asked.y,
      cell: cellOf(pair.registered, registered.width, registered.height),
      distanceBits: pair.distanceBits,
    })),
    minOf(best.similarity, seen),
  )
}

export function verifiedBy(pairs: readonly AgreeingPair[], least: number): Verified {
  return { pairs, inliers: pairs.length, cells: new Set(pairs.map(({ cell }) => cell)).size, least }
}

interface Size {
  readonly width: number
  readonly height: number
}

type Placed = Pick<PlacedFeature, 'x' | 'y' | 'hash'>

/** Places points at the centres of their cells. */
function placed({ width, height, points }: Points): Placed[] {
  return points.map(({ column, row, hash }) => ({
    x: ((column + 0.5) * width) / PLACES,
    y: ((row + 0.5) * height) / PLACES,
    hash,
  }))
}

interface Pair {
  readonly registered: Placed
  readonly asked: PlacedFeature
  readonly distanceBits: number
}

/** Pairs of details that are each other's nearest, nearest pairs first. */
function mutuallyNearest(registered: readonly Placed[], asked: readonly PlacedFeature[]): Pair[] {
  const ours = wordsOf(registered.map(({ hash }) => hash))
  const theirs = wordsOf(asked.map(({ hash }) => hash))
  // For each detail, the index of the nearest one on the other side, the first of equals; −1 if none is within MATCH_BITS.
  const to = new Int32Array(registered.length).fill(-1)
  const back = new Int32Array(asked.length).fill(-1)
  const bitsTo = new Int32Array(registered.length).fill(MATCH_BITS + 1)
  const bitsBack = new Int32Array(asked.length).fill(MATCH_BITS + 1)
  for (let i = 0; i < registered.length; i++) {
    for (let k = 0; k < asked.length; k++) {
      const [own, other] = [bitsTo[i] ?? 0, bitsBack[k] ?? 0]
      const bits = bitsBelow(Math.max(own, other), ours, i, theirs, k)
      if (bits < own) {
        to[i] = k
        bitsTo[i] = bits
      }
      if (bits < other) {
        back[k] = i
        bitsBack[k] = bits
      }
    }
  }
  return registered
    .flatMap((one, i) => {
      const other = asked[to[i] ?? -1]
      if (other === undefined || back[to[i] ?? -1] !== i) return []
      return [{ registered: one, asked: other, distanceBits: bitsTo[i] ?? 0 }]
    })
    .sort((a, b) => a.distanceBits - b.distanceBits)
}

/** A transform from the view to the registered picture. `cos` and `sin` include the scale. */
interface Similarity {
  readonly cos: number
  readonly sin: number
}

/** @returns the transform that maps both pairs exactly; `undefined` if they are too close together or the scale is too extreme. */
function similarityOf(first: Pair, second: Pair): Similarity | undefined {
  const [ax, ay] = [second.asked.x - first.asked.x, second.asked.y - first.asked.y]
  const [rx, ry] = [second.registered.x - first.registered.x, second.registered.y - first.registered.y]
  const [asked, registered] = [ax * ax + ay * ay, rx * rx + ry * ry]
  if (Math.min(asked, registered) < MIN_APART_PX ** 2) return undefined
  if (Math.max(asked / registered, registered / asked) > MAX_SCALE ** 2) return undefined
  return { cos: (rx * ax + ry * ay) / asked, sin: (ry * ax - rx * ay) / asked }
}

interface Both {
  readonly places: readonly Placed[]
  readonly registered: Size
  readonly asked: readonly PlacedFeature[]
  readonly view: Size
}

interface Seen {
  /** Number of details in the area that both pictures show: the smaller of the two counts. */
  readonly both: number
  /** Share of the registered details that lie within the view. */
  readonly part: number
}

function seenOf({ cos, sin }: Similarity, from: Pair, { places, registered, asked, view }: Both): Seen {
  const square = cos * cos + sin * sin
  const inView = places.filter(({ x, y }) => {
    const [across, down] = [x - from.registered.x, y - from.registered.y]
    return isWithin(
      view,
      from.asked.x + (cos * across + sin * down) / square,
      from.asked.y + (cos * down - sin * across) / square,
    )
  })
  const inRegistered = asked.filter(({ x, y }) => {
    const [across, down] = [x - from.asked.x, y - from.asked.y]
    return isWithin(registered, from.registered.x + cos * across - sin * down, from.registered.y + sin * across + cos * down)
  })
  return { both: Math.min(inView.length, inRegistered.length), part: inView.length / places.length }
}

function isWithin({ width, height }: Size, x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x < width && y < height
}

/** The squared error of a pair under a transform, in pixels of the registered picture. */
function errorOf({ cos, sin }: Similarity, from: Pair, { registered, asked }: Pair): number {
  const [x, y] = [asked.x - from.asked.x, asked.y - from.asked.y]
  const across = from.registered.x + cos * x - sin * y - registered.x
  const down = from.registered.y + sin * x + cos * y - registered.y
  return across * across + down * down
}
