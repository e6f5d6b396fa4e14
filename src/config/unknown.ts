// Finds variables that look like settings but are not: a misspelt setting would otherwise be ignored.

import { Variables } from './variables.js'

const MAX_NAMED = 20
/** Variables of docker-compose.yml, tests, fuzzers and benchmarks. */
const OF_OTHERS = /^TABIR_(REDIS_PASSWORD|TEST_\w+|FUZZ_\w+|BENCH_\w+)$/
const KNOWN = Object.keys(Variables.shape).filter((name) => name.startsWith('TABIR_'))

/** @returns a line for each unknown variable, with the most similar setting if one is close. */
export function unknownSettings(names: readonly string[]): string[] {
  const unknown = names.filter((name) => name.startsWith('TABIR_') && !KNOWN.includes(name) && !OF_OTHERS.test(name))
  return unknown.slice(0, MAX_NAMED).map((name) => {
    const near = nearest(name)
    return `${name} is no setting of Tabir${near === undefined ? '' : `: is ${near} meant?`}`
  })
}

function nearest(name: string): string | undefined {
  const own = name.slice('TABIR_'.length)
  const [best] = KNOWN.map((known) => ({ known, edits: editsBetween(own, known.slice('TABIR_'.length)) })).sort(
    (a, b) => a.edits - b.edits,
  )
  // A name counts as misspelt if at most a third of it differs.
  return best !== undefined && best.edits <= Math.max(2, own.length / 3) ? best.known : undefined
}

/** Edit distance: letters inserted, deleted, changed, or swapped with their neighbour. */
function editsBetween(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1
      let edits = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + differs)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      row.push(edits)
    }
    before = above
    above = row
  }
  return above[b.length] ?? 0
}
