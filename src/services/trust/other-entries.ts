// Entries of other cases that hold the same picture. A decision is about one entry, so operators are shown the others.

import { CASES_BANK, CASES_BANK_NAME, thresholdOf } from '../../../packages/core/src/matching/bank.js'
import { Problem } from '../../domain/problem.js'
import type { Images } from '../../store/images/images.js'
import type { Catalogue } from '../index/catalogue.js'
import type { Replica } from '../index/replica.js'

/** Maximum ids of other entries. */
export const MAX_OTHER_ENTRIES = 20
/** Whole pictures that are compared: one of a picture, and the first frames of a video. */
const MAX_COMPARED = 8

/** Near entries that are read: copies within the same case must not hide those of others. */
const MAX_READ = 500
const READ_AT_ONCE = 50

/**
 * @returns the ids of signals, at most `MAX_OTHER_ENTRIES`; empty for an unknown signal; `undefined` while the index loads. Cost: a search, and reads of
 * `READ_AT_ONCE` entries until enough are found.
 */
export type OtherEntries = (signalId: string) => Promise<readonly string[] | undefined>

export function createOtherEntries({
  replica,
  images,
}: {
  readonly replica: Pick<Replica, 'catalogue'>
  readonly images: Pick<Images, 'get'>
}): OtherEntries {
  return async (signalId) => {
    const [own] = await images.get([signalId])
    const wholes = (own?.signals ?? []).filter(({ type, view }) => type === 'pdq' && view === 'whole')
    if (own === undefined || wholes.length === 0) return []
    const radiusBits = thresholdOf(CASES_BANK, 'pdq', { asked: 'whole', registered: 'whole', rotated: false })
    const needles = wholes.slice(0, MAX_COMPARED).map(({ hash }) => hash)
    const catalogue = loadedOf(replica)
    if (catalogue === undefined) return undefined
    const near = new Set<string>()
    for (const { image } of catalogue.index('pdq').within(needles, radiusBits)) {
      const other = catalogue.image(image)
      if (other?.bank === CASES_BANK_NAME && other.id !== signalId) near.add(other.id)
      if (near.size === MAX_READ) break
    }
    const ids = [...near]
    const others: string[] = []
    for (let at = 0; at < ids.length && others.length < MAX_OTHER_ENTRIES; at += READ_AT_ONCE) {
      const some = ids.slice(at, at + READ_AT_ONCE)
      const found = await images.get(some)
      others.push(...some.filter((_, i) => found[i] !== undefined && found[i]?.caseId !== own.caseId))
    }
    return others.slice(0, MAX_OTHER_ENTRIES).sort()
  }
}

function loadedOf(replica: Pick<Replica, 'catalogue'>): Catalogue | undefined {
  try {
    return replica.catalogue
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
