// Time as it passes for a process that gets its turns.

import type { Test } from 'tap'
import { until } from './service.js'

const TICK_MS = 10
/** Between two ticks of a process that gets its turns. */
const MAX_MS = 50

/**
 * Milliseconds in which this process could do something: when it stood still, because others had the processor, hardly any passed. For
 * promises about how long something takes, which a machine with other things to do breaks where the code does not.
 */
export function ownTime(t: Pick<Test, 'teardown'>): () => number {
  let countedMs = 0
  let lastMs = performance.now()
  const sinceMs = () => Math.min(performance.now() - lastMs, MAX_MS)
  const timer = setInterval(() => {
    countedMs += sinceMs()
    lastMs = performance.now()
  }, TICK_MS)
  t.teardown(() => clearInterval(timer))
  return () => countedMs + sinceMs()
}

/** Waits for what comes about by itself. @returns how long that took, in own time. */
export async function tookMs(t: Pick<Test, 'teardown'>, condition: Parameters<typeof until>[0]): Promise<number> {
  const now = ownTime(t)
  const fromMs = now()
  await until(condition)
  return now() - fromMs
}

/** Of some measurements: what a busy machine adds to a few is not what the code adds to all. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
