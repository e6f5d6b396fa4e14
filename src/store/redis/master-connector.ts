// A connector for ioredis that looks up the current master each time it connects.

import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { StandaloneConnector } from 'ioredis/built/connectors/index.js'

export interface Node {
  readonly host: string
  readonly port: number
}

/** What a server (a Sentinel, for example) answers about the master. */
export interface Told {
  readonly master: Node
  /** Number of the failover that made it the master. The answer with the highest epoch is right. */
  readonly epoch: number
}

export interface MasterFinder {
  /** The current master. @throws when no server knows it. */
  find(): Promise<Node>
  /** Calls back when the master changes; it may also name the current one. @returns a function that stops watching. */
  watch(onMaster: (master: Node) => void): () => void
}

/** Credentials and TLS for a connection. */
export interface ConnectionSettings {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly isTls: boolean
}

const ASK_TIMEOUT_MS = 1000
/** Tries before the first success: a few seconds. Then the start fails, so that the operator sees it. */
const MAX_TRIES_AT_START = 10

/**
 * Makes a connector class. ioredis's own connector for Sentinels is not used for two reasons. It asks Sentinels one after the other and waits
 * for a host that is cut off. And a connection that is connecting when the master changes is closed for good.
 */
export function masterConnector({ find, watch }: MasterFinder, manner: Pick<ConnectionSettings, 'isTls'>) {
  // Shared by all connections of this class. A queue duplicates its connection later; such a duplicate must not fail after few tries.
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

    /** Called by ioredis with the role of the connected server: it may have become a replica meanwhile. */
    override check({ role }: { readonly role?: string }): boolean {
      return role === undefined || role === 'master'
    }

    /** Asks again when a change of the master was reported while it was asking: that answer is out of date. */
    async #findUndisturbed(): Promise<Node> {
      for (;;) {
        const before = this.#timesToldOfAnother
        const master = await this.#find()
        if (this.#timesToldOfAnother === before) return master
      }
    }

    /** Retries: during a failover no server may know the master, and an error here closes the connection for good. */
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
 * Asks all servers at once and returns when a majority has answered. A failover needs a majority, so any majority includes a server that knows the
 * newest master. While there is no majority, waits until every server has answered or failed to answer within a second.
 *
 * @returns the answer with the highest epoch.
 * @throws the last error, when no server answers.
 */
export function newestOf<Said extends Told>(nodes: readonly Node[], ask: (node: Node) => Promise<Said>): Promise<Said> {
  return new Promise((resolve, reject) => {
    const answers: Said[] = []
    let settled = 0
    let why: unknown
    const settle = () => {
      settled++
      const isEnough = 2 * answers.length > nodes.length || settled === nodes.length
      if (!isEnough) return
      const [newest] = answers.sort((a, b) => b.epoch - a.epoch)
      if (newest === undefined) reject(why)
      else resolve(newest)
    }
    for (const node of nodes) {
      ask(node)
        .then((answer) => answers.push(answer))
        .catch((error) => {
          why = error
        })
        .finally(settle)
    }
  })
}

/** Asks one server over a new connection, then closes it. @throws when the server does not answer within a second. */
export async function askServer<T>(
  node: Node,
  manner: ConnectionSettings,
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = connectionTo(node, manner)
  try {
    await redis.connect()
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}

/** Makes a connection that is not connected yet. @param retryStrategy delay before reconnecting; default: never reconnect. */
export function connectionTo(
  node: Node,
  { username, password, isTls }: ConnectionSettings,
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

export function tlsOf({ isTls }: Pick<ConnectionSettings, 'isTls'>) {
  return isTls ? { tls: {} } : {}
}

export function nameOf({ host, port }: Node): string {
  return `${host}:${port}`
}
