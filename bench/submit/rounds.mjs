// Rounds of work at a steady rate, and the processor time of each process during them.

import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

export const cores = availableParallelism()

/**
 * `work`, so many at a time. The clock runs over `count` of them: from when as many as are under way have ended, until `count` more have, and
 * as many are under way at both moments.
 */
export async function steadily({ count, parallel, work, kinds }) {
  let ended = 0
  let spent
  let figures
  await inParallel(parallel, count + 2 * parallel, async () => {
    await work()
    ended++
    if (ended === parallel) spent = measured(kinds, count)
    if (ended === parallel + count) figures = spent()
  })
  return figures
}

export async function inParallel(parallel, count, work) {
  let begun = 0
  const one = async () => {
    while (begun < count) {
      begun++
      await work()
    }
  }
  await Promise.all(Array.from({ length: parallel }, one))
}

/** @returns a function that gives the pictures a second since now, and the core-ms of each process a picture. `idle` is the rest, also that of other programs. */
function measured(kinds, count) {
  const before = coreMsOf(kinds)
  const begun = performance.now()
  return () => {
    const tookMs = performance.now() - begun
    const after = coreMsOf(kinds)
    const coreMs = Object.fromEntries(Object.keys(after).map((name) => [name, round((after[name] - before[name]) / count)]))
    const all = Object.values(coreMs).reduce((a, b) => a + b, 0)
    if (Object.keys(after).length === 0) return { perS: count / (tookMs / 1000), coreMs: {} }
    return { perS: count / (tookMs / 1000), coreMs: { ...coreMs, idle: round((cores * tookMs) / count - all) } }
  }
}

/** Processor time of each kind of process so far; nothing on systems without /proc. */
function coreMsOf(kinds) {
  if (!existsSync('/proc/self/stat')) return {}
  const spent = (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')
    return 10 * (Number(fields[11]) + Number(fields[12]))
  }
  return Object.fromEntries(Object.entries(kinds).map(([name, pids]) => [name, pids.map(spent).reduce((a, b) => a + b, 0)]))
}

/** @returns pids of its children and theirs: a sandbox may start the decoder through another program. */
export function descendantsOf(pid) {
  const file = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(file)) return []
  const children = readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

export function round(value, digits = 1) {
  return Number(value.toFixed(digits))
}
