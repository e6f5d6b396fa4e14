// Multi-version reads while rows of images are replaced: a search that began before sees the old rows, a later search the new rows.

import type { CatalogueImage } from './image-facts.js'

/** The start of a search, as the number of replacements before it. */
export interface Moment {
  readonly replacements: number
}

interface Replaced {
  /** The number of this replacement, from 1. */
  readonly replacement: number
  readonly next: number
  readonly image: CatalogueImage
}

/**
 * Ordinals whose rows were replaced, while an older search may still need the old rows.
 *
 * A search sees each image under exactly one ordinal. So its first hit and the hits that corroborate it describe the same rows, even if the image is
 * replaced meanwhile.
 */
export class ReplacedRows {
  readonly #forget: (ordinal: number) => void
  #replacements = 0
  // The running searches, oldest first.
  readonly #moments = new Set<Moment>()
  // Invariant: by ordinal, oldest replacement first. Each was replaced after the oldest running search began.
  readonly #replaced = new Map<number, Replaced>()
  // Invariant: the replaced ordinal by the ordinal that replaced it, for exactly those in #replaced.
  readonly #before = new Map<number, number>()

  /** @param forget removes the rows of an ordinal. */
  constructor(forget: (ordinal: number) => void) {
    this.#forget = forget
  }

  /** Begins a search. Call `end` with the result. */
  begin(): Moment {
    const moment = { replacements: this.#replacements }
    this.#moments.add(moment)
    return moment
  }

  end(moment: Moment): void {
    this.#moments.delete(moment)
    const [first] = this.#moments
    for (const [ordinal, { replacement }] of this.#replaced) {
      if (first !== undefined && replacement > first.replacements) return
      this.#drop(ordinal)
    }
  }

  /** `next` has the new rows of the image. Without running searches the old rows are removed at once. */
  replace(ordinal: number, next: number, image: CatalogueImage): void {
    if (this.#moments.size === 0) {
      this.#forget(ordinal)
      return
    }
    this.#replaced.set(ordinal, { replacement: ++this.#replacements, next, image })
    this.#before.set(next, ordinal)
  }

  /** Withdraws an image: no search may find it by its older rows either. */
  withdraw(ordinal: number): void {
    for (let older = this.#before.get(ordinal); older !== undefined; ) {
      const oldest = this.#before.get(older)
      this.#drop(older)
      older = oldest
    }
  }

  /** The image as it was before its rows were replaced; `undefined` if the ordinal was not replaced or the image was withdrawn. */
  imageOf(ordinal: number): CatalogueImage | undefined {
    return this.#replaced.get(ordinal)?.image
  }

  /** Whether there are no old rows. Then all searches see the same. */
  get isEmpty(): boolean {
    return this.#replaced.size === 0
  }

  /** Whether a search with this start sees the image under this ordinal, and not under an older or newer one. */
  isSeen(ordinal: number, { replacements }: Moment): boolean {
    const replaced = this.#replaced.get(ordinal)
    if (replaced !== undefined && replaced.replacement <= replacements) return false
    const before = this.#replaced.get(this.#before.get(ordinal) ?? -1)
    return before === undefined || before.replacement <= replacements
  }

  #drop(ordinal: number): void {
    const replaced = this.#replaced.get(ordinal)
    if (replaced === undefined) return
    this.#replaced.delete(ordinal)
    this.#before.delete(replaced.next)
    this.#forget(ordinal)
  }
}
