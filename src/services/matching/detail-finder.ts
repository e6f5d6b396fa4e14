// Which registered pictures are in one that is asked about, by its details: found by an index, put in order by a vote, and verified.

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
  /** Details that agree: 8 at least. */
  readonly inliers: number
  /** The median over them. */
  readonly distanceBits: number
  /** What they cover of the picture that is asked about, in parts of its sides, 0…1. */
  readonly region: Rectangle
  readonly isMirrored: boolean
  /** How many more agree than it takes. */
  readonly surplus: number
  /** Might one detail more or less have decided whether it is found? */
  readonly isAtEdge: boolean
}

export interface DetailFinder {
  /**
   * @param options.role what an image is to the question: to be found, to veto what it shows, or neither.
   * @param options.yieldIfNeeded as of `paceMaker`: called every millisecond or so.
   * @returns the surest first, each image once.
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
  /** Told of an image that is to be found and nearly was. */
  readonly onMissed?: (imageId: string) => void
}

/** Of the details of a view, the strongest are searched for and all are verified by. */
const NEEDLES_A_VIEW = 150
const NEEDLES_AT_ONCE = 50
const MIN_AGREEING = 2
const CANDIDATES = 20
/** Anybody may register the same detail any number of times. */
const MAX_ROWS_OF_A_DETAIL = 64
/** The view that a vote is surest of may show less of a candidate than the next one. */
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

      /** Those of the candidates that are verified. */
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

/** A view, one way round, with its details as the registry has them. */
interface Looking {
  readonly view: AskedView
  readonly isMirrored: boolean
  /** Those that are searched for. */
  readonly needles: readonly PlacedFeature[]
  /** All of them. Cost: 150 µs, once. */
  readonly all: () => readonly PlacedFeature[]
}

interface Candidate extends Looking {
  readonly ordinal: number
  readonly weight: number
}

/** In views, the surest first. */
interface Voted {
  readonly ordinal: number
  readonly views: readonly Candidate[]
}

interface Shown extends Candidate {
  readonly image: CatalogueImage
  readonly least: number
  /** In parts of the sides of the picture that is asked about. */
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
      const kins = new Set(near.map(({ image }) => searcher.places.subjectGroupOf(image))).size
      for (const { image, view: row, distanceBits } of atMost(near, feature.hash)) {
        const size = searcher.places.sizeOf(image)
        if (size === undefined || role(image) === undefined) continue
        const registered = { ...placedRow(searcher.places.rowOf(image, row), size), hash: feature.hash }
        const own = matchEvents.get(image) ?? []
        matchEvents.set(image, own)
        own.push({ needle: first + needle, row, distanceBits, pictures: kins, asked: feature, registered })
      }
    }
  }
  return [...matchEvents].flatMap(([ordinal, all]) => {
    const { width = 0, height = 0 } = searcher.places.sizeOf(ordinal) ?? {}
    const centre = { x: width / 2, y: height / 2 }
    // What is seen by chance nearly always ends here, and nothing needs to be looked up for it.
    if (voteOf(all, view, centre).agreeing < MIN_AGREEING) return []
    const own = all.filter(({ asked }) => !common.isDecoration(asked.hash))
    const { agreeing, weight } = voteOf(own, view, centre)
    return agreeing < MIN_AGREEING ? [] : [{ ...looking, ordinal, weight }]
  })
}

/** The surest first. */
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

/** Others for each detail, so that what is left out of one is voted for by the next. */
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

/** Within so much of the picture's sides, two pairs are of the same detail. */
const SAME_PLACE = 0.01

/**
 * Without what is only there because something harmless is. Detail by detail and not picture by picture, as hashes are vetoed hit by hit:
 * somebody who puts a well-known picture beside an intimate one hides only the well-known one.
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

/** But for one detail, which may lie in a cell of its own. */
function isNearlyShown({ inliers, cells, least }: Pick<Verified, 'inliers' | 'cells' | 'least'>): boolean {
  return inliers >= least - 1 && cells >= MIN_CELLS - 1
}

function regionOf(pairs: readonly AgreeingPair[]): Rectangle {
  const [xs, ys] = [pairs.map(({ x }) => x), pairs.map(({ y }) => y)]
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}
