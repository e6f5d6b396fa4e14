// Canaries: signals of no picture, which an operator planted. An organisation that matches one has a hash that was never given to anybody.

import type { Store } from '../redis/client.js'
import { idBuffer, keys } from '../redis/keys.js'

export interface Canaries {
  add(signalId: string): Promise<void>
  /** Which of these images are canaries. */
  among(imageIds: readonly string[]): Promise<string[]>
}

export function createCanaryStore(store: Store): Canaries {
  return {
    async add(signalId) {
      await store.ask((redis) => redis.sadd(keys.canaries, idBuffer(signalId)))
    },
    async among(imageIds) {
      if (imageIds.length === 0) return []
      const found = await store.ask((redis) => redis.smismember(keys.canaries, ...imageIds.map(idBuffer)))
      return imageIds.filter((_, i) => found[i] === 1)
    },
  }
}
