// vPDQ, which other systems use, on the same frames: PDQ of one frame a second. Two rules for a match are measured.

import { distance } from '../../dist/packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'

const INTERVAL_MS = 1000
const MIN_QUALITY = 50
const THRESHOLD_BITS = 31
const MIN_SHARE = 0.8

const kernel = loadPdqKernelSync()

/** @returns the hash of a frame; `undefined` if vPDQ skips the frame or its quality is too low. */
export function vpdqOf({ atMs, pixels }) {
  if (atMs % INTERVAL_MS !== 0) return []
  const { quality, hash } = kernel.hash(pixels)
  return quality < MIN_QUALITY ? [] : [hash]
}

export class Vpdq {
  // Hashes of films by name.
  #films = new Map()

  register(name, hashes) {
    this.#films.set(name, hashes)
  }

  /**
   * @param hashes from `vpdqOf`.
   * @returns names of films: `share` with 80 % of the query's frames, the default of vPDQ's Python package; `any` with one frame.
   */
  ask(hashes) {
    const found = { share: [], any: [] }
    for (const [name, own] of this.#films) {
      const near = hashes.filter((hash) =>
        own.some((other) => distance(hash, other, THRESHOLD_BITS) <= THRESHOLD_BITS),
      ).length
      if (near === 0) continue
      found.any.push(name)
      if (near >= MIN_SHARE * hashes.length) found.share.push(name)
    }
    return found
  }
}
