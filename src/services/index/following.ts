// Reads the change stream, if possible while the previous changes are still being applied.

import type { Redis } from 'ioredis'
import { type Followed, follow, type Position } from '../../store/images/changes.js'

/** How long a read waits for changes while the replica is ready. */
const BLOCK_MS = 250
/** The same while it is not ready: it must learn without delay whether changes are missing. */
const SOON_MS = 1

export class Following {
  readonly #follower: Redis
  readonly #now: () => number
  readonly #isReady: () => boolean
  // A read that was started while the changes before it were being applied.
  #ahead: { readonly from: Position; readonly followed: Promise<Followed> } | undefined

  /** @param follower a dedicated connection: reading blocks it. @param now [ms] a monotonic clock. */
  constructor(follower: Redis, now: () => number, isReady: () => boolean) {
    this.#follower = follower
    this.#now = now
    this.#isReady = isReady
  }

  /** Reads the changes after `from`, or returns the read-ahead that began there. */
  next(from: Position): Promise<Followed> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.from === from) return ahead.followed
    return follow(this.#follower, from, this.#isReady() ? BLOCK_MS : SOON_MS, this.#now)
  }

  /**
   * Starts to read the changes after `from` while those up to it are being applied. The answer is as old as the request, so do not read ahead of
   * changes that take long to apply.
   */
  readAhead(from: Position): void {
    const followed = this.next(from)
    followed.catch(() => {}) // `next` returns it, and its caller awaits it
    this.#ahead = { from, followed }
  }
}
