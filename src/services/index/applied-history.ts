// Which part of the store's history a catalogue has: how far it was applied, and by which digests.

import type { Position } from '../../store/images/changes.js'

/** Digests that are kept: more than the changes within the longest wait for a write. */
const MAX_DIGESTS = 4096

export class AppliedHistory {
  // Nothing after this position is in the catalogue. It is ahead of the applied position while changes are being applied.
  #reached: Position | undefined
  // The catalogue may have changes up to here, so the followed history must contain it. `undefined` once it was seen there.
  #checkpoint: Position | undefined
  readonly #digests = new Map<number, string>()

  get reached(): Position | undefined {
    return this.#reached
  }

  /** Call it before the changes up to `position` are applied. */
  reach(position: Position): void {
    this.#reached = position
  }

  /** A catalogue was read whole. It may have changes up to `checkpoint`. */
  begin(checkpoint: Position): void {
    this.#checkpoint = checkpoint
    this.#digests.clear()
  }

  /** What was followed is not the store's history. */
  lose(): void {
    this.#reached = undefined
    this.#checkpoint = undefined
  }

  /** Call it for each position that is followed, in order. @returns false when a history with this position lacks the checkpoint. */
  passes({ revision, digest }: Position): boolean {
    if (this.#checkpoint === undefined || revision < this.#checkpoint.revision) return true
    const isOnIt = digest === this.#checkpoint.digest
    if (isOnIt) this.#checkpoint = undefined
    return isOnIt
  }

  /** Has the checkpoint not been passed yet? */
  get lacksCheckpoint(): boolean {
    return this.#checkpoint !== undefined
  }

  /** The changes of this position were applied. */
  advance(position: Position): void {
    this.#reached = position
    this.#digests.set(position.revision, position.digest)
    const [oldest] = this.#digests.size > MAX_DIGESTS ? this.#digests.keys() : []
    if (oldest !== undefined) this.#digests.delete(oldest)
  }

  /** The digest with which a revision was applied; `undefined` when it was not, or too long ago. */
  digestAt(revision: number): string | undefined {
    return this.#digests.get(revision)
  }
}
