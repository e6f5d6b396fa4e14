// Saves snapshots of the index periodically.

import type { Replica } from '../services/index/replica.js'

/** Saves snapshots one after the other, and a last one on close. */
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
