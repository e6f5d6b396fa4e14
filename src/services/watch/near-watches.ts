// Finds the watches that a registered picture may be a copy of.

import { dependsOnOrientation } from '../../domain/matching/evidence.js'
import type { Signal } from '../../domain/matching/signal.js'
import { type Bank, widestAskedThresholdOf } from '../../domain/organisations/bank.js'
import type { Catalogue } from '../index/catalogue.js'
import { yielder } from '../load/yielding.js'
import { allOrientations, orientationGroupsOf } from '../matching/orientations.js'

export interface NearWatch {
  readonly watchId: string
  readonly orgId: string
}

const SLICE_MS = 1

/**
 * Finds all watches with a signal within the widest distance that the bank accepts as evidence; possibly others as well.
 * Yields to the event loop every millisecond.
 */
export async function nearWatches(
  catalogue: Catalogue,
  signals: readonly Signal[],
  bank: Bank,
  clock: () => number,
): Promise<NearWatch[]> {
  const yieldIfNeeded = yielder(SLICE_MS, clock)
  const searcher = catalogue.searcher()
  try {
    const ordinals = new Set<number>()
    for (const { type, view, quality, hash } of signals) {
      // A match rotates the watched picture; here the registered one is rotated instead. Distances are the same, because the inverse rotation only
      // moves and inverts bits. All eight orientations are searched, within the wider of both thresholds.
      const asked = { type, view, quality, hashes: allOrientations(type, hash) }
      for (const { rotated, hashes } of orientationGroupsOf(asked)) {
        const bits = widestAskedThresholdOf(bank, type, view, rotated && dependsOnOrientation(type))
        const search = searcher.search(type, hashes, bits)
        let step = search.next()
        for (; step.done !== true; step = search.next()) await yieldIfNeeded()
        for (const { image } of step.value) ordinals.add(image)
      }
    }
    return Array.from(ordinals).flatMap((ordinal) => {
      const found = searcher.image(ordinal)
      return found === undefined ? [] : [{ watchId: found.id, orgId: found.bank }]
    })
  } finally {
    searcher.release()
  }
}
