// Writes that are on disk when they return. Writes are sent in rounds: those that arrive while two rounds are in flight share the next one.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { Problem } from '../../domain/problem.js'
import { announceLua, announcing } from '../scripts/announce.js'
import type { Script } from '../scripts/script.js'
import { ANSWERS_TIMEOUT_MS, deadlines, isTooLate, notAfter, timeoutsWithin } from './write-deadline.js'

export type Arg = string | number | Buffer

/**
 * `fsync`: Redis confirms each write on disk (WAITAOF). `unknown`: the server is older than 7.2 and has no such command. `none`: its
 * append-only file is off, so that a crash loses all writes.
 */
export type Durability = 'fsync' | 'unknown' | 'none'

/** The change that a script appended to a change stream, with the digest of its entry. */
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

/**
 * Maximum wait for replicas to receive a write (WAIT), before they are asked for their disks (WAITAOF). Two commands are needed: a replica reports
 * its disk once a second, or when asked, and asked together with a write it reports the state before that write.
 */
const SEEN_TIMEOUT_MS = 100
const RETRY_AFTER_S = 2
/** Writes of one round. Bounds how long Redis is busy with it. */
const MAX_ROUND = 256
/**
 * Rounds in flight. With two, Redis starts the second as soon as the first is on disk, without a round trip in between. With more, rounds
 * would shrink to single writes, and each would cost a disk flush of its own.
 */
const MAX_UNDER_WAY = 2

export class DurableWriter {
  readonly #redis: Redis
  readonly #replicas: number
  readonly #timeouts: ReturnType<typeof timeoutsWithin>
  readonly #deadlines: ReturnType<typeof deadlines>
  readonly #now: () => number
  readonly #onAnnounced: (announced: Announced) => void
  #durability: Durability = 'unknown'
  /** Stays true once the server has confirmed its disk. If its append-only file is switched off later, writes fail. */
  #waitsForDisk = false
  #probing: Promise<void> | undefined
  #pending: Write[] = []
  // Invariant: at most MAX_UNDER_WAY, and exactly that while anything is pending.
  #underWay = 0

  /**
   * @param redis a connection that nothing else uses.
   * @param replicas how many replicas must have a write on disk, besides the server, before `write` returns. Such a write survives the loss
   *   of the server.
   * @param now [ms] monotonic clock.
   * @param onAnnounced called for each change that a write appended to a change stream, before that write returns.
   * @param answersMs the time limit of the connection's commands.
   */
  constructor(
    redis: Redis,
    replicas = 0,
    now: () => number = () => performance.now(),
    onAnnounced: (announced: Announced) => void = () => {},
    answersMs = ANSWERS_TIMEOUT_MS,
  ) {
    this.#onAnnounced = onAnnounced
    this.#redis = redis
    this.#replicas = replicas
    this.#now = now
    this.#timeouts = timeoutsWithin(answersMs)
    this.#deadlines = deadlines(redis, now, this.#timeouts.runMs)
    redis.on('ready', () => {
      this.probe().catch(() => {}) // disconnected again: the next 'ready' probes
    })
  }

  get durability(): Durability {
    return this.#durability
  }

  /**
   * Determines the durability and the clock of the server. Runs by itself after each reconnection and after a write that the disk did not
   * confirm. Concurrent calls share one probe. @throws errors of ioredis.
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
   * Runs a script and waits until its writes are on disk.
   * @returns the script's reply, strings as Buffers.
   * @throws {Problem} store-unavailable when the disk did not confirm in time. The write may have happened; it cannot happen later.
   * @throws errors of ioredis.
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
        // Pending writes would wait as long for the same error.
        for (const { reject } of [...round, ...this.#pending.splice(0)]) reject(error)
      }
    }
    this.#underWay--
  }

  async #writeRound(round: readonly Write[]): Promise<void> {
    let { unknown, late } = await this.#send(round, 'EVALSHA', (script) => sha1(sent(script)))
    if (unknown.length > 0) late = [...late, ...(await this.#send(unknown, 'EVAL', sent)).late]
    if (late.length === 0) return
    // Answered in time but called late: the clocks drifted apart. Compare them and retry once; late again means late.
    await this.#deadlines.compare()
    const { late: again } = await this.#send(late, 'EVAL', sent)
    for (const { reject } of again) reject(new Problem('store-unavailable', { retryAfterS: RETRY_AFTER_S }))
  }

  /**
   * Sends a round and settles each write, except those that it returns.
   * @returns `unknown`: writes whose script the server does not have cached. `late`: writes that the server called late although it answered
   *   in time.
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
    if (waits) pipeline.call('WAITAOF', 1, this.#replicas, this.#timeouts.diskMs)
    const replies = (await pipeline.exec()) ?? []
    const isInTime = this.#now() - sentAtMs < this.#timeouts.runMs
    const notOnDisk = waits ? whyNotOnDisk(replies.at(-1), this.#replicas) : undefined
    if (notOnDisk !== undefined) {
      for (const { reject } of this.#pending.splice(0)) reject(notOnDisk)
      this.probe().catch(() => {}) // the append-only file may have been switched off
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
  // Any error leaves the disk unconfirmed. A server that became a replica refuses WAITAOF, for example.
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
