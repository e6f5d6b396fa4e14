// Memory use of Redis, the lag of its replicas, and how it may lose data, from INFO.

import type { Store } from './client.js'

export interface RedisLoad {
  readonly usedBytes: number
  /** `maxmemory`; `undefined` without a limit. */
  readonly maxBytes: number | undefined
  /** The replicas that are connected and in sync. */
  readonly replicas: readonly ReplicaLag[]
}

interface ReplicaLag {
  /** [seconds] since its last report; a replica reports once a second. */
  readonly silentS: number
  /** Bytes of the replication stream that it has not confirmed. */
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

/**
 * How this Redis may lose what was acknowledged, in sentences for the operator. The private one is configured, and has none.
 * @throws {Problem} store-unavailable
 */
export async function redisRisks(store: Store): Promise<string[]> {
  const info = await store.ask((redis) => redis.info())
  const policy = infoField(info, 'maxmemory_policy') ?? 'noeviction'
  return [
    ...(infoField(info, 'aof_enabled') === '0'
      ? ['Redis keeps no log on disk: a crash loses everything that was acknowledged. Set appendonly yes.']
      : []),
    ...(policy === 'noeviction' ? [] : ['Redis evicts data when its memory is full. Set maxmemory-policy noeviction.']),
  ]
}

/** The value of one line of INFO; `undefined` when there is no such line. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1]
}
