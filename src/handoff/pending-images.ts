// Where an image waits for a worker: in this process's memory, under a ticket that works once, for 30 s at most.

import { randomBytes } from 'node:crypto'
import { Problem } from '../domain/problem.js'
import { Blocks, type HeldImage } from './blocks.js'
import type { HandoffAnswer } from './message.js'
import { createWorkerPace, type WorkerPace } from './worker-pace.js'

export interface PendingImage {
  /** 256 random bits, base64url: whoever shows it gets the image, so it is told to one worker alone. */
  readonly ticket: string
  /** Settles when a worker answers. @throws {Problem} hashing-unavailable when none did in time, or when it was called off. */
  readonly answer: Promise<HandoffAnswer>
  /** Wipes the image; `answer` fails. Without effect after an answer. */
  cancel(): void
}

interface Waiting {
  /** Gone when it was taken and is sent. */
  image: HeldImage | undefined
  isTaken: boolean
  readonly putAtMs: number
  /** Its place among all that were ever left. */
  readonly place: number
  readonly priority: number
  /** Goes before what programs ask about next. */
  readonly isAhead: boolean
  readonly settle: (answer: HandoffAnswer) => void
  readonly giveUp: () => void
}

const RETRY_AFTER_S = 5

export class PendingImages {
  // Invariant: an entry's image is overwritten with zeros before the entry goes, whichever way it goes.
  readonly #waiting = new Map<string, Waiting>()
  #left = 0
  // Invariant: each was taken, and none both was left earlier and goes earlier than another: what the others say, these say.
  #taken: readonly Pick<Waiting, 'place' | 'priority'>[] = []
  readonly #pace: WorkerPace
  readonly #ttlMs: number
  readonly #now: () => number
  readonly #blocks: Blocks

  /**
   * @param ttlMs how long an image may wait, worker's time included.
   * @param now in milliseconds, never goes back.
   * @param blocks where they wait.
   */
  constructor(ttlMs: number, now: () => number = () => performance.now(), blocks = new Blocks()) {
    this.#ttlMs = ttlMs
    this.#now = now
    this.#blocks = blocks
    this.#pace = createWorkerPace(now)
  }

  /** Images and answers that are waited for. */
  get size(): number {
    return this.#waiting.size
  }

  /** How long the one that has waited longest has been here; 0 when there is none. */
  get oldestMs(): number {
    const [oldest] = this.#waiting.values() // in the order in which they were left
    return oldest === undefined ? 0 : this.#now() - oldest.putAtMs
  }

  /** How long the one that has waited longest for a free worker has been here; 0 when none waits. Not of one that others may overtake. */
  get untakenMs(): number {
    for (const entry of this.#waiting.values())
      if (entry.isAhead && this.#isInLine(entry)) return this.#now() - entry.putAtMs
    return 0
  }

  /** How long a program's picture that is left now, or when so many more are, would wait for a worker, as far as that can be told: 0 when none waits. */
  expectedMs(more = 0): number {
    let others = more
    for (const entry of this.#waiting.values()) if (entry.isAhead && this.#isInLine(entry)) others++
    return Math.max(this.untakenMs, this.#pace.waitMs(others))
  }

  /**
   * Takes over an image, in the pieces it arrived in. Its bytes belong to the desk from here on and are overwritten: at once where they are, if
   * they are copied to wait elsewhere.
   * @param priority of its job: the smaller is taken first.
   * @param isAhead whether it goes before what programs ask about next; one that does not keeps nobody waiting.
   */
  put(image: Buffer | readonly Buffer[], priority = 0, isAhead = true): PendingImage {
    const ticket = randomBytes(32).toString('base64url')
    const { promise, resolve, reject } = withResolvers<HandoffAnswer>()
    promise.catch(() => {}) // whoever left it may be gone already
    const giveUp = () => {
      clearTimeout(timer)
      if (this.#forget(ticket)) reject(new Problem('hashing-unavailable', { retryAfterS: RETRY_AFTER_S }))
    }
    const timer = setTimeout(giveUp, this.#ttlMs)
    const settle = (answer: HandoffAnswer) => {
      clearTimeout(timer)
      if (this.#forget(ticket)) resolve(answer)
    }
    const held = this.#blocks.hold(Buffer.isBuffer(image) ? [image] : image)
    const place = ++this.#left
    const putAtMs = this.#now()
    this.#waiting.set(ticket, { image: held, isTaken: false, putAtMs, place, priority, isAhead, settle, giveUp })
    return { ticket, answer: promise, cancel: giveUp }
  }

  /**
   * @returns the pieces of the image, once, for sending; `undefined` for a ticket that is unknown, used or too old. It stays the desk's:
   * call `wipe` when it is sent. When its time is up it is overwritten all the same, whoever still reads.
   */
  claim(ticket: string): readonly Buffer[] | undefined {
    const entry = this.#waiting.get(ticket)
    if (entry === undefined || entry.isTaken) return undefined
    entry.isTaken = true
    this.#noteTaken(entry)
    this.#pace.taken(entry.putAtMs)
    return entry.image?.pieces
  }

  /** Overwrites an image that was taken, and that nobody sends any more; the answer may still come. */
  wipe(ticket: string): void {
    const entry = this.#waiting.get(ticket)
    if (entry === undefined || !entry.isTaken) return
    entry.image?.release()
    entry.image = undefined
  }

  /** Whether a worker has it, and its answer may still come. */
  isTaken(ticket: string): boolean {
    return this.#waiting.get(ticket)?.isTaken === true
  }

  /** Who took it is gone: whoever waits hears so now, and not when the time is up. Without effect for one that was not taken. */
  fail(ticket: string): void {
    const entry = this.#waiting.get(ticket)
    if (entry?.isTaken === true) entry.giveUp()
  }

  /** @returns whether anybody was waiting for it. Only an image that was taken can be answered for. */
  answer(ticket: string, answer: HandoffAnswer): boolean {
    const entry = this.#waiting.get(ticket)
    if (entry === undefined || !entry.isTaken) return false
    if ('problem' in answer && answer.problem === 'hashing-unavailable') entry.giveUp()
    else entry.settle(answer)
    return true
  }

  /** Calls off everything; for a process that stops. */
  close(): void {
    for (const { giveUp } of [...this.#waiting.values()]) giveUp()
  }

  #forget(ticket: string): boolean {
    const entry = this.#waiting.get(ticket)
    if (entry?.isTaken)
      entry.image?.wipe() // it may be on its way still
    else entry?.image?.release()
    return this.#waiting.delete(ticket)
  }

  /**
   * Does it wait for a free worker? Not when one that was left later, and has no right to go first, was taken before it: then its job is
   * with a worker that died, and waits to be found there, while others are free.
   */
  #isInLine({ isTaken, place, priority }: Waiting): boolean {
    if (isTaken) return false
    return !this.#taken.some((other) => other.priority >= priority && other.place > place)
  }

  /** Of what was left before all that wait nothing is to be told any more. */
  #noteTaken({ place, priority }: Waiting): void {
    const [oldest] = this.#waiting.values()
    const firstPlace = oldest?.place ?? place
    const others = this.#taken.filter(
      (other) => other.place > firstPlace && (other.place > place || other.priority > priority),
    )
    const isKnown = others.some((other) => other.place >= place && other.priority >= priority)
    this.#taken = isKnown ? others : [...others, { place, priority }]
  }
}

// Promise.withResolvers needs Node 22.
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
