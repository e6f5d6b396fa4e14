// Writes that are on disk when they return. Those that come while two rounds are under way go together in the next.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { Problem } from '../../domain/problem.js'
import { announceLua, announcing } from '../scripts/announce.js'
import type { Script } from '../scripts/script.js'
import { deadlines, isTooLate, notAfter, RUN_TIMEOUT_MS } from './write-deadline.js'

export type Arg = string | number | Buffer

/**
 * `fsync`: a write is answered when Redis says that its log is on disk. `unknown`: the server has no such command (before
 * 7.2). `none`: its log is switched off, and nothing that is written survives a crash.
 */
export type Durability = 'fsync' | 'unknown' | 'none'

/** What a script announced: in which stream, as which revision, and the digest of its entry there. */
export interface Announced {
  readonly stream: string
  readonly revision: number
  readonly digest: string
}

interface Write {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly Arg[]
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: unknown) => void
}

const FSYNC_TIMEOUT_MS = 2500
/**
 * A replica says what it has on disk when it is asked, and then once a second; asked together with the write, it says what was there before it.
 * So it is asked twice: whether it has seen the write, and when it has, or after so long, whether it is on its disk.
 */
const SEEN_TIMEOUT_MS = 100
const RETRY_AFTER_S = 2
/** Keeps one round's commands within what Redis runs in a moment. */
const MAX_ROUND = 256
/**
 * While one is waited for, the next lies behind it on the connection already, and is run when the disk has the first: not after that was
 * answered, and seen in some turn of our event loop, and the next sent. More would be so many rounds of one write each, and each has the
 * disk wait for it alone.
 */
const MAX_UNDER_WAY = 2

export class DurableWriter {
  readonly #redis: Redis
  readonly #replicas: number
  readonly #deadlines: ReturnType<typeof deadlines>
  readonly #now: () => number
  readonly #onAnnounced: (announced: Announced) => void
  #durability: Durability = 'unknown'
  /** Stays true once the server has confirmed its disk: a log that is switched off later makes writes fail, not less safe. */
  #waitsForDisk = false
  #probing: Promise<void> | undefined
  #pending: Write[] = []
  // Invariant: at most MAX_UNDER_WAY; and while something is pending, so many are.
  #underWay = 0

  /**
   * @param redis a connection of its own.
   * @param replicas how many of them, besides the server itself, must have a write on disk before it is answered: then it
   *   outlives the loss of the server.
   * @param now in milliseconds, never goes back.
   * @param onAnnounced called before a write is answered that announced a change.
   */
  constructor(
    redis: Redis,
    replicas = 0,
    now: () => number = () => performance.now(),
    onAnnounced: (announced: Announced) => void = () => {},
  ) {
    this.#onAnnounced = onAnnounced
    this.#redis = redis
    this.#replicas = replicas
    this.#now = now
    this.#deadlines = deadlines(redis, now)
    redis.on('ready', () => {
      this.probe().catch(() => {}) // gone again: the next 'ready' asks anew
    })
  }

  get durability(): Durability {
    return this.#durability
  }

