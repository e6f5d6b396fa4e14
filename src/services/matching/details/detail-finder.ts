// Finds the registered pictures that a query picture shows, by local features ("details"), in three steps: search the index for each detail and let the
// hits vote for images; verify the images with the highest votes; remove what a harmless picture explains.

import type { AskedView } from '../../../../packages/hash/src/details/features.js'
import {
  type AgreeingPair,
  MIN_CELLS,
  meetsThreshold,
  type Verified,
  verifiedBy,
  verify,
} from '../../../../packages/hash/src/details/verify.js'
import type { Rectangle } from '../../../../packages/hash/src/rectangle.js'
import type { Images } from '../../../store/images/images.js'
import type { CatalogueImage } from '../../index/image-facts.js'
import type { BitPermutation } from './bit-permutation.js'
import type { CommonRows } from './common-rows.js'
import { permutedView, type SearchedView, type VoteOptions, votesOf } from './detail-votes.js'

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
   * @throws {Problem} store-unavailable when candidates cannot be read.
   * Cost: a search for each of up to 2,700 details, and 1 ms for each of two views of up to 20 candidates.
   */
  find(views: readonly AskedView[], options: FindOptions): Promise<FoundByDetails[]>
}

export interface FindOptions extends VoteOptions {
  readonly mirrors: boolean
  /** Called with a wanted image that was narrowly missed. */
  readonly onMissed?: (imageId: string) => void
}

const CANDIDATES = 20
/** Maximum views verified for each candidate, because the view with the highest vote may show less of it than the second. */
const VIEWS_OF_EACH = 2

/** A view that voted for an image. */
interface VotingView extends SearchedView {
  /** Of the vote. */
  readonly weight: number
}

/** An image with the views that voted for it, highest vote first. */
interface Candidate {
  readonly ordinal: number
  readonly views: readonly VotingView[]
}

interface VerifiedImage {
  readonly ordinal: number
  readonly image: CatalogueImage
  readonly isMirrored: boolean
  readonly least: number
  /** Positions as shares of the sides of the query picture. */
  readonly pairs: readonly AgreeingPair[]
}

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
    async find(views, options) {
      const votes = new Map<number, VotingView[]>()
      for (const view of views) {
        for (const isMirrored of options.mirrors ? [false, true] : [false]) {
          const searched = permutedView(view, isMirrored, permutation)
          for (const [ordinal, weight] of await votesOf(searched, common, options))
            votes.set(ordinal, [...(votes.get(ordinal) ?? []), { ...searched, weight }])
        }
      }
      return withoutVetoed(await verifiedImages(bestCandidates(votes), images, options), options)
    },
  }
}

function bestCandidates(votes: ReadonlyMap<number, readonly VotingView[]>): Candidate[] {
  return [...votes]
    .map(([ordinal, views]) => ({ ordinal, views: views.toSorted((a, b) => b.weight - a.weight) }))
    .sort((a, b) => (b.views[0]?.weight ?? 0) - (a.views[0]?.weight ?? 0))
    .slice(0, CANDIDATES)
    .map(({ ordinal, views }) => ({ ordinal, views: views.slice(0, VIEWS_OF_EACH) }))
}

/** Reports wanted images that were narrowly missed. @returns the candidates that pass verification in one of their views. */
async function verifiedImages(
  candidates: readonly Candidate[],
  images: Pick<Images, 'points'>,
  { searcher, role, yieldIfNeeded, onMissed }: FindOptions,
): Promise<VerifiedImage[]> {
  const known = candidates.flatMap(({ ordinal, views }) => {
    const image = searcher.image(ordinal)
    return image === undefined ? [] : [{ ordinal, image, views }]
  })
  const points = known.length === 0 ? [] : await images.points(known.map(({ image }) => image.id))
  const verified: VerifiedImage[] = []
  for (const [i, { ordinal, image, views }] of known.entries()) {
    const registered = points[i]
    if (registered === undefined) continue // withdrawn since
    let isMissed = false
    for (const asked of views) {
      const { pairs, ...result } = verify(registered, asked.all(), asked.view)
      await yieldIfNeeded()
      isMissed ||= isNarrowlyMissed(result)
      if (!meetsThreshold(result)) continue
      isMissed = false
      const { isMirrored } = asked
      verified.push({ ordinal, image, isMirrored, least: result.least, pairs: pairs.map((pair) => inPicture(pair, asked)) })
      break
    }
    if (isMissed && role(ordinal) === 'wanted') onMissed?.(image.id)
  }
  return verified
}

function inPicture(pair: AgreeingPair, { view, isMirrored }: SearchedView): AgreeingPair {
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
function withoutVetoed(verified: readonly VerifiedImage[], { role, onMissed }: FindOptions): FoundByDetails[] {
  const vetoing = verified.filter(({ ordinal }) => role(ordinal) === 'harmless').flatMap(({ pairs }) => pairs)
  const isVetoed = (pair: AgreeingPair) =>
    vetoing.some((other) => Math.abs(other.x - pair.x) <= SAME_PLACE && Math.abs(other.y - pair.y) <= SAME_PLACE)
  return verified
    .filter(({ ordinal }) => role(ordinal) === 'wanted')
    .flatMap(({ ordinal, image, isMirrored, pairs, least }): FoundByDetails[] => {
      const left = verifiedBy(
        pairs.filter((pair) => !isVetoed(pair)),
        least,
      )
      if (!meetsThreshold(left)) {
        if (isNarrowlyMissed(left)) onMissed?.(image.id)
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
function isNarrowlyMissed({ inliers, cells, least }: Pick<Verified, 'inliers' | 'cells' | 'least'>): boolean {
  return inliers >= least - 1 && cells >= MIN_CELLS - 1
}

function regionOf(pairs: readonly AgreeingPair[]): Rectangle {
  const [xs, ys] = [pairs.map(({ x }) => x), pairs.map(({ y }) => y)]
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
}
