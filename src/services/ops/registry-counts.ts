// How much is registered, and of what kind: for an operator's overview. Counts over everything, never a picture or a case.

import { bySignalType, type SignalType } from '../../../packages/core/src/matching/signal-types.js'
import type { OwnerCount, RegistrySize } from '../index/image-facts.js'
import type { Replica } from '../index/replica.js'
import { reused } from '../load/reused.js'
import { yielder } from '../load/yielding.js'

export interface RegistryCounts {
  readonly countedAtMs: number
  readonly images: number
  /** How many of them do not count in the size of the registry yet. */
  readonly recent: RegistrySize
  /** Stored images that match nothing: held for review, or judged false. Not included in `images`. */
  readonly silent: number
  readonly signals: Readonly<Record<SignalType, number>>
  /** Only groups with images. */
  readonly groups: readonly OwnerCount[]
}

export interface RegistryParts {
  readonly replica: Replica
  readonly now: () => number
  /** Never goes back. */
  readonly clock: () => number
}

/** How long a count is reused, so that frequent requests cost little. */
const FRESH_MS = 5_000
const SLICE_MS = 1

/**
 * @returns a function that counts, from memory. @throws {Problem} index-loading
 * Cost: a few nanoseconds per image, once in `FRESH_MS`, yielding every millisecond.
 */
export function createRegistryCounts({ replica, now, clock }: RegistryParts): () => Promise<RegistryCounts> {
  async function count(): Promise<RegistryCounts> {
    const { catalogue } = replica
    const yieldIfNeeded = yielder(SLICE_MS, clock)
    const countByOwner = catalogue.countByOwner()
    let step = countByOwner.next()
    for (; step.done !== true; step = countByOwner.next()) await yieldIfNeeded()
    return {
      countedAtMs: now(),
      images: catalogue.images,
      recent: catalogue.recent,
      silent: catalogue.silentImages,
      signals: bySignalType((type) => catalogue.index(type).liveRows),
      groups: step.value,
    }
  }

  return reused(count, FRESH_MS, now)
}
