// Images that wait for a worker in this process's memory. Each has a ticket that works once, and waits for 30 s at most.

import { randomBytes } from 'node:crypto'
import { Problem } from '../domain/problem.js'
import { Blocks, type HeldImage } from './blocks.js'
import type { HandoffAnswer } from './message.js'
import { createWorkerPace, type WorkerPace } from './worker-pace.js'

export interface PendingImage {
  /** 256 random bits, base64url. It gives access to the image, so it is sent to one worker only. */
  readonly ticket: string
  /** Resolves when a worker answers. @throws {Problem} hashing-unavailable when none did in time, or the image was cancelled. */
  readonly answer: Promise<HandoffAnswer>
  /** Overwrites the image; `answer` rejects. No effect after an answer. */
  cancel(): void
}

interface Waiting {
  /** `undefined` once it was claimed and sent. */
  image: HeldImage | undefined
  isTaken: boolean
  readonly putAtMs: number
  /** Its number in the order in which images were put. */
  readonly place: number
  readonly priority: number
  /** Whether it is taken before later queries of programs. Only such images delay them. */
  readonly isAhead: boolean
  readonly settle: (answer: HandoffAnswer) => void
  readonly giveUp: () => void
}

const RETRY_AFTER_S = 5

export class PendingImages {
  // Invariant: an entry's image is overwritten with zeros before the entry is removed, for whatever reason.
  readonly #waiting = new Map<string, Waiting>()
  #left = 0
  // Claims that `#isInLine` needs. Invariant: of two claims, the one that was put later has the stronger priority (the smaller number). A claim that
  // was put earlier and is not weaker would add nothing, so it is dropped.
  #taken: readonly Pick<Waiting, 'place' | 'priority'>[] = []
  readonly #pace: WorkerPace
  readonly #ttlMs: number
  readonly #now: () => number
  readonly #blocks: Blocks

  /**
   * @param ttlMs how long an image may wait, including the worker's time.
   * @param now monotonic time in milliseconds.
   * @param blocks memory in which the images wait.
   */
  constructor(ttlMs: number, now: () => number = () => performance.now(), blocks = new Blocks()) {
    this.#ttlMs = ttlMs
    this.#now = now
    this.#blocks = blocks
    this.#pace = createWorkerPace(now)
  }

  /** How many images and answers are pending. */
  get size(): number {
    return this.#waiting.size
  }

  /** How long [ms] the oldest pending image has been here; 0 when there is none. */
  get oldestMs(): number {
    const [oldest] = this.#waiting.values() // a Map iterates in the order of insertion
    return oldest === undefined ? 0 : this.#now() - oldest.putAtMs
  }

  /** How long [ms] the oldest image has waited for a free worker, of those with `isAhead`; 0 when none waits. */
  get untakenMs(): number {
    for (const entry of this.#waiting.values())
      if (entry.isAhead && this.#isInLine(entry)) return this.#now() - entry.putAtMs
    return 0
  }

  /** Estimated wait [ms] of a program's picture that is put now, with `more` others before it that are not put yet; 0 when none waits. */
  expectedMs(more = 0): number {
    let others = more
    for (const entry of this.#waiting.values()) if (entry.isAhead && this.#isInLine(entry)) others++
    return Math.max(this.untakenMs, this.#pace.waitMs(others))
  }

  /**
   * Takes over an image, in the pieces it arrived in. The caller must not use them any more: they are overwritten, at once if the image is copied to
   * blocks.
   * @param priority of its job: a smaller one is taken first.
   * @param isAhead whether it is taken before later queries of programs. One that is not never delays them.
   */
  put(image: Buffer | readonly Buffer[], priority = 0, isAhead = true): PendingImage {
    const ticket = randomBytes(32).toString('base64url')
    const { promise, resolve, reject } = withResolvers<HandoffAnswer>()
    promise.catch(() => {}) // the request may have ended
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
   * @returns the pieces of the image to send, once; `undefined` for a ticket that is unknown, used or expired. They still belong to this object: call
   *   `wipe` when they are sent. They are overwritten when the time is up, even if they are still being read.
   */
  claim(ticket: string): readonly Buffer[] | undefined {
    const entry = this.#waiting.get(ticket)
    if (entry === undefined || entry.isTaken) return undefined
    entry.isTaken = true
    this.#noteTaken(entry)
    this.#pace.taken(entry.putAtMs)
    return entry.image?.pieces
  }

  /** Overwrites a claimed image that is no longer being sent. Its answer may still come. */
  wipe(ticket: string): void {
    const entry = this.#waiting.get(ticket)
    if (entry === undefined || !entry.isTaken) return
    entry.image?.release()
    entry.image = undefined
  }

  /** Whether it can be claimed. */
  isWaiting(ticket: string): boolean {
    return this.#waiting.get(ticket)?.isTaken === false
  }

  /** Whether a worker claimed it and its answer may still come. */
  isTaken(ticket: string): boolean {
    return this.#waiting.get(ticket)?.isTaken === true
  }

  /** Call when the worker that claimed it has died: `answer` rejects at once. No effect for an image that was not claimed. */
  fail(ticket: string): void {
    const entry = this.#waiting.get(ticket)
    if (entry?.isTaken === true) entry.giveUp()
  }

  /** Passes on a worker's answer. @returns whether the image was claimed and a request still waited for it. */
  answer(ticket: string, answer: HandoffAnswer): boolean {
    const entry = this.#waiting.get(ticket)
    if (entry === undefined || !entry.isTaken) return false
    if ('problem' in answer && answer.problem === 'hashing-unavailable') entry.giveUp()
    else entry.settle(answer)
    return true
  }

  /** Cancels everything, for a process that stops. */
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
   * Whether an image waits because no worker is free. It does not if a later image with no stronger priority was claimed before it. Then a worker
   * took its job and died, and BullMQ has not yet noticed that; so its wait says nothing about how busy workers are.
   */
  #isInLine({ isTaken, place, priority }: Waiting): boolean {
    if (isTaken) return false
    return !this.#taken.some((other) => other.priority >= priority && other.place > place)
  }

  /** Records a claim. Drops claims that `#isInLine` no longer needs, such as those of images that were put before all that still wait. */
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
