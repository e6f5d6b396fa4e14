// The way to a Redis Cluster. All of Tabir's keys have one hash tag, so all lie on one of its masters: whoever asks connects to that
// one, and asks again who it is whenever the connection breaks or a replica of it says that it is another.

import type { Redis } from 'ioredis'
import { z } from 'zod'
import { keys } from './keys.js'
import { askServer, connectionTo, masterConnector, type Node, nameOf, newestOf, type Told } from './master-connector.js'
import type { RedisPlace } from './redis-url.js'

type Cluster = Extract<RedisPlace['address'], { kind: 'cluster' }>

const LOOK_EVERY_MS = 500
/** CLUSTER SLOTS: first and last slot, then the master and its replicas, each with host, port, id. */
const Slots = z.array(
  z.tuple([z.int(), z.int()]).rest(z.tuple([z.string().nullable(), z.int(), z.string()]).rest(z.unknown())),
)
/** CLUSTER NODES: a line for each, with id, address, flags, master, ping, pong, epoch. */
const EPOCH_AT = 6

interface Said extends Told {
  /** The master and those that may take over from it. */
  readonly shard: readonly Node[]
  readonly all: readonly Node[]
}

/** @returns a connector for ioredis that finds, each time, the master that has the keys now, and leaves it when another has them. */
export function clusterConnector(cluster: Cluster) {
  // What nodes say of others is remembered, so that it outlives those that were named.
  let last: Said | undefined
  const find = async () => {
    const known = new Map([...cluster.seeds, ...(last?.all ?? [])].map((node) => [nameOf(node), node]))
    last = await newestOf([...known.values()], (node) => askServer(node, cluster, (redis) => ask(redis, node)))
    return last.master
  }
  const watchMaster = (onMaster: (master: Node) => void) =>
    watch(cluster, last, (said, isLater) => {
      last = said
      // Once for each change: who is looking for the master begins anew when he hears of another.
      if (isLater) onMaster(said.master)
    })
  return masterConnector({ find, watch: watchMaster }, cluster)
}

/**
 * Nobody calls out that there is another master, and the old one may keep its connections. So its replicas are asked, of which one is the new one; and
 * it itself, which knows who has become a replica of it since.
 *
 * @returns what ends that.
 */
function watch(cluster: Cluster, from: Said | undefined, onNews: (said: Said, isLater: boolean) => void): () => void {
  let newest = from
  const lines = new Map<string, Redis>()
  const asked = new Set<string>()
  const look = async (node: Node) => {
    const name = nameOf(node)
    if (asked.has(name)) return
    asked.add(name)
    const line = lines.get(name) ?? connectionTo(node, cluster, () => LOOK_EVERY_MS)
    lines.set(name, line)
    try {
      const said = await ask(line, node)
      const isLater = newest === undefined || said.epoch > newest.epoch
      if (!isLater && (said.epoch !== newest?.epoch || nameOf(said.master) !== name)) return
      newest = said
      onNews(said, isLater)
    } catch {
      // it is unavailable, and is asked again
    } finally {
      asked.delete(name)
    }
  }
  const timer = setInterval(() => {
    const shard = newest?.shard ?? []
    const names = new Set(shard.map(nameOf))
    for (const [name, line] of lines) {
      if (names.has(name)) continue
      line.disconnect()
      lines.delete(name)
    }
    for (const node of shard) look(node)
  }, LOOK_EVERY_MS)
  return () => {
    clearInterval(timer)
    for (const line of lines.values()) line.disconnect()
  }
}

/** @throws when it does not say who has the keys. */
async function ask(redis: Redis, asked: Node): Promise<Said> {
  const [slot, ranges, nodes] = await Promise.all([
    redis.cluster('KEYSLOT', keys.prefix),
    redis.cluster('SLOTS'),
    redis.cluster('NODES'),
  ])
  const slots = Slots.parse(ranges)
  // A node that does not know its own address names none: then it is the one that was asked.
  const place = ([host, port]: readonly [string | null, number, ...unknown[]]): Node => ({ host: host || asked.host, port })
  const [, , ...shard] = slots.find(([from, to]) => from <= slot && slot <= to) ?? []
  const [master] = shard
  if (master === undefined) throw new Error('CLUSTERDOWN nobody has the slot of the keys')
  const [, , id] = master
  const line =
    z
      .string()
      .parse(nodes)
      .split('\n')
      .find((each) => each.startsWith(id)) ?? ''
  return {
    master: place(master),
    epoch: z.coerce.number().int().parse(line.split(' ')[EPOCH_AT]),
    shard: shard.map(place),
    all: slots.flatMap(([, , ...all]) => all.map(place)),
  }
}
