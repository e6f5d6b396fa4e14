// Snapshots of the index, on the clock.

import type { Replica } from '../services/index/replica.js'

/** Saves snapshots from time to time, one after the other, and a last one when it is closed. */
export function savingEvery(
  everyMs: number | undefined,
  replica: Pick<Replica, 'saveSnapshot'>,
  onTrouble: (error: unknown) => void,
) {
  let last: Promise<void> = Promise.resolve()
  const save = () => {
    last = last.then(() => replica.saveSnapshot()).catch(onTrouble)
    return last
  }
  const timer = everyMs === undefined ? undefined : setInterval(save, everyMs).unref()
  return {
    async close(): Promise<void> {
      clearInterval(timer)
      await save()
    },
  }
}
