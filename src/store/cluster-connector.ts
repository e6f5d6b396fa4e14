// The way to a Redis Cluster. All of Tabir's keys have one hash tag, so all lie on one of its masters: whoever asks connects to that
// one, and asks again who it is whenever the connection breaks.

import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { StandaloneConnector } from 'ioredis/built/connectors/index.js'
import { z } from 'zod'
import { keys } from './keys.js'
import type { RedisPlace } from './redis-url.js'

type Cluster = Extract<RedisPlace['address'], { kind: 'cluster' }>
interface Node {
  readonly host: string
  readonly port: number
}

const ASK_WITHIN_MS = 2000
/** CLUSTER SLOTS: first and last slot, then the master and its replicas, each with host, port, id. */
const Slots = z.array(z.tuple([z.int(), z.int()]).rest(z.tuple([z.string().nullable(), z.int()]).rest(z.unknown())))

/** @returns a connector for ioredis that finds, each time, the master that has the keys now. */
export function clusterConnector(cluster: Cluster) {
  const known = new Map(cluster.seeds.map((seed) => [nameOf(seed), seed]))
  return class extends StandaloneConnector {
    #hasFound = false

    constructor() {
      super({ ...cluster.seeds[0], ...tlsOf(cluster) })
    }

    override async connect(emit: Parameters<StandaloneConnector['connect']>[0]) {
      this.connecting = true
      const master = await this.#find()
      this.options = { ...master, ...tlsOf(cluster) }
      return super.connect(emit)
    }

    /** At a start, what fails is the operator's to see. Later nobody may know for a while, and an error here would be the connection's end. */
    async #find(): Promise<Node> {
      for (let attempt = 1; ; attempt++) {
        try {
          const master = await masterOf(cluster, known)
          this.#hasFound = true
          if (this.connecting) return master
        } catch (error) {
          if (!this.#hasFound) throw error
        }
        if (!this.connecting) throw new Error('Connection is closed.')
        await sleep(Math.min(50 * attempt, 500))
      }
    }
  }
}

export function tlsOf({ isTls }: Pick<Cluster, 'isTls'>) {
  return isTls ? { tls: {} } : {}
}

/** Asks one node after the other; what they say of others is remembered, so that it outlives those that were named. */
async function masterOf(cluster: Cluster, known: Map<string, Node>): Promise<Node> {
  let last: unknown = new Error('Connection is closed.')
  for (const node of [...known.values()]) {
    try {
      const { master, all } = await askNode(cluster, node)
      for (const each of all) known.set(nameOf(each), each)
      return master
    } catch (error) {
      last = error
    }
  }
  throw last
}

async function askNode(cluster: Cluster, node: Node): Promise<{ master: Node; all: Node[] }> {
  const redis = new Redis({
    ...node,
    ...tlsOf(cluster),
    ...(cluster.username !== undefined && { username: cluster.username }),
    ...(cluster.password !== undefined && { password: cluster.password }),
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: ASK_WITHIN_MS,
    commandTimeout: ASK_WITHIN_MS,
    maxRetriesPerRequest: 0,
    replyMapping: 'legacy' as const,
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    const slot = await redis.cluster('KEYSLOT', keys.prefix)
    const slots = Slots.parse(await redis.cluster('SLOTS'))
    // A node that does not know its own address names none: then it is the one that was asked.
    const place = ([host, port]: readonly [string | null, number, ...unknown[]]): Node => ({ host: host || node.host, port })
    const [, , master] = slots.find(([from, to]) => from <= slot && slot <= to) ?? []
    if (master === undefined) throw new Error('CLUSTERDOWN nobody has the slot of the keys')
    return { master: place(master), all: slots.flatMap(([, , ...nodes]) => nodes.map(place)) }
  } finally {
    redis.disconnect()
  }
}

function nameOf({ host, port }: Node): string {
  return `${host}:${port}`
}