  /**
   * Finds out what the server offers and what time it has; again by itself after every reconnection, and when the disk did not confirm a write.
   * Several calls at one time share one probe. @throws what ioredis throws.
   */
  probe(): Promise<void> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined
    })
    return this.#probing
  }

  async #probe(): Promise<void> {
    await this.#deadlines.compare()
    this.#durability = await probeDurability(this.#redis)
    this.#waitsForDisk ||= this.#durability === 'fsync'
  }

  /**
   * @returns the script's reply, strings as Buffers.
   * @throws {Problem} store-unavailable when the disk was not reached in time: the write may or may not have happened, and will not happen any more.
   * @throws what ioredis throws.
   */
  write(script: Script, keys: readonly string[], args: readonly Arg[]): Promise<unknown> {
    if (script.numberOfKeys !== 'some' && script.numberOfKeys !== keys.length) {
      throw new RangeError('wrong number of keys for a script')
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ script, keys, args, resolve, reject })
      if (this.#underWay < MAX_UNDER_WAY) this.#writeAll()
    })
  }

  async #writeAll(): Promise<void> {
    this.#underWay++
    while (this.#pending.length > 0) {
      const round = this.#pending.splice(0, MAX_ROUND)
      try {
        await this.#writeRound(round)
      } catch (error) {
        // What waited behind it would wait as long for the same answer.
        for (const { reject } of [...round, ...this.#pending.splice(0)]) reject(error)
      }
    }
    this.#underWay--
  }

  async #writeRound(round: readonly Write[]): Promise<void> {
    let { unknown, late } = await this.#send(round, 'EVALSHA', (script) => sha1(sent(script)))
    if (unknown.length > 0) late = [...late, ...(await this.#send(unknown, 'EVAL', sent)).late]
    if (late.length === 0) return
    // Answered in time: it is the clocks that do not agree any more. A second time it is what it says.
    await this.#deadlines.compare()
    const { late: again } = await this.#send(late, 'EVAL', sent)
    for (const { reject } of again) reject(new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S }))
  }

  /**
   * @returns the writes whose script the server did not know, and those that it says came too late although they were answered in time; all
   * others are settled.
   */
  async #send(
    round: readonly Write[],
    command: string,
    body: (script: Script) => string,
  ): Promise<{ unknown: Write[]; late: Write[] }> {
    const deadline = await this.#deadlines.next()
    const sentAtMs = this.#now()
    const pipeline = this.#redis.pipeline()
    for (const { script, keys, args } of round)
      pipeline.callBuffer(command, body(script), keys.length, ...keys, ...args, deadline)
    const waits = this.#waitsForDisk
    if (waits && this.#replicas > 0) pipeline.call('WAIT', this.#replicas, SEEN_TIMEOUT_MS)
    if (waits) pipeline.call('WAITAOF', 1, this.#replicas, FSYNC_TIMEOUT_MS)
    const replies = (await pipeline.exec()) ?? []
    const isInTime = this.#now() - sentAtMs < RUN_TIMEOUT_MS
    const notOnDisk = waits ? whyNotOnDisk(replies.at(-1), this.#replicas) : undefined
    if (notOnDisk !== undefined) {
      for (const { reject } of this.#pending.splice(0)) reject(notOnDisk)
      this.probe().catch(() => {}) // the log may have been switched off
    }
    const unknown: Write[] = []
    const late: Write[] = []
    round.forEach((write, i) => {
      const [error, reply] = replies[i] ?? [new Error('Connection is closed.')]
      if (error?.message.startsWith('NOSCRIPT')) unknown.push(write)
      else if (error && isTooLate(error) && isInTime) late.push(write)
      else if (error && isTooLate(error)) write.reject(new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S }))
      else if (error) write.reject(error)
      else if (notOnDisk) write.reject(notOnDisk)
      else write.resolve(this.#replyOf(write.script, reply))
    })
    return { unknown, late }
  }

  #replyOf({ lua }: Script, reply: unknown): unknown {
    if (!isAnnouncing(lua) || !Array.isArray(reply)) return reply
    const [announced, own = null]: unknown[] = reply
    if (Array.isArray(announced)) {
      const [stream, revision, digest] = announced.map(String)
      this.#onAnnounced({ stream: stream ?? '', revision: Number(revision), digest: digest ?? '' })
    }
    return own
  }
}

function sent({ lua }: Script): string {
  return notAfter(isAnnouncing(lua) ? announcing(lua) : lua)
}

function isAnnouncing(lua: string): boolean {
  let is = announcingScripts.get(lua)
  if (is === undefined) {
    is = lua.includes(announceLua)
    announcingScripts.set(lua, is)
  }
  return is
}
const announcingScripts = new Map<string, boolean>()

function whyNotOnDisk(
  [error, synced]: [Error | null, unknown] = [new Error('Connection is closed.'), undefined],
  replicas: number,
): Error | undefined {
  // Whatever it says, the disk was not heard of: a server that has become a replica does not wait for one, for example.
  if (error !== null) return new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S, cause: error })
  const isOnDisk = Array.isArray(synced) && Number(synced[0]) >= 1 && Number(synced[1]) >= replicas
  return isOnDisk ? undefined : new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S })
}

async function probeDurability(redis: Redis): Promise<Durability> {
  try {
    await redis.call('WAITAOF', 1, 0, 1)
    return 'fsync'
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    if (/appendonly/i.test(text)) return 'none'
    if (/unknown command/i.test(text)) return 'unknown'
    throw error
  }
}

function sha1(text: string): string {
  let digest = digests.get(text)
  if (digest === undefined) {
    digest = createHash('sha1').update(text).digest('hex')
    digests.set(text, digest)
  }
  return digest
}
const digests = new Map<string, string>()
