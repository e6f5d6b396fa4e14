// What would be left of a picture if a piece of it had been stored, and a search for all of that in one pass.

import { writtenForms } from './written-forms.js'

const WINDOW_BYTES = 32
/** A window of sky or of padding turns up by chance; one with this many different bytes does not. */
const MIN_DIFFERENT_BYTES = 12
const HEAD_BYTES = 4
const FILTER_BITS = 2 ** 24

/**
 * Windows of 32 bytes out of everything that was sent, and of its pixels, as bytes and as the texts that programs make of
 * bytes.
 */
export class Evidence {
  readonly #needlesByHead = new Map<number, Buffer[]>()

  // Invariant: has the bit of every head in #needlesByHead, so that most positions of a haystack cost one look.
  readonly #filter = new Uint8Array(FILTER_BITS / 8)

  #windows = 0
  #longestBytes = WINDOW_BYTES

  /** How many windows are looked for, each in all its forms. */
  get windows(): number {
    return this.#windows
  }

  /** A carry of this many bytes between two pieces of a haystack loses nothing. */
  get overlapBytes(): number {
    return this.#longestBytes - 1
  }

  /**
   * Takes up to `most` windows, evenly spread.
   * @returns the windows taken, for a caller that wants to know that they would be found.
   */
  add(bytes: Buffer, most: number): Buffer[] {
    const taken: Buffer[] = []
    const strideBytes = Math.max(WINDOW_BYTES, Math.floor(bytes.length / most))
    for (let from = 0; from + WINDOW_BYTES <= bytes.length; from += strideBytes) {
      const window = distinctiveWindow(bytes, from, from + strideBytes)
      if (window === undefined) continue
      taken.push(window)
      this.#addNeedle(window)
      for (const { text } of writtenForms(window)) this.#addNeedle(Buffer.from(text))
    }
    this.#windows += taken.length
    return taken
  }

  /** @returns how often any form of any window starts in the first `untilByte` bytes. */
  countIn(haystack: Buffer, untilByte = haystack.length): number {
    let found = 0
    const end = Math.min(untilByte, haystack.length - HEAD_BYTES + 1)
    for (let at = 0; at < end; at++) {
      const head = haystack.readUInt32LE(at)
      const bit = filterBit(head)
      if (((this.#filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) continue
      for (const needle of this.#needlesByHead.get(head) ?? []) {
        if (haystack.compare(needle, 0, needle.length, at, Math.min(at + needle.length, haystack.length)) === 0) found += 1
      }
    }
    return found
  }

  #addNeedle(needle: Buffer): void {
    const head = needle.readUInt32LE(0)
    const bit = filterBit(head)
    this.#filter[bit >>> 3] = (this.#filter[bit >>> 3] ?? 0) | (1 << (bit & 7))
    const sameHead = this.#needlesByHead.get(head)
    if (sameHead === undefined) this.#needlesByHead.set(head, [needle])
    else sameHead.push(needle)
    this.#longestBytes = Math.max(this.#longestBytes, needle.length)
  }
}

/** A copy of the first window in [from, until) that could not be there by chance. */
function distinctiveWindow(bytes: Buffer, from: number, until: number): Buffer | undefined {
  for (let at = from; at < until && at + WINDOW_BYTES <= bytes.length; at += WINDOW_BYTES) {
    const window = bytes.subarray(at, at + WINDOW_BYTES)
    if (new Set(window).size >= MIN_DIFFERENT_BYTES) return Buffer.from(window)
  }
  return undefined
}

function filterBit(head: number): number {
  return Math.imul(head, 0x9e3779b1) >>> 8
}
