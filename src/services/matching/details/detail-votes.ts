// Searches the index for the details of a query's view, and lets the hits vote for images.

import { DETAIL_BITS } from '../../../../packages/core/src/matching/signal-types.js'
import type { Hit } from '../../../../packages/core/src/search/hit.js'
import type { AskedView } from '../../../../packages/hash/src/details/features.js'
import { askedFeatures, type PlacedFeature } from '../../../../packages/hash/src/details/kept.js'
import { placedRow } from '../../../../packages/hash/src/details/rows.js'
import { type FeatureMatch, voteOf } from '../../../../packages/hash/src/details/vote.js'
import type { Hash256 } from '../../../../packages/hash/src/hash256.js'
import type { Searcher } from '../../index/searcher.js'
import type { BitPermutation } from './bit-permutation.js'
import type { CommonRows } from './common-rows.js'
import { isDecorationOf } from './detail-rows.js'

export interface VoteOptions {
  readonly searcher: Searcher
  /** `wanted` for an image to find, `harmless` for one that vetoes what it shows. */
  readonly role: (ordinal: number) => 'wanted' | 'harmless' | undefined
  /** As from `yielder`: called about every millisecond. */
  readonly yieldIfNeeded: () => Promise<void> | undefined
}

/** Maximum details of a view that are searched for, the strongest. All of them are used to verify. */
const NEEDLES_A_VIEW = 150
const NEEDLES_AT_ONCE = 50
const MIN_AGREEING = 2
/** Maximum rows used for one detail, because anybody may register the same detail any number of times. */
const MAX_ROWS_OF_A_DETAIL = 64

/** A view of the query, as it is or mirrored, with permuted details. */
export interface SearchedView {
  readonly view: AskedView
  readonly isMirrored: boolean
  /** The details that are searched for. */
  readonly needles: readonly PlacedFeature[]
  /** All details. Cost: 150 µs, once. */
  readonly all: () => readonly PlacedFeature[]
}

export function permutedView(view: AskedView, isMirrored: boolean, permutation: BitPermutation): SearchedView {
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

/** @returns the weight of the vote for each image for which enough details agree, by ordinal. */
export async function votesOf(
  searched: SearchedView,
  common: CommonRows,
  { searcher, role, yieldIfNeeded }: VoteOptions,
): Promise<Map<number, number>> {
  const searching = matchesByImage(searcher, searched.needles, role)
  let step = searching.next()
  for (; step.done !== true; step = searching.next()) await yieldIfNeeded()
  const votes = new Map<number, number>()
  for (const [ordinal, matches] of step.value) {
    const { width = 0, height = 0 } = searcher.places.sizeOf(ordinal) ?? {}
    const centre = { x: width / 2, y: height / 2 }
    // Chance agreement is nearly always dropped here, before decoration is looked up.
    if (voteOf(matches, searched.view, centre).agreeing < MIN_AGREEING) continue
    const distinctive = matches.filter(({ asked }) => !common.isDecoration(asked.hash))
    const { agreeing, weight } = voteOf(distinctive, searched.view, centre)
    if (agreeing >= MIN_AGREEING) votes.set(ordinal, weight)
  }
  return votes
}

/** Searches for the details of a view, and pauses about every millisecond. @returns the matches of each image that has a role, by ordinal. */
function* matchesByImage(
  searcher: Searcher,
  needles: readonly PlacedFeature[],
  role: VoteOptions['role'],
): Generator<void, Map<number, FeatureMatch[]>, void> {
  const matches = new Map<number, FeatureMatch[]>()
  for (let first = 0; first < needles.length; first += NEEDLES_AT_ONCE) {
    const batch = needles.slice(first, first + NEEDLES_AT_ONCE)
    yield
    const hits = yield* searcher.search(
      'detail',
      batch.map(({ hash }): Hash256 => hash),
      DETAIL_BITS,
    )
    for (const [indexInBatch, near] of hitsByNeedle(hits)) {
      const asked = batch[indexInBatch]
      if (asked === undefined || isDecorationOf(searcher, near)) continue
      const pictures = new Set(near.map(({ image }) => searcher.places.subjectGroupOf(image))).size
      for (const { image, view: row, distanceBits } of atMost(near, asked.hash)) {
        const size = searcher.places.sizeOf(image)
        if (size === undefined || role(image) === undefined) continue
        const registered = { ...placedRow(searcher.places.rowOf(image, row), size), hash: asked.hash }
        const ofImage = matches.get(image) ?? []
        matches.set(image, ofImage)
        ofImage.push({ needle: first + indexInBatch, row, distanceBits, pictures, asked, registered })
      }
    }
  }
  return matches
}

/** @returns the hits of each hash of a search, by its index: a search for details numbers its hashes as `transform`. */
function hitsByNeedle(hits: readonly Hit[]): Map<number, Hit[]> {
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
