// Registered pictures, and the distance of a query to each of them.

import { readFileSync } from 'node:fs'
import { SignalIndex } from '../../dist/packages/core/src/search/signal-index.js'
import { HASH_BYTES, hashFromBytes } from '../../dist/packages/hash/src/hash256.js'
import { MAX_SEPARABLE_BITS, separableBits } from '../../dist/packages/hash/src/separable.js'
import { Corroborations, contentOf, matchBits, orientationGroupsOf, searchBits } from './hasher.mjs'

/** Distances beyond this are treated as equal: no threshold is measured there. */
export const WIDEST_BITS = 72

const MAX_CELLS = 128

/** The kinds of pairs: a type, a view of the query, turned or not, what it holds, and a view of what is registered. A cell is the number of one. */
export class Cells {
  #numbers = new Map()

  /** `{ type, query, registered, turned, content }` by number. */
  kinds = []

  of(type, query, registered, rotated, content) {
    const name = `${type} ${query} ${registered} ${rotated} ${content}`
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const cell = this.kinds.length
    this.#numbers.set(name, cell)
    if (cell === MAX_CELLS) throw new RangeError('there are more kinds of pairs than cells')
    this.kinds.push({ type, query, registered, rotated, content })
    return cell
  }

  /** Describes the nearest of a pair's cells. */
  named(distances) {
    const bits = Math.min(...distances)
    return { ...this.kinds[distances.indexOf(bits)], bits }
  }
}

/** Pictures are numbered in the order in which they are added. */
export class References {
  // By type: its index, and for each picture the views of its rows.
  #types = new Map()

  #cells

  images = 0

  constructor(cells) {
    this.#cells = cells
  }

  /** @returns the number of the picture. */
  add(signals) {
    const image = this.images++
    for (const { type, view, hashes } of signals) {
      const { index, views } = this.#type(type)
      views[image] ??= []
      index.insert(image, views[image].push(view) - 1, hashes[0])
    }
    return image
  }

  /** Adds the hashes of a file as pictures of that many rows. */
  addRows(file, rowsPerImage, { type, view }) {
    const bytes = readFileSync(file)
    const rows = Math.floor(bytes.length / HASH_BYTES)
    const { index, views } = this.#type(type)
    const kept = new Array(rowsPerImage).fill(view) // one list for all: they are alike
    for (let row = 0; row < rows; row++) {
      const image = this.images + Math.floor(row / rowsPerImage)
      const hash = hashFromBytes(bytes, row * HASH_BYTES)
      views[image] = kept
      // What says too little would not have been registered; of the two rules for that, this is the one that a hash alone can tell.
      if (separableBits(hash) <= MAX_SEPARABLE_BITS) index.insert(image, row % rowsPerImage, hash)
    }
    while (index.compact(rows)) {}
    this.images += Math.ceil(rows / rowsPerImage)
  }

  /** How many pictures have rows of each view: `{ type, view, images }`. */
  held() {
    return [...this.#types].flatMap(([type, { views }]) => {
      const counts = new Map()
      for (const own of views) for (const view of new Set(own)) counts.set(view, (counts.get(view) ?? 0) + 1)
      return [...counts].map(([view, images]) => ({ type, view, images }))
    })
  }

  holds(image, type, view) {
    return this.#type(type).views[image]?.includes(view) ?? false
  }

  /**
   * @returns by picture, `distances`: the least of each cell, 255 where it is beyond `WIDEST_BITS`; and `togetherBits`: the sum of the
   * distances of the nearest two corroborating views.
   */
  nearest(signals) {
    const found = new Map()
    const corroborations = new Corroborations()
    for (const [place, signal] of signals.entries()) {
      const { type, view: query } = signal
      const content = contentOf(signal)
      const { index, views } = this.#type(type)
      for (const { orientations, rotated, hashes } of orientationGroupsOf(signal)) {
        for (const { image, view, transform, distanceBits } of index.within(hashes, WIDEST_BITS)) {
          const registered = views[image][view]
          const cell = this.#cells.of(type, query, registered, rotated, content)
          const distances = found.get(image) ?? new Uint8Array(MAX_CELLS).fill(255)
          distances[cell] = Math.min(distances[cell], distanceBits)
          found.set(image, distances)
          const seen = { asked: query, registered, rotated }
          const isWithin = distanceBits <= matchBits(type, seen)
          const observation = { type, views: seen, signal: place, distanceBits, isWithin }
          if (!rotated)
            corroborations.note(image, { ...observation, orientation: orientations[transform], hash: hashes[transform] })
        }
      }
    }
    return new Map(
      [...found].map(([image, distances]) => {
        const { nearBits = Number.POSITIVE_INFINITY } = corroborations.together(image) ?? {}
        return [image, { distances, togetherBits: nearBits }]
      }),
    )
  }

  /** Searches as the service does, to measure the cost: each view within its widest radius. */
  search(signals) {
    let number = 0
    for (const signal of signals)
      for (const { rotated, hashes } of orientationGroupsOf(signal))
        number += this.#type(signal.type).index.within(hashes, searchBits(signal.type, signal.view, rotated)).length
    return number
  }

  #type(type) {
    const known = this.#types.get(type)
    if (known !== undefined) return known
    const made = { index: new SignalIndex(), views: [] }
    this.#types.set(type, made)
    return made
  }
}
