// How full Redis is, and how far its replicas are behind, as INFO says.

import type { Store } from './client.js'

export interface RedisLoad {
  readonly usedBytes: number
  /** `maxmemory`; `undefined` without a limit. */
  readonly maxBytes: number | undefined
  /** Those that are connected and follow. */
  readonly replicas: readonly ReplicaLag[]
}

interface ReplicaLag {
  /** Since it last said how far it has come; a replica does so once a second. */
  readonly silentS: number
  /** What it has not confirmed. */
  readonly behindBytes: number
}

/** @throws {Problem} store-unavailable */
export async function redisLoad(store: Store): Promise<RedisLoad> {
  const [memory, replication] = await store.ask((redis) => Promise.all([redis.info('memory'), redis.info('replication')]))
  const maxBytes = Number(infoField(memory, 'maxmemory') ?? 0)
  const offset = Number(infoField(replication, 'master_repl_offset') ?? 0)
  const replicas = replication.matchAll(/^slave\d+:.*\bstate=online,offset=(\d+),lag=(\d+)/gm)
  return {
    usedBytes: Number(infoField(memory, 'used_memory') ?? 0),
    maxBytes: maxBytes === 0 ? undefined : maxBytes,
    replicas: Array.from(replicas, ([, own, lag]) => ({
      silentS: Number(lag),
      behindBytes: Math.max(0, offset - Number(own)),
    })),
  }
}

/** One line of INFO. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
}
