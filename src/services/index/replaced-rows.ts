// Multi-version reads of images whose rows are replaced: a search that began before sees the old rows, all others see the new ones.

import type { CatalogueImage } from './image-facts.js'

/** When a search began, among the replacements. */
export interface Moment {
  readonly replacements: number
}

interface Replaced {
  /** Which replacement it was, counted from 1. */
  readonly replacement: number
  readonly next: number
  readonly image: CatalogueImage
}

/**
 * Ordinals whose rows were replaced, while a search that began before may still need them.
 *
 * Each image is seen by a search under exactly one ordinal: what finds it by its first hash and what confirms it by another agree about which
 * image it is, whatever is put in between.
 */
export class ReplacedRows {
  readonly #forget: (ordinal: number) => void
  #replacements = 0
  // Of the searches that go on; the one that began first comes first.
  readonly #moments = new Set<Moment>()
  // Invariant: by ordinal, the first replaced first; each was replaced after the first of the moments.
  readonly #replaced = new Map<number, Replaced>()
  // Invariant: by the ordinal that took the place of another, the other, for exactly those in #replaced.
  readonly #before = new Map<number, number>()

  /** @param forget removes the rows of an ordinal. */
  constructor(forget: (ordinal: number) => void) {
    this.#forget = forget
  }

  /** A search begins. It must end. */
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

  /** `next` has the image's new rows. The old ones are forgotten at once if no search goes on. */
  replace(ordinal: number, next: number, image: CatalogueImage): void {
    if (this.#moments.size === 0) {
      this.#forget(ordinal)
      return
    }
    this.#replaced.set(ordinal, { replacement: ++this.#replacements, next, image })
    this.#before.set(next, ordinal)
  }

  /** The image is withdrawn: no search may find it by older rows either. */
  withdraw(ordinal: number): void {
    for (let older = this.#before.get(ordinal); older !== undefined; ) {
      const oldest = this.#before.get(older)
      this.#drop(older)
      older = oldest
    }
  }

  /** The image as it was before its rows were replaced; `undefined` when the ordinal is none of a replaced one, or the image was withdrawn. */
  imageOf(ordinal: number): CatalogueImage | undefined {
    return this.#replaced.get(ordinal)?.image
  }

  /** Is nothing kept for older searches? Then all see the same. */
  get isEmpty(): boolean {
    return this.#replaced.size === 0
  }

  /** Does a search that began then see the image under this ordinal, rather than an older or newer one? */
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
