// Recall against cost: the same queries with other searches. Uses the index alone, so that searches that the service does not have can be measured.

import { orientationGroupsOf, searchBits } from '../robustness/hasher.mjs'
import { Cells, References } from '../robustness/references.mjs'
import { isFound } from '../robustness/tally.mjs'

/** One known picture's edit in so many: what is compared is the difference between two ways. */
const EVERY = 3

/** How far a view is searched: `bits` completely, and beyond what the search comes across up to `farthest`. `kind` is a line of the chart. */
const WAYS = [
  ...[52, 48, 44, 40, 34].map((most) => ({
    kind: 'complete',
    name: `complete within ${most} bits`,
    radius: (widest) => ({ bits: Math.min(widest, most), farthest: Math.min(widest, most) }),
  })),
  ...[39, 31, 23, 19, 15].map((most) => ({
    kind: 'first pass',
    name: `first pass complete within ${most} bits`,
    radius: (widest) => ({ bits: Math.min(widest, most), farthest: widest }),
  })),
]

/** @returns `{ kind, name, coreMs, recall }` of each way to search: mean time for unregistered pictures, and the percentage of matching edits it finds a row of. */
export function frontierOf({ catalogue, ordinals }, { foreign, known }) {
  const copies = known.flatMap(({ name, registered, asked }) =>
    asked
      .filter((_, i) => i % EVERY === 0)
      .map(({ image }) => ({ image, own: ordinals.get(name), isMatch: matches(image, registered) })),
  )
  const unknown = foreign.flatMap(({ asked }) => asked)
  return WAYS.map(({ kind, name, radius }) => {
    const found = copies.filter(({ image, own, isMatch }) => isMatch && searched(catalogue, image, radius, own)).length
    for (const { image } of unknown.slice(0, 5)) searched(catalogue, image, radius)
    const start = process.cpuUsage()
    for (const { image } of unknown) searched(catalogue, image, radius)
    const { user, system } = process.cpuUsage(start)
    return { kind, name, coreMs: (user + system) / 1000 / unknown.length, recall: (100 * found) / copies.length }
  })
}

function searched(catalogue, { signals }, radius, own) {
  let isFound = false
  for (const signal of signals) {
    for (const { rotated, hashes } of orientationGroupsOf(signal)) {
      const widest = searchBits(signal.type, signal.view, rotated)
      const { bits, farthest } = signal.type === 'pdq-area' ? radius(widest) : { bits: widest, farthest: widest }
      const search = catalogue.index(signal.type).search(hashes, bits, farthest - bits)
      let step = search.next()
      while (step.done !== true) step = search.next()
      isFound ||= step.value.some(({ image }) => image === own)
      if (isFound && own !== undefined) return true
    }
  }
  return isFound
}

/** By the rules of evidence and all pairs of rows. */
function matches({ signals }, registered) {
  const cells = new Cells()
  const references = new References(cells)
  references.add(registered)
  return isFound(references.nearest(signals).get(0), cells)
}
