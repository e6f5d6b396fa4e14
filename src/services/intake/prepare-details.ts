// Makes the details of a picture fit to be kept: veiled, and without what other pictures have as well.

import type { RegisteredDetails } from '../../../packages/hash/src/details/details.js'
import type { Points } from '../../../packages/hash/src/details/rows.js'
import type { IndexedDetails } from '../../domain/matching/details.js'
import type { Signal } from '../../domain/matching/signal.js'
import type { Replica } from '../index/replica.js'
import { paceMaker } from '../load/yielding.js'
import type { BitPermutation } from '../matching/bit-permutation.js'
import type { CommonRows } from '../matching/common-rows.js'
import { chosenRows } from '../matching/detail-rows.js'
import { subjectGroupOf } from '../matching/subject-groups.js'

interface KeptDetails {
  readonly image: { readonly details: IndexedDetails }
  readonly beside: { readonly points: Points }
}

export interface Detailing {
  /**
   * @param kin of the picture, unless its hashes are near those of another one.
   * @throws {Problem} index-loading, store-unavailable
   */
  keep(signals: readonly Signal[], details: RegisteredDetails, subjectGroup: number): Promise<KeptDetails>
}

export interface DetailingParts {
  readonly replica: Pick<Replica, 'catalogue'>
  readonly permutation: BitPermutation
  readonly common: CommonRows
  /** Never goes back. */
  readonly clock: () => number
}

const SLICE_MS = 1

export function createDetailing({ replica, permutation, common, clock }: DetailingParts): Detailing {
  return {
    async keep(signals, plain, ownSubjectGroup) {
      const { ranked, points } = permutation.details(plain)
      const yieldIfNeeded = paceMaker(SLICE_MS, clock)
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
 * All pictures of a case are kin until hashes say otherwise: three screenshots of one chat by one person are no sign that the chat is
 * decoration.
 */
export function subjectGroupOfCase(caseId: string): number {
  return Number.parseInt(caseId.slice(0, 8), 16) >>> 0
}
