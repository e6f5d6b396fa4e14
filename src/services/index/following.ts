// Reads the change stream, if possible already while the changes before are being applied.

import type { Redis } from 'ioredis'
import { type Followed, follow, type Position } from '../../store/images/changes.js'

/** How long a read waits for changes. */
const BLOCK_MS = 250
/** The same while the replica is not ready: it must soon know whether anything is missing. */
const SOON_MS = 1

export class Following {
  readonly #follower: Redis
  readonly #now: () => number
  readonly #isReady: () => boolean
  // The changes after a position, asked for while the changes before it are being applied.
  #ahead: { readonly from: Position; readonly followed: Promise<Followed> } | undefined

  /** @param follower a connection of its own: reading blocks it. @param now [ms] never goes back. */
  constructor(follower: Redis, now: () => number, isReady: () => boolean) {
    this.#follower = follower
    this.#now = now
    this.#isReady = isReady
  }

  /** What follows `from`: what was asked for ahead, if that began at this position. */
  next(from: Position): Promise<Followed> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.from === from) return ahead.followed
    return follow(this.#follower, from, this.#isReady() ? BLOCK_MS : SOON_MS, this.#now)
  }

  /**
   * Asks for the changes after `from` while those up to it are applied, which takes a round trip too. An answer counts as old as its
   * question, so this is not for changes that take long to apply.
   */
  readAhead(from: Position): void {
    const followed = this.next(from)
    followed.catch(() => {}) // `next` returns it, and its caller awaits it
    this.#ahead = { from, followed }
  }
}
