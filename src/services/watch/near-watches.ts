// Finds the watches that a registered picture or video may be a copy of.

import { type Bank, widestAskedLineThresholdOf, widestAskedThresholdOf } from '../../../packages/core/src/matching/bank.js'
import { dependsOnOrientation } from '../../../packages/core/src/matching/evidence.js'
import type { Signal } from '../../../packages/core/src/matching/signal.js'
import type { Catalogue } from '../index/catalogue.js'
import { yielder } from '../load/yielding.js'
import { allOrientations, orientationGroupsOf } from '../matching/orientations.js'

export interface NearWatch {
  readonly watchId: string
  readonly orgId: string
  /** Of a watched video: which of its frames are near, by their index, in ascending order. A match needs no others. */
  readonly frames: readonly number[]
}

const SLICE_MS = 1

/**
 * Finds all watches with a signal within the widest distance that the bank accepts as evidence, for two videos also as a pair of frames on a line;
 * possibly others as well. Yields to the event loop every millisecond.
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
    const framesNear = new Map<number, Set<number>>()
    for (const { type, view, quality, hash, frame } of signals) {
      // A match rotates the watched picture; here the registered one is rotated instead. Distances are the same, because the inverse rotation only
      // moves and inverts bits. All eight orientations are searched, within the wider of both thresholds.
      const asked = { type, view, quality, hashes: allOrientations(type, hash) }
      for (const { rotated, hashes } of orientationGroupsOf(asked)) {
        const isRotated = rotated && dependsOnOrientation(type)
        const bits = widestAskedThresholdOf(bank, type, view, isRotated)
        const ofLine = frame === undefined ? bits : widestAskedLineThresholdOf(bank, type, view, isRotated)
        const search = searcher.search(type, hashes, Math.max(bits, ofLine))
        let step = search.next()
        for (; step.done !== true; step = search.next()) await yieldIfNeeded()
        for (const { image, distanceBits } of step.value) {
          const watched = searcher.frameNumberOf(image)
          if (watched === 0 && distanceBits > bits) continue
          const ordinal = searcher.imageOrdinal(image)
          const near = framesNear.get(ordinal) ?? new Set()
          framesNear.set(ordinal, near)
          if (watched > 0) near.add(watched - 1)
        }
      }
    }
    return Array.from(framesNear).flatMap(([ordinal, near]) => {
      const found = searcher.image(ordinal)
      const frames = [...near].sort((a, b) => a - b)
      return found === undefined ? [] : [{ watchId: found.id, orgId: found.bank, frames }]
    })
  } finally {
    searcher.release()
  }
}
