// Finds the master through Sentinels. All are asked at once; a failover is acted on as soon as any Sentinel announces it.

import { z } from 'zod'
import { askServer, connectionTo, masterConnector, type Node, newestOf, type Told } from './master-connector.js'
import type { RedisPlace } from './redis-url.js'

type Watched = Extract<RedisPlace['address'], { kind: 'sentinel' }>

const SWITCHED = '+switch-master'
const RECONNECT_DELAY_MS = 500
const MasterAddress = z.tuple([z.string(), z.coerce.number().int()])
const Facts = z.array(z.string())

/** @returns a connector for ioredis that connects to the current master, and reconnects when a Sentinel announces another. */
export function sentinelConnector(watched: Watched) {
  return masterConnector({ find: () => presentMaster(watched), watch: (onMaster) => listen(watched, onMaster) }, watched)
}

/** @throws {Error} when no Sentinel names a master. */
async function presentMaster(watched: Watched): Promise<Node> {
  try {
    return (await newestOf(watched.sentinels, (sentinel) => askSentinel(watched, sentinel))).master
  } catch (cause) {
    throw new Error('Connection is closed. No Sentinel names a master.', { cause })
  }
}

/** Sentinels are asked without a password (decision 0056). */
const manner = ({ isTls }: Watched) => ({ isTls, username: undefined, password: undefined })

async function askSentinel(watched: Watched, sentinel: Node): Promise<Told> {
  return await askServer(sentinel, manner(watched), async (redis) => {
    const [host, port] = MasterAddress.parse(await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', watched.name))
    const facts = Facts.parse(await redis.call('SENTINEL', 'MASTER', watched.name))
    return { master: { host, port }, epoch: Number(facts[facts.indexOf('config-epoch') + 1]) }
  })
}

function listen(watched: Watched, onMaster: (master: Node) => void): () => void {
  const subscribers = watched.sentinels.map((sentinel) => {
    const subscriber = connectionTo(sentinel, manner(watched), () => RECONNECT_DELAY_MS)
    subscriber.on('message', (_channel, text: string) => {
      const [name, , , host, port] = text.split(' ')
      if (name === watched.name && host !== undefined) onMaster({ host, port: Number(port) })
    })
    subscriber.on('ready', () => {
      subscriber
        .subscribe(SWITCHED)
        .then(() => presentMaster(watched)) // a failover before the subscription was not announced to us
        .then(onMaster)
        .catch(() => {}) // disconnected again: the next 'ready' subscribes
    })
    subscriber.connect().catch(() => {}) // it reconnects by itself
    return subscriber
  })
  return () => {
    for (const subscriber of subscribers) subscriber.disconnect()
  }
}
