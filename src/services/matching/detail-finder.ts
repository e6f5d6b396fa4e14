// Finds the registered pictures that a query picture shows, by local features: the index finds candidates, a vote ranks them,
// and the best are verified.

import type { AskedView } from '../../../packages/hash/src/details/features.js'
import { askedFeatures, type PlacedFeature } from '../../../packages/hash/src/details/kept.js'
import { placedRow } from '../../../packages/hash/src/details/rows.js'
import {
  type AgreeingPair,
  isShown,
  MIN_CELLS,
  type Verified,
  verifiedBy,
  verify,
} from '../../../packages/hash/src/details/verify.js'
import { type MatchEvent, voteOf } from '../../../packages/hash/src/details/vote.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { Rectangle } from '../../../packages/hash/src/rectangle.js'
import { DETAIL_BITS } from '../../domain/matching/signal-types.js'
import type { Hit } from '../../search/hit.js'
import type { Images } from '../../store/images/images.js'
import type { CatalogueImage } from '../index/image-facts.js'
import type { Searcher } from '../index/searcher.js'
import type { BitPermutation } from './bit-permutation.js'
import type { CommonRows } from './common-rows.js'
import { isDecorationOf } from './detail-rows.js'

export interface FoundByDetails {
  readonly ordinal: number
  readonly image: CatalogueImage
  /** Number of details that agree: at least 8. */
  readonly inliers: number
  /** Median distance of the agreeing details. */
  readonly distanceBits: number
  /** The part of the query picture that they cover, as shares of its sides, 0…1. */
  readonly region: Rectangle
  readonly isMirrored: boolean
  /** Number of agreeing details beyond the required number. */
  readonly surplus: number
  /** Whether one detail more or fewer could change whether the image is found. */
  readonly isAtEdge: boolean
}

export interface DetailFinder {
  /**
   * Finds images by their details, most agreeing details first, each image once.
   * @param options.role `wanted` for an image to find, `harmless` for one that vetoes what it shows.
   * @param options.yieldIfNeeded as from `yielder`: called about every millisecond.
   * @throws {Problem} store-unavailable when candidates cannot be read.
   * Cost: a search for each of up to 2,700 details, and 1 ms for each of two views of up to 20 candidates.
   */
  find(views: readonly AskedView[], options: FindOptions): Promise<FoundByDetails[]>
}

export interface FindOptions {
  readonly searcher: Searcher
  readonly mirrors: boolean
  readonly role: (ordinal: number) => 'wanted' | 'harmless' | undefined
  readonly yieldIfNeeded: () => Promise<void> | undefined
  /** Called with a wanted image that was narrowly missed. */
  readonly onMissed?: (imageId: string) => void
}

/** Maximum details of a view that are searched for, the strongest. All of them are used to verify. */
const NEEDLES_A_VIEW = 150
const NEEDLES_AT_ONCE = 50
const MIN_AGREEING = 2
const CANDIDATES = 20
/** Maximum rows used for one detail, because anybody may register the same detail any number of times. */
const MAX_ROWS_OF_A_DETAIL = 64
/** Maximum views verified for each candidate, because the view with the highest vote may show less of it than the second. */
const VIEWS_OF_EACH = 2

