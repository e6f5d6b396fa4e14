// What is registered, and how near a query comes to each of it.

import { readFileSync } from 'node:fs'
import { HASH_BYTES, hashFromBytes } from '../../dist/src/hash/hash256.js'
import { MOST_SEPARABLE_BITS } from '../../dist/src/hash/image-hasher.js'
import { separableBits } from '../../dist/src/hash/separable.js'
import { SignalIndex } from '../../dist/src/search/signal-index.js'

/** Distances beyond this are not told apart: no threshold is asked for there. */
export const WIDEST_BITS = 72

const MOST_NEEDLES = 64 // of a search
const MOST_CELLS = 64

/** The kinds of pairs: a type, a view of the query and a view of what is registered. A cell is the number of one. */
export class Cells {
  #numbers = new Map()

  /** `{ type, query, registered }` by number. */
  kinds = []

  of(type, query, registered) {
    const name = `${type} ${query} ${registered}`
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const cell = this.kinds.length
    this.#numbers.set(name, cell)
    this.kinds.push({ type, query, registered })
    return cell
  }

  /** The nearest of a pair's cells, in words. */
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
      if (separableBits(hash) <= MOST_SEPARABLE_BITS) index.insert(image, row % rowsPerImage, hash)
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

  /** @returns by picture, the least distance of each cell; 255 where it is beyond `WIDEST_BITS`. */
  nearest(signals) {
    const found = new Map()
    for (const [type, byView] of grouped(signals)) {
      const { index, views } = this.#type(type)
      for (const [query, hashes] of byView) {
        for (const { image, view, distanceBits } of hits(index, hashes, WIDEST_BITS)) {
          const cell = this.#cells.of(type, query, views[image][view])
          const distances = found.get(image) ?? new Uint8Array(MOST_CELLS).fill(255)
          distances[cell] = Math.min(distances[cell], distanceBits)
          found.set(image, distances)
        }
      }
    }
    return found
  }

  /** Searches as a service would, for its cost alone: all needles, each type at the widest threshold that decides anything. */
  search(signals, thresholdOf) {
    let number = 0
    for (const [type, byView] of grouped(signals)) {
      number += hits(this.#type(type).index, [...byView.values()].flat(), thresholdOf(type)).length
    }
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

function grouped(signals) {
  const types = new Map()
  for (const { type, view, hashes } of signals) {
    const byView = types.get(type) ?? new Map()
    byView.set(view, [...(byView.get(view) ?? []), ...hashes])
    types.set(type, byView)
  }
  return types
}

function hits(index, needles, thresholdBits) {
  const all = []
  for (let i = 0; i < needles.length; i += MOST_NEEDLES) {
    for (const hit of index.within(needles.slice(i, i + MOST_NEEDLES), thresholdBits)) all.push(hit)
  }
  return all
}
