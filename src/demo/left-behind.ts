// Searches for traces of pictures, for all of them in one pass.

import { writtenForms } from './written-forms.js'

const WINDOW_BYTES = 32
/** Windows of sky or padding appear by chance; windows with this many different bytes do not. */
const MIN_DIFFERENT_BYTES = 12
const HEAD_BYTES = 4
const FILTER_BITS = 2 ** 24

/** Windows of 32 bytes from everything that was sent, and from its pixels, as bytes and in the texts that programs make of bytes. */
export class Evidence {
  readonly #needlesByHead = new Map<number, Buffer[]>()

  // Invariant: has the bit of every head in #needlesByHead, so that most positions cost one lookup.
  readonly #filter = new Uint8Array(FILTER_BITS / 8)

  #windows = 0
  #longestBytes = WINDOW_BYTES

  /** Number of windows, each searched in all its forms. */
  get windows(): number {
    return this.#windows
  }

  /** Overlap that consecutive pieces of a haystack need so that no match is lost. */
  get overlapBytes(): number {
    return this.#longestBytes - 1
  }

  /**
   * Adds up to `maxWindows` windows, evenly spread.
   * @returns the windows, so that a caller can check that they would be found
   */
  add(bytes: Buffer, maxWindows: number): Buffer[] {
    const taken: Buffer[] = []
    const strideBytes = Math.max(WINDOW_BYTES, Math.floor(bytes.length / maxWindows))
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

/** A copy of the first window in [from, until) that cannot be there by chance. */
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
