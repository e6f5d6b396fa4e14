// The way to a Redis Cluster. All of Tabir's keys have one hash tag, so all lie on one of its masters: whoever asks connects to that
// one, and asks again who it is whenever the connection breaks.

import { z } from 'zod'
import { keys } from './keys.js'
import { askServer, masterConnector, type Node, nameOf } from './master-connector.js'
import type { RedisPlace } from './redis-url.js'

type Cluster = Extract<RedisPlace['address'], { kind: 'cluster' }>

/** CLUSTER SLOTS: first and last slot, then the master and its replicas, each with host, port, id. */
const Slots = z.array(z.tuple([z.int(), z.int()]).rest(z.tuple([z.string().nullable(), z.int()]).rest(z.unknown())))

/** @returns a connector for ioredis that finds, each time, the master that has the keys now. */
export function clusterConnector(cluster: Cluster) {
  const known = new Map(cluster.seeds.map((seed) => [nameOf(seed), seed]))
  return masterConnector({ find: () => masterOf(cluster, known) }, cluster)
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
  return await askServer(node, cluster, async (redis) => {
    const slot = await redis.cluster('KEYSLOT', keys.prefix)
    const slots = Slots.parse(await redis.cluster('SLOTS'))
    // A node that does not know its own address names none: then it is the one that was asked.
    const place = ([host, port]: readonly [string | null, number, ...unknown[]]): Node => ({ host: host || node.host, port })
    const [, , master] = slots.find(([from, to]) => from <= slot && slot <= to) ?? []
    if (master === undefined) throw new Error('CLUSTERDOWN nobody has the slot of the keys')
    return { master: place(master), all: slots.flatMap(([, , ...nodes]) => nodes.map(place)) }
  })
}