export function createDetailFinder({
  images,
  permutation,
  common,
}: {
  readonly images: Pick<Images, 'points'>
  readonly permutation: BitPermutation
  readonly common: CommonRows
}): DetailFinder {
  return {
    async find(views, { searcher, mirrors, role, yieldIfNeeded, onMissed }) {
      const voted = new Map<number, Candidate[]>()
      for (const view of views) {
        for (const isMirrored of mirrors ? [false, true] : [false]) {
          const seeking = candidatesIn(searcher, common, lookingAt(view, isMirrored, permutation), role)
          let step = seeking.next()
          for (; step.done !== true; step = seeking.next()) await yieldIfNeeded()
          for (const candidate of step.value)
            voted.set(candidate.ordinal, [...(voted.get(candidate.ordinal) ?? []), candidate])
        }
      }
      return unvetoed(await shown(surestOf(voted)), role, onMissed)

      /** The candidates that pass verification. */
      async function shown(candidates: readonly Voted[]): Promise<Shown[]> {
        const named = candidates.flatMap(({ ordinal, views }) => {
          const image = searcher.image(ordinal)
          return image === undefined ? [] : [{ image, views }]
        })
        const points = named.length === 0 ? [] : await images.points(named.map(({ image }) => image.id))
        const verified: Shown[] = []
        for (const [i, { image, views }] of named.entries()) {
          const own = points[i]
          if (own === undefined) continue // withdrawn since
          let isMissed = false
          for (const candidate of views) {
            const { pairs, ...result } = verify(own, candidate.all(), candidate.view)
            await yieldIfNeeded()
            isMissed ||= isNearlyShown(result)
            if (!isShown(result)) continue
            isMissed = false
            const places = pairs.map((pair) => inPicture(pair, candidate))
            verified.push({ ...candidate, image, least: result.least, pairs: places })
            break
          }
          if (isMissed && role(views[0]?.ordinal ?? -1) === 'wanted') onMissed?.(image.id)
        }
        return verified
      }
    },
  }
}

/** A view as it is or mirrored, with permuted details. */
interface Looking {
  readonly view: AskedView
  readonly isMirrored: boolean
  /** The details that are searched for. */
  readonly needles: readonly PlacedFeature[]
  /** All details. Cost: 150 µs, once. */
  readonly all: () => readonly PlacedFeature[]
}

interface Candidate extends Looking {
  readonly ordinal: number
  readonly weight: number
}

/** A candidate in each view that voted for it, highest vote first. */
interface Voted {
  readonly ordinal: number
  readonly views: readonly Candidate[]
}

interface Shown extends Candidate {
  readonly image: CatalogueImage
  readonly least: number
  /** Positions as shares of the sides of the query picture. */
  readonly pairs: readonly AgreeingPair[]
}

function lookingAt(view: AskedView, isMirrored: boolean, permutation: BitPermutation): Looking {
  const plain = askedFeatures(view, isMirrored)
  const permuted = (features: readonly PlacedFeature[]) =>
    features.map(({ x, y, angle, level, hash }) => ({ x, y, angle, level, hash: permutation.hash(hash) }))
  let all: PlacedFeature[] | undefined
  return {
    view,
    isMirrored,
    needles: permuted(plain.slice(0, NEEDLES_A_VIEW)),
    all: () => {
      all ??= permuted(plain)
      return all
    },
  }
}

/** Pauses about every millisecond. */
function* candidatesIn(
  searcher: Searcher,
  common: CommonRows,
  looking: Looking,
  role: FindOptions['role'],
): Generator<void, Candidate[], void> {
  const { view, needles } = looking
  const matchEvents = new Map<number, MatchEvent[]>()
  for (let first = 0; first < needles.length; first += NEEDLES_AT_ONCE) {
    const some = needles.slice(first, first + NEEDLES_AT_ONCE)
    yield
    const hits = yield* searcher.search(
      'detail',
      some.map(({ hash }): Hash256 => hash),
      DETAIL_BITS,
    )
    for (const [needle, near] of byNeedle(hits)) {
      const feature = some[needle]
      if (feature === undefined || isDecorationOf(searcher, near)) continue
      const subjectGroups = new Set(near.map(({ image }) => searcher.places.subjectGroupOf(image))).size
      for (const { image, view: row, distanceBits } of atMost(near, feature.hash)) {
        const size = searcher.places.sizeOf(image)
        if (size === undefined || role(image) === undefined) continue
        const registered = { ...placedRow(searcher.places.rowOf(image, row), size), hash: feature.hash }
        const own = matchEvents.get(image) ?? []
        matchEvents.set(image, own)
        own.push({ needle: first + needle, row, distanceBits, pictures: subjectGroups, asked: feature, registered })
      }
    }
  }
  return [...matchEvents].flatMap(([ordinal, all]) => {
    const { width = 0, height = 0 } = searcher.places.sizeOf(ordinal) ?? {}
    const centre = { x: width / 2, y: height / 2 }
    // Chance agreement is nearly always dropped here, before decoration is looked up.
    if (voteOf(all, view, centre).agreeing < MIN_AGREEING) return []
    const own = all.filter(({ asked }) => !common.isDecoration(asked.hash))
    const { agreeing, weight } = voteOf(own, view, centre)
    return agreeing < MIN_AGREEING ? [] : [{ ...looking, ordinal, weight }]
  })
}

