// Tracks how far a catalogue has applied the change stream, and the digest at each recent revision. This reveals a divergent history.

import type { Position } from '../../store/images/changes.js'

/** Maximum digests kept: more than the changes that arrive while a writer waits for its write. */
const MAX_DIGESTS = 4096

export class AppliedHistory {
  // The catalogue has no change after this position. While changes are being applied it is ahead of the applied position.
  #reached: Position | undefined
  // The catalogue may have changes up to this position, so the followed history must contain it. `undefined` once it does.
  #checkpoint: Position | undefined
  readonly #digests = new Map<number, string>()

  get reached(): Position | undefined {
    return this.#reached
  }

  /** Call it before the changes up to `position` are applied. */
  reach(position: Position): void {
    this.#reached = position
  }

  /** Call it after a full read of a catalogue, which may have changes up to `checkpoint`. */
  begin(checkpoint: Position): void {
    this.#checkpoint = checkpoint
    this.#digests.clear()
  }

  /** Resets it when the followed history is not that of the store. */
  lose(): void {
    this.#reached = undefined
    this.#checkpoint = undefined
  }

  /** Call it for each followed position, in order. @returns false if the history does not contain the checkpoint. */
  passes({ revision, digest }: Position): boolean {
    if (this.#checkpoint === undefined || revision < this.#checkpoint.revision) return true
    const isOnIt = digest === this.#checkpoint.digest
    if (isOnIt) this.#checkpoint = undefined
    return isOnIt
  }

  /** Whether the followed history has not reached the checkpoint yet. */
  get lacksCheckpoint(): boolean {
    return this.#checkpoint !== undefined
  }

  /** Call it after the changes up to this position were applied. */
  advance(position: Position): void {
    this.#reached = position
    this.#digests.set(position.revision, position.digest)
    const [oldest] = this.#digests.size > MAX_DIGESTS ? this.#digests.keys() : []
    if (oldest !== undefined) this.#digests.delete(oldest)
  }

  /** The digest at an applied revision; `undefined` if the revision was not applied, or is older than `MAX_DIGESTS` changes. */
  digestAt(revision: number): string | undefined {
    return this.#digests.get(revision)
  }
}
