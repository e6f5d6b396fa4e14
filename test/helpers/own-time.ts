// Time in which the process of a test could run.

import type { Test } from 'tap'

const TICK_MS = 10
/** Maximum time that counts between two ticks. In the rest the process did not run. */
const MAX_MS = 50

/**
 * Milliseconds in which this process could run. Hardly any pass while other processes have the processor. For promises about durations, which a busy
 * machine would break although the code does not.
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
