// A connector for ioredis that looks, each time it connects, for the server that is the master at that time.

import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { StandaloneConnector } from 'ioredis/built/connectors/index.js'

export interface Node {
  readonly host: string
  readonly port: number
}

/** What a server says that knows of the master. */
export interface Told {
  readonly master: Node
  /** Of the change that made it the master: whoever knows of a later one knows better. */
  readonly epoch: number
}

export interface MasterFinder {
  /** @throws when nobody knows. */
  find(): Promise<Node>
  /** Tells of another master as soon as it can; perhaps of the present one as well. @returns what ends that. */
  watch(onMaster: (master: Node) => void): () => void
}

/** How to reach servers and those that know of them. */
export interface Manner {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly isTls: boolean
}

const ASK_TIMEOUT_MS = 1000
/** At a start: a few seconds. Then it is the operator's to see. */
const MAX_TRIES_AT_START = 10

/**
 * ioredis' own one for Sentinels is not used: it asks one after the other, and waits for a host that is cut off; and a connection that is being made
 * when a Sentinel tells of a new master is ended for good.
 */
export function masterConnector({ find, watch }: MasterFinder, manner: Pick<Manner, 'isTls'>) {
  // Of any connection that is made so: a queue makes others of its own later, which nobody would make again.
  let hasFound = false
  return class extends StandaloneConnector {
    #unwatch: (() => void) | undefined
    #timesToldOfAnother = 0

    constructor() {
      super({ ...tlsOf(manner) })
    }

    override async connect(emit: Parameters<StandaloneConnector['connect']>[0]) {
      this.connecting = true
      this.options = { ...(await this.#findUndisturbed()), ...tlsOf(manner) }
      // A master that was cut off does not close its connections.
      this.#unwatch ??= watch((other) => {
        const { host, port } = this.options as Node
        if (nameOf(other) === nameOf({ host, port })) return
        this.#timesToldOfAnother++
        this.stream?.destroy()
      })
      return super.connect(emit)
    }

    override disconnect() {
      this.#unwatch?.()
      this.#unwatch = undefined
      super.disconnect()
    }

    /** Of the server that was connected to: it may have become a replica meanwhile. */
    override check({ role }: { readonly role?: string }): boolean {
      return role === undefined || role === 'master'
    }

    /** An answer is old when another master was told of meanwhile. */
    async #findUndisturbed(): Promise<Node> {
      for (;;) {
        const before = this.#timesToldOfAnother
        const master = await this.#find()
        if (this.#timesToldOfAnother === before) return master
      }
    }

    /** Nobody may know for a while, and an error here is the connection's end. */
    async #find(): Promise<Node> {
      for (let attempt = 1; ; attempt++) {
        try {
          const master = await find()
          hasFound = true
          if (this.connecting) return master
        } catch (error) {
          if (!hasFound && attempt >= MAX_TRIES_AT_START) throw error
        }
        if (!this.connecting) throw new Error('Connection is closed.')
        await sleep(Math.min(50 * attempt, 500))
      }
    }
  }
}

/**
 * Asks all at once. Of more than half of them one knows the last change. One that is cut off says nothing for a second, and is waited for only
 * when too many say nothing.
 *
 * @throws what the last of them failed by, when none answers.
 */
export function newestOf<Said extends Told>(nodes: readonly Node[], ask: (node: Node) => Promise<Said>): Promise<Said> {
  return new Promise((resolve, reject) => {
    const told: Said[] = []
    let asked = 0
    let why: unknown
    const settle = () => {
      asked++
      const isEnough = 2 * told.length > nodes.length || asked === nodes.length
      if (!isEnough) return
      const [newest] = told.sort((one, other) => other.epoch - one.epoch)
      if (newest === undefined) reject(why)
      else resolve(newest)
    }
    for (const node of nodes) {
      ask(node)
        .then((answer) => told.push(answer))
        .catch((error) => {
          why = error
        })
        .finally(settle)
    }
  })
}

/** Asks one server something, over a connection of its own. @throws when it does not answer within a second. */
export async function askServer<T>(node: Node, manner: Manner, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connectionTo(node, manner)
  try {
    await redis.connect()
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}

/** @param retryStrategy when to connect again; never, when left out. */
export function connectionTo(
  node: Node,
  { username, password, isTls }: Manner,
  retryStrategy: (attempt: number) => number | null = () => null,
): Redis {
  const redis = new Redis({
    ...node,
    ...tlsOf({ isTls }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    lazyConnect: true,
    retryStrategy,
    connectTimeout: ASK_TIMEOUT_MS,
    commandTimeout: ASK_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    replyMapping: 'legacy' as const,
  })
  redis.on('error', () => {})
  return redis
}

export function tlsOf({ isTls }: Pick<Manner, 'isTls'>) {
  return isTls ? { tls: {} } : {}
}

export function nameOf({ host, port }: Node): string {
  return `${host}:${port}`
}
