// Prepares the details of a picture for storage: permutes their bits, and drops features that many other pictures share.

import type { IndexedDetails } from '../../../packages/core/src/matching/indexed-details.js'
import type { Signal } from '../../../packages/core/src/matching/signal.js'
import type { RegisteredDetails } from '../../../packages/hash/src/details/details.js'
import type { Points } from '../../../packages/hash/src/details/rows.js'
import type { Replica } from '../index/replica.js'
import { yielder } from '../load/yielding.js'
import type { BitPermutation } from '../matching/details/bit-permutation.js'
import type { CommonRows } from '../matching/details/common-rows.js'
import { chosenRows } from '../matching/details/detail-rows.js'
import { subjectGroupOf } from './subject-groups.js'

interface KeptDetails {
  readonly image: { readonly details: IndexedDetails }
  readonly beside: { readonly points: Points }
}

export interface Detailing {
  /**
   * @param subjectGroup of the picture, unless its hashes are near those of a registered picture: then it gets the group of that picture.
   * @throws {Problem} index-loading, store-unavailable
   */
  keep(signals: readonly Signal[], details: RegisteredDetails, subjectGroup: number): Promise<KeptDetails>
}

export interface DetailingParts {
  readonly replica: Pick<Replica, 'catalogue'>
  readonly permutation: BitPermutation
  readonly common: CommonRows
  /** [ms] never goes back. */
  readonly clock: () => number
}

const SLICE_MS = 1

export function createDetailing({ replica, permutation, common, clock }: DetailingParts): Detailing {
  return {
    async keep(signals, plain, ownSubjectGroup) {
      const { ranked, points } = permutation.details(plain)
      const yieldIfNeeded = yielder(SLICE_MS, clock)
      const run = async <T>(work: Generator<void, T, void>): Promise<T> => {
        let step = work.next()
        for (; step.done !== true; step = work.next()) await yieldIfNeeded()
        return step.value
      }
      const searcher = replica.catalogue.searcher()
      try {
        const subjectGroup = (await run(subjectGroupOf(searcher, signals))) ?? ownSubjectGroup
        const rows = await run(chosenRows({ searcher, common }, ranked, subjectGroup))
        return { image: { details: { ...rows, subjectGroup } }, beside: { points } }
      } finally {
        searcher.release()
      }
    },
  }
}

/**
 * The subject group of a case's pictures: a number of 32 bits. A feature counts as decoration only if several groups have it. So three screenshots of
 * the same chat in one case do not make the chat's layout a common feature.
 */
export function subjectGroupOfCase(caseId: string): number {
  return Number.parseInt(caseId.slice(0, 8), 16) >>> 0
}
