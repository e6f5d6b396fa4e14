// What is deployed elsewhere, on the same frames: vPDQ, PDQ of a frame each second. It is read in two ways, and both are measured.

import { distance } from '../../dist/packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'

const INTERVAL_MS = 1000
const MIN_QUALITY = 50
const THRESHOLD_BITS = 31
const MIN_SHARE = 0.8

const kernel = loadPdqKernelSync()

/** @returns the hash of a frame, or nothing if it is not one of those that are looked at, or is too plain. */
export function vpdqOf({ atMs, pixels }) {
  if (atMs % INTERVAL_MS !== 0) return []
  const { quality, hash } = kernel.hash(pixels)
  return quality < MIN_QUALITY ? [] : [hash]
}

export class Vpdq {
  // By name, the hashes of a film.
  #films = new Map()

  register(name, hashes) {
    this.#films.set(name, hashes)
  }

  /**
   * @param hashes of `vpdqOf`.
   * @returns names: `share` of films that have 80 % of the query's frames, which is the default of its Python package; `any` of those that have one.
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
