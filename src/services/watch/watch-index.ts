// Holds all watches in this process's memory. They are read from the store once; then the stream of their changes is followed.

import type { Redis } from 'ioredis'
import type { Bank } from '../../../packages/core/src/matching/bank.js'
import type { Signal } from '../../../packages/core/src/matching/signal.js'
import { follow, type Position, WATCH_STREAM } from '../../store/images/changes.js'
import type { Watches } from '../../store/watch/watches.js'
import { Catalogue } from '../index/catalogue.js'
import { createAppliedPositions } from './applied-positions.js'
import { type NearWatch, nearWatches } from './near-watches.js'
import { applyWatchChanges, loadWatches, type WatchLoadingParts } from './watch-loading.js'

export interface WatchIndex {
  /** Reads and follows until `close`, and tries again whenever the store is lost. */
  start(): void
  /** Resolves when everything up to this position of the watch stream is applied, or on `close`. */
  reached(position: Position): Promise<void>
  /** As `nearWatches`. */
  near(signals: readonly Signal[], bank: Bank): Promise<readonly NearWatch[]>
  /** Number of watches. */
  readonly size: number
  close(): Promise<void>
}

export interface WatchIndexParts extends WatchLoadingParts {
  readonly watches: Watches
  /** A connection of its own: following blocks it. */
  readonly follower: Redis
}

const BLOCK_MS = 250
const RETRY_MS = 200
const CLOSE_TIMEOUT_MS = 1000

export function createWatchIndex(parts: WatchIndexParts): WatchIndex {
  const { watches, follower, clock, onError } = parts
  const applied = createAppliedPositions()
  // Invariant: the catalogue is what the store held at `applied.last`.
  let catalogue = new Catalogue()
  let closed = false
  let loop: Promise<void> = Promise.resolve()

  async function load(): Promise<Position> {
    const from = await watches.lastPosition() // asked first: changes made during the load are applied again afterwards
    // A stream without changes means no watches. Asking thousands of shards for them would delay the start.
    catalogue = from.revision > 0 ? await loadWatches(parts) : new Catalogue()
    applied.advance([from])
    return from
  }

  async function step(): Promise<void> {
    try {
      const from = applied.last ?? (await load())
      const followed = await follow(follower, from, BLOCK_MS, clock, WATCH_STREAM)
      if (followed.kind === 'gap') {
        applied.reset()
        return
      }
      await applyWatchChanges(parts, catalogue, followed)
      applied.advance(followed.positions)
    } catch (error) {
      if (closed) return
      onError(error)
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  return {
    start() {
      loop = (async () => {
        while (!closed) await step()
      })()
    },
    reached: (position) => applied.reached(position),
    async near(signals, bank) {
      for (;;) {
        const searched = catalogue
        const found = await nearWatches(searched, signals, bank, clock)
        if (searched === catalogue) return found // otherwise the watches were read again meanwhile, and the old catalogue lacks changes
      }
    },
    get size() {
      return catalogue.images
    },
    async close() {
      closed = true
      follower.disconnect()
      applied.close()
      await Promise.race([loop, new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref())])
    },
  }
}
