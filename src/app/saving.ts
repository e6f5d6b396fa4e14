// Snapshots of the index, on the clock.

import type { Replica } from '../services/index/replica.js'

/** Saves snapshots from time to time, one after the other, and a last one when it is closed. */
export function createSaving(
  intervalMs: number | undefined,
  replica: Pick<Replica, 'saveSnapshot'>,
  onError: (error: unknown) => void,
) {
  let last: Promise<void> = Promise.resolve()
  const save = () => {
    last = last.then(() => replica.saveSnapshot()).catch(onError)
    return last
  }
  const timer = intervalMs === undefined ? undefined : setInterval(save, intervalMs).unref()
  return {
    async close(): Promise<void> {
      clearInterval(timer)
      await save()
    },
  }
}
