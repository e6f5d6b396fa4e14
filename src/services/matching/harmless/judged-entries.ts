// Whether a judgement about an entry is one about a submitted picture. A platform judges what it saw, which may be one of several frames, or one hash
// of many that somebody chose. The other rows of the entry must not keep a person's picture out.

import { type Signal, viewOf } from '../../../../packages/core/src/matching/signal.js'
import type { Hit } from '../../../../packages/core/src/search/hit.js'
import { MAX_IMAGE_SIGNALS } from '../../../../packages/hash/src/file-frames.js'
import { distance, type Hash256 } from '../../../../packages/hash/src/hash256.js'
import type { Catalogue } from '../../index/catalogue.js'

/** How far the rows of one picture may differ when it is hashed again. */
const SAME_BITS = 31
/** Maximum comparisons, some 4 ms. A longer entry is recognised as the very same set of hashes alone (`resubmission-block.ts`). */
const MAX_COMPARISONS = 200_000

/**
 * @param signals of the submitted picture or video.
 * @returns a function that says whether a hit of a judged entry counts: its whole, if the entry is a single picture that was sent as a file, and
 *   otherwise if each of its rows is near one of the submitted ones. Remembers what it said of an entry.
 */
export function judgedEntries(signals: readonly Signal[]): (catalogue: Catalogue, hit: Hit) => boolean {
  const known = new Map<number, boolean>()
  const given = (['pdq', 'pdq-area'] as const).map((type) => signals.filter((signal) => signal.type === type))
  return (catalogue, { image: ordinal, view }) => {
    if (viewOf(view) !== 'whole') return false
    const entry = catalogue.imageOrdinal(ordinal)
    const isAbout = known.get(entry) ?? isAboutAll(catalogue, entry, given)
    known.set(entry, isAbout)
    return isAbout
  }
}

function isAboutAll(catalogue: Catalogue, entry: number, [whole = [], areas = []]: (readonly Signal[])[]): boolean {
  const isVideo = catalogue.frameOf(entry + 1)?.video === entry
  const wholes = catalogue.index('pdq').rowsOf(entry, MAX_IMAGE_SIGNALS)
  if (!isVideo && wholes.length < 2 && catalogue.factsOf(entry)?.isByHashes !== true) return true
  let comparisons = 0
  const isNear = (hash: Hash256, own: readonly Signal[]) => {
    comparisons += own.length
    return comparisons <= MAX_COMPARISONS && own.some((signal) => distance(hash, signal.hash) <= SAME_BITS)
  }
  for (let ordinal = entry; ordinal === entry || catalogue.frameOf(ordinal)?.video === entry; ordinal++) {
    const pdq = catalogue.index('pdq').rowsOf(ordinal, MAX_IMAGE_SIGNALS)
    const area = catalogue.index('pdq-area').rowsOf(ordinal, MAX_IMAGE_SIGNALS)
    if (!pdq.every(({ hash }) => isNear(hash, whole)) || !area.every(({ hash }) => isNear(hash, areas))) return false
  }
  return true
}
