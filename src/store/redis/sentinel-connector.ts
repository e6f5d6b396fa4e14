// The way to the master that Sentinels know: all of them are asked at once, and whoever of them speaks first of a new one is believed.

import { z } from 'zod'
import { askServer, connectionTo, masterConnector, type Node, newestOf, type Told } from './master-connector.js'
import type { RedisPlace } from './redis-url.js'

type Watched = Extract<RedisPlace['address'], { kind: 'sentinel' }>

const SWITCHED = '+switch-master'
const AGAIN_MS = 500
const Named = z.tuple([z.string(), z.coerce.number().int()])
const Facts = z.array(z.string())

/** @returns a connector for ioredis that finds, each time, the present master, and leaves it when it is told of another. */
export function sentinelConnector(watched: Watched) {
  return masterConnector({ find: () => presentMaster(watched), watch: (onMaster) => listen(watched, onMaster) }, watched)
}

/** @throws when none of them names one. */
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
    const [host, port] = Named.parse(await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', watched.name))
    const facts = Facts.parse(await redis.call('SENTINEL', 'MASTER', watched.name))
    return { master: { host, port }, epoch: Number(facts[facts.indexOf('config-epoch') + 1]) }
  })
}

function listen(watched: Watched, onMaster: (master: Node) => void): () => void {
  const lines = watched.sentinels.map((sentinel) => {
    const line = connectionTo(sentinel, manner(watched), () => AGAIN_MS)
    line.on('message', (_channel, text: string) => {
      const [name, , , host, port] = text.split(' ')
      if (name === watched.name && host !== undefined) onMaster({ host, port: Number(port) })
    })
    line.on('ready', () => {
      line
        .subscribe(SWITCHED)
        .then(() => presentMaster(watched)) // nobody tells what changed before he was listened to
        .then(onMaster)
        .catch(() => {}) // broken off again: the next 'ready' tries anew
    })
    line.connect().catch(() => {}) // it goes on trying
    return line
  })
  return () => {
    for (const line of lines) line.disconnect()
  }
}
