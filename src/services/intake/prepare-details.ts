// Makes the details of a picture fit to be kept: veiled, and without what other pictures have as well.

import type { RegisteredDetails } from '../../../packages/hash/src/details/details.js'
import type { Points } from '../../../packages/hash/src/details/rows.js'
import type { IndexedDetails } from '../../domain/matching/details.js'
import type { Signal } from '../../domain/matching/signal.js'
import type { Replica } from '../index/replica.js'
import { paceMaker } from '../load/yielding.js'
import type { CommonRows } from '../matching/common-rows.js'
import type { Veil } from '../matching/descriptor-permutation.js'
import { chosenRows } from '../matching/detail-rows.js'
import { kinOf } from '../matching/kin.js'

interface KeptDetails {
  readonly image: { readonly details: IndexedDetails }
  readonly beside: { readonly points: Points }
}

export interface Detailing {
  /**
   * @param kin of the picture, unless its hashes are near those of another one.
   * @throws {Problem} index-loading, store-unavailable
   */
  keep(signals: readonly Signal[], details: RegisteredDetails, kin: number): Promise<KeptDetails>
}

export interface DetailingParts {
  readonly replica: Pick<Replica, 'catalogue'>
  readonly veil: Veil
  readonly common: CommonRows
  /** Never goes back. */
  readonly clock: () => number
}

const TURN_MS = 1

export function detailingWith({ replica, veil, common, clock }: DetailingParts): Detailing {
  return {
    async keep(signals, plain, ownKin) {
      const { ranked, points } = veil.details(plain)
      const giveWay = paceMaker(TURN_MS, clock)
      const run = async <T>(work: Generator<void, T, void>): Promise<T> => {
        let step = work.next()
        for (; step.done !== true; step = work.next()) await giveWay()
        return step.value
      }
      const searcher = replica.catalogue.searcher()
      try {
        const kin = (await run(kinOf(searcher, signals))) ?? ownKin
        const rows = await run(chosenRows({ searcher, common }, ranked, kin))
        return { image: { details: { ...rows, kin } }, beside: { points } }
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
export function kinOfCase(caseId: string): number {
  return Number.parseInt(caseId.slice(0, 8), 16) >>> 0
}
