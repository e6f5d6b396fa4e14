// Does one picture show another? It does when many of its details lie to one another as those of the other do.

import { cellOf } from './features.js'
import { PLACES, type PlacedFeature } from './kept.js'
import type { Points } from './rows.js'
import { bitsBelow, wordsOf } from './words.js'

/** A detail of the registered picture and one of the view that is asked about, which look alike and lie as they should. */
export interface AgreeingPair {
  /** In pixels of the view that was asked about. */
  readonly x: number
  readonly y: number
  /** 0…35: of 6 × 6 cells of the registered picture. */
  readonly cell: number
  readonly distanceBits: number
}

export interface Verified {
  readonly pairs: readonly AgreeingPair[]
  /** Pairs of details that agree on one similarity: a scale, a turn and a shift. */
  readonly inliers: number
  /** Of 6 × 6 cells of the registered picture, those that have any of them. */
  readonly cells: number
  /** How many inliers it takes. */
  readonly least: number
}

/** Chance agrees in seven at most, and on one edge or one sticker in few cells (docs/robustness.md). */
export const MIN_INLIERS = 8
/** A sticker lies in few cells; a picture in many. */
export const MIN_CELLS = 6

/** Details that look alike. */
export const MATCH_BITS = 64
const MATCHES_TRIED = 40
const MIN_APART_PX = 10
const MAX_SCALE = 6
/** In pixels of the registered picture: places are known to a cell of 15 of its 480. */
const TOLERANCE_CELLS = 0.8

export function isShown({ inliers, cells, least }: Pick<Verified, 'inliers' | 'cells' | 'least'>): boolean {
  return inliers >= least && cells >= MIN_CELLS
}

/**
 * Of the registered details that lie within the view, or of those of the view that lie within the registered picture if they are fewer, so
 * many have to agree, by how many pixels of the registered picture one of the view
 * is: two pages of one app agree in buttons and words all around, and the picture between them does not. A picture that is shown
 * much smaller than it was registered has lost most of its details, and no page is shown that small by another page.
 */
const MIN_SHARES = [
  { upToScale: 1.25, share: 0.35 },
  { upToScale: 2, share: 0.15 },
] as const
/** Of its registered details. Where the view has less of a picture than that, there are few that could contradict. */
const CORNER_PART = 0.2
const MIN_SHARE_OF_CORNER = 0.6

function minOf({ cos, sin }: Similarity, { both, part }: Seen): number {
  const scale = Math.hypot(cos, sin)
  const share = MIN_SHARES.find(({ upToScale }) => scale <= upToScale)?.share ?? 0
  const needed = part < CORNER_PART ? MIN_SHARE_OF_CORNER : share
  return Math.max(MIN_INLIERS, Math.ceil(needed * both))
}

/**
 * Pairs each detail with the one that is nearest to it where both are each other's nearest, and counts how many pairs agree with the
 * similarity that two of them make; the best of all twos of the 40 nearest pairs.
 *
 * How far a pair is off is measured in the registered picture. In the other one, a similarity that makes it very small puts
 * everything near everything.
 *
 * @param view its size, in the pixels that its features are placed in.
 * Cost: a registered picture of 150 details and a view of 300: about 1 ms.
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

/** In the middles of their cells. */
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

/** Nearest first. */
function mutuallyNearest(registered: readonly Placed[], asked: readonly PlacedFeature[]): Pair[] {
  const ours = wordsOf(registered.map(({ hash }) => hash))
  const theirs = wordsOf(asked.map(({ hash }) => hash))
  // By number, the other that is nearest, the first of equals; none has one beyond MATCH_BITS.
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

/** From the view that is asked about to the registered picture: `cos` and `sin` have the scale in them. */
interface Similarity {
  readonly cos: number
  readonly sin: number
}

/** @returns `undefined` when they are too near one another to tell, or when one picture would have to be far larger. */
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
  /** How many details there are of what both show. */
  readonly both: number
  /** How much of the registered picture the view shows, counted by its details. */
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

/** The square of how far off a pair is, in pixels of the registered picture. */
function errorOf({ cos, sin }: Similarity, from: Pair, { registered, asked }: Pair): number {
  const [x, y] = [asked.x - from.asked.x, asked.y - from.asked.y]
  const across = from.registered.x + cos * x - sin * y - registered.x
  const down = from.registered.y + sin * x + cos * y - registered.y
  return across * across + down * down
}
