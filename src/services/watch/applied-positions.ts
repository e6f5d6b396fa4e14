// Tracks how far this process has applied the stream of watches, and wakes callers that wait for a position.

import type { Position } from '../../store/images/changes.js'

export interface AppliedPositions {
  /** The last applied position; `undefined` until the store was read completely. */
  readonly last: Position | undefined
  /** Marks positions as applied, oldest first, and wakes the callers that waited for them. */
  advance(positions: readonly Position[]): void
  /** Forgets all positions, because the store has to be read again. Callers of `reached` keep waiting. */
  reset(): void
  /** Resolves when `position` is applied, or on `close`. */
  reached(position: Position): Promise<void>
  close(): void
}

/** Number of digests kept, of the positions applied last. */
const MAX_DIGESTS = 1024

export function createAppliedPositions(): AppliedPositions {
  let last: Position | undefined
  let waiting: { readonly position: Position; readonly resolve: () => void }[] = []
  const digests = new Map<number, string>()

  /** A position is not applied if its digest differs from the one kept here: following will find the gap and read the store again. */
  const isApplied = ({ revision, digest }: Position): boolean =>
    last !== undefined && last.revision >= revision && (digests.get(revision) ?? digest) === digest

  return {
    get last() {
      return last
    },
    advance(positions) {
      for (const position of positions) {
        last = position
        digests.set(position.revision, position.digest)
        const [oldest] = digests.size > MAX_DIGESTS ? digests.keys() : []
        if (oldest !== undefined) digests.delete(oldest)
      }
      const due = waiting.filter(({ position }) => isApplied(position))
      waiting = waiting.filter((waiter) => !due.includes(waiter))
      for (const { resolve } of due) resolve()
    },
    reset() {
      last = undefined
      digests.clear()
    },
    async reached(position) {
      if (isApplied(position)) return
      await new Promise<void>((resolve) => waiting.push({ position, resolve }))
    },
    close() {
      for (const { resolve } of waiting.splice(0)) resolve()
    },
  }
}
