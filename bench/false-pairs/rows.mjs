// Hashes without their pictures, grouped as pictures of 29 views each, the most that a picture may have.

import { readFileSync } from 'node:fs'
import { HASH_BYTES, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { MAX_AREA_SIGNALS } from '../../dist/packages/hash/src/image-hasher.js'
import { MAX_SEPARABLE_BITS, separableBits } from '../../dist/packages/hash/src/separable.js'
import { rotated } from '../../dist/src/services/matching/orientations.js'

/**
 * Rows of one photograph stand together, up to 100 of them, but nobody knows where the next one begins. So pictures count as related that
 * have the same origin, one in so many rows, or neighbouring ones.
 */
const ROWS_OF_ORIGIN = 10 * MAX_AREA_SIGNALS

/** @returns `{ name, origin, kind, place, rows }` of each; without hashes that say too little, as far as one tells that by itself. */
export function pictureRows(file) {
  const bytes = readFileSync(file)
  const count = Math.floor(bytes.length / HASH_BYTES)
  const pictures = []
  for (let from = 0; from + MAX_AREA_SIGNALS <= count; from += MAX_AREA_SIGNALS) {
    const rows = []
    for (let row = from; row < from + MAX_AREA_SIGNALS; row++) {
      const hash = hashFromBytes(bytes, row * HASH_BYTES)
      if (separableBits(hash) <= MAX_SEPARABLE_BITS) rows.push(hash)
    }
    pictures.push({
      name: `rows ${from}`,
      origin: `rows ${Math.floor(from / ROWS_OF_ORIGIN)}`,
      kind: 'rows',
      place: pictures.length,
      rows,
    })
  }
  return pictures
}

/** Whether this pair counts. Rows are registered and queried, so each pair of them counts once. */
export function isPair(asked, registered) {
  if (asked.kind === 'rows' && registered.kind === 'rows' && registered.place <= asked.place) return false
  return !relatedTo(asked.origin).includes(registered.origin)
}

export function relatedTo(origin) {
  const [word, number] = origin.split(' ')
  return word === 'rows' ? [-1, 0, 1].map((step) => `rows ${Number(number) + step}`) : [origin]
}

export function registeredRows({ rows }) {
  return rows.map((hash) => ({ type: 'pdq-area', view: 'crop', quality: 100, hashes: [hash] }))
}

/** As who sends hashes asks: turned by their bits. */
export function askedRows({ rows }) {
  return rows.map((hash) => ({ type: 'pdq-area', view: 'crop', quality: 100, hashes: rotated('pdq-area', 'crop', hash) }))
}
