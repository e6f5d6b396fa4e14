// Time limits that do not count a pause. After a suspended machine or a browser's frozen page runs again, all timers are due at once, although what
// they watch was paused as well.

/** One pause makes a limit shorter by one of this many parts at most. */
const PARTS = 10

interface Timers<T> {
  readonly set: (ring: () => void, ms: number) => T
  readonly clear: (timer: T) => void
}

/**
 * Calls `ring` once after `ms` in which this process ran.
 * @returns a function that cancels it.
 */
export function afterRunning(ms: number, ring: () => void): () => void {
  return afterRunningBy({ set: setTimeout, clear: clearTimeout }, ms, ring)
}

/** The same with other timers, for tests. */
export function afterRunningBy<T>({ set, clear }: Timers<T>, ms: number, ring: () => void): () => void {
  let left = PARTS
  const wait = (): T => set(onPart, Math.ceil(ms / PARTS))
  const onPart = () => {
    if (--left === 0) ring()
    else timer = wait()
  }
  let timer = wait()
  return () => clear(timer)
}