/** Candidates by their highest vote, highest first. */
function surestOf(voted: ReadonlyMap<number, readonly Candidate[]>): Voted[] {
  return [...voted]
    .map(([ordinal, views]) => ({ ordinal, views: views.toSorted((a, b) => b.weight - a.weight) }))
    .sort((a, b) => (b.views[0]?.weight ?? 0) - (a.views[0]?.weight ?? 0))
    .slice(0, CANDIDATES)
    .map(({ ordinal, views }) => ({ ordinal, views: views.slice(0, VIEWS_OF_EACH) }))
}

function byNeedle(hits: readonly Hit[]): Map<number, Hit[]> {
  const lists = new Map<number, Hit[]>()
  for (const hit of hits) {
    const list = lists.get(hit.transform) ?? []
    lists.set(hit.transform, list)
    list.push(hit)
  }
  return lists
}

/**
 * At most `MAX_ROWS_OF_A_DETAIL` hits. Each detail selects different ones, so that another detail can vote for an image that
 * this one leaves out.
 */
function atMost(near: readonly Hit[], [low = 0, high = 0]: Hash256): readonly Hit[] {
  if (near.length <= MAX_ROWS_OF_A_DETAIL) return near
  const start = (256 * high + low) % near.length
  return [...near.slice(start), ...near.slice(0, start)].slice(0, MAX_ROWS_OF_A_DETAIL)
}

function inPicture(pair: AgreeingPair, { view, isMirrored }: Looking): AgreeingPair {
  const { left, top, right, bottom } = view.part
  const across = isMirrored ? view.width - pair.x : pair.x
  const x = left + (across / view.width) * (right - left)
  const y = top + (pair.y / view.height) * (bottom - top)
  return { ...pair, x, y }
}

/** Two pairs closer than this, as a share of the sides, are the same detail. */
const SAME_PLACE = 0.01

/**
 * Removes details that a harmless picture shows, too. Details are vetoed one by one, as hashes are vetoed hit by hit. So putting
 * a well-known picture beside an intimate one hides only the well-known one.
 */
function unvetoed(shown: readonly Shown[], role: FindOptions['role'], onMissed: FindOptions['onMissed']): FoundByDetails[] {
  const vetoing = shown.filter(({ ordinal }) => role(ordinal) === 'harmless').flatMap(({ pairs }) => pairs)
  const isVetoed = (pair: AgreeingPair) =>
    vetoing.some((other) => Math.abs(other.x - pair.x) <= SAME_PLACE && Math.abs(other.y - pair.y) <= SAME_PLACE)
  return shown
    .filter(({ ordinal }) => role(ordinal) === 'wanted')
    .flatMap(({ ordinal, image, isMirrored, pairs, least }): FoundByDetails[] => {
      const left = verifiedBy(
        pairs.filter((pair) => !isVetoed(pair)),
        least,
      )
      if (!isShown(left)) {
        if (isNearlyShown(left)) onMissed?.(image.id)
        return []
      }
      const surplus = left.inliers - least
      const isAtEdge = surplus === 0 || left.cells === MIN_CELLS
      const bits = left.pairs.map(({ distanceBits }) => distanceBits).sort((a, b) => a - b)
      const distanceBits = bits[bits.length >> 1] ?? 0
      const { inliers } = left
      return [{ ordinal, image, isMirrored, inliers, surplus, isAtEdge, distanceBits, region: regionOf(left.pairs) }]
    })
    .sort((a, b) => b.inliers - a.inliers || (a.image.id < b.image.id ? -1 : 1))
}

/** Whether one more detail, in a further cell, would be enough. */
function isNearlyShown({ inliers, cells, least }: Pick<Verified, 'inliers' | 'cells' | 'least'>): boolean {
  return inliers >= least - 1 && cells >= MIN_CELLS - 1
}

function regionOf(pairs: readonly AgreeingPair[]): Rectangle {
  const [xs, ys] = [pairs.map(({ x }) => x), pairs.map(({ y }) => y)]
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}
