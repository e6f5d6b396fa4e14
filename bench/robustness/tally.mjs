// Counts of what was found and what was found falsely.

import { isDecided, PAIR_SUM_BITS } from './hasher.mjs'
import { WIDEST_BITS } from './references.mjs'

/** By edit: how many queries, and how many of them each method found. */
export class Recall {
  #edits = new Map()

  constructor(catalogue) {
    for (const { id, group, isOwn } of catalogue) this.#edits.set(id, { id, group, isOwn, queries: 0, found: {} })
  }

  /** @param found by method, whether it found the photograph. */
  add(id, found) {
    const edit = this.#edits.get(id)
    edit.queries++
    for (const [method, isFound] of Object.entries(found)) edit.found[method] = (edit.found[method] ?? 0) + Number(isFound)
  }

  /** `{ id, group, isOwn, queries, percent: { tabir: … } }`, in the catalogue's order. */
  edits() {
    return [...this.#edits.values()].filter(({ queries }) => queries > 0).map(withPercent)
  }

  groups() {
    return groupsOf(this.edits())
  }
}

/** Figures of edits by group, then `all`, which is the edits of the bench's own catalogue. */
export function groupsOf(edits) {
  const names = [...new Set(edits.map(({ group }) => group))]
  const groups = names.map((name) => [name, edits.filter(({ group }) => group === name)])
  return [...groups, ['all', edits.filter(({ isOwn }) => isOwn)]]
    .filter(([, members]) => members.length > 0)
    .map(([name, members]) => ({ name, edits: members.length, ...meanOf(members) }))
}

/** Of one kind of pair: how far queries were from their own photograph, by group, and from pictures that they do not show. */
export class Distances {
  #cells
  #own = new Map()
  #foreign = new Map()
  #pairs = new Map()

  constructor(cells) {
    this.#cells = cells
  }

  addPairs(cell, number) {
    this.#pairs.set(cell, (this.#pairs.get(cell) ?? 0) + number)
  }

  /** @param near as `References.nearest` gives it, or undefined where nothing is near. */
  addOwn(near, group) {
    for (const [kind, bits] of this.#kindsOf(near)) histogram(this.#own, `${kind} ${group}`)[bits]++
  }

  addForeign(near) {
    for (const [kind, bits] of this.#kindsOf(near)) histogram(this.#foreign, kind)[bits]++
  }

  /** The least distance of each cell; of each type in any cell; and of each type in cells that are not rotated, when there are corroborating views. */
  *#kindsOf(near) {
    if (near === undefined) return
    const least = new Map()
    for (const [cell, bits] of near.distances.entries()) {
      if (bits > WIDEST_BITS) continue
      yield [cell, bits]
      const { type, rotated } = this.#cells.kinds[cell]
      const sums = near.togetherBits <= PAIR_SUM_BITS.match && !rotated ? [anyOf(type), corroboratedOf(type)] : [anyOf(type)]
      for (const sum of sums) least.set(sum, Math.min(least.get(sum) ?? bits, bits))
    }
    yield* least
  }

  /** For kinds that are not cells, the pairs are all pairs of pictures. */
  *#curves() {
    yield* this.#cells.kinds.entries()
    for (const type of new Set(this.#cells.kinds.map((kind) => kind.type))) {
      yield [anyOf(type), { type, query: 'any', registered: 'any' }]
      yield [corroboratedOf(type), { type, query: 'any', registered: 'corroborated' }]
    }
  }

  addAllPairs(number) {
    for (const type of new Set(this.#cells.kinds.map((kind) => kind.type))) {
      this.addPairs(anyOf(type), number)
      this.addPairs(corroboratedOf(type), number)
    }
  }

  /** `{ type, query, registered, thresholdBits, pairs, falsePairs, found: { group: … } }` for each cell and threshold. */
  *curve(groups) {
    for (const [cell, kind] of this.#curves()) {
      const foreign = cumulated(histogram(this.#foreign, cell))
      const own = groups.map(({ name }) => [name, cumulated(histogram(this.#own, `${cell} ${name}`))])
      for (let thresholdBits = 0; thresholdBits <= WIDEST_BITS; thresholdBits++) {
        const found = Object.fromEntries(own.map(([name, counts]) => [name, counts[thresholdBits]]))
        const pairs = this.#pairs.get(cell) ?? 0
        yield { ...kind, thresholdBits, pairs, falsePairs: foreign[thresholdBits], found }
      }
    }
  }
}

/**
 * @param near as `References.nearest` gives it, or undefined where nothing is near.
 * @param strictness as of `isDecided`.
 */
export function isFound(near, { kinds }, strictness) {
  return (
    near?.distances.some((bits, cell) => {
      if (bits > WIDEST_BITS) return false
      return isDecided(kinds[cell], bits, near.togetherBits, strictness)
    }) ?? false
  )
}

function withPercent({ found, ...edit }) {
  return { ...edit, percent: Object.fromEntries(Object.entries(found).map(([key, n]) => [key, (100 * n) / edit.queries])) }
}

/** Every edit counts the same, as in the tables that hashes are compared by. */
function meanOf(edits) {
  const keys = Object.keys(edits[0].percent)
  const mean = (key) => edits.reduce((sum, { percent }) => sum + percent[key], 0) / edits.length
  return {
    queries: edits.reduce((sum, { queries }) => sum + queries, 0),
    percent: Object.fromEntries(keys.map((key) => [key, mean(key)])),
  }
}

function anyOf(type) {
  return `${type} any`
}

function corroboratedOf(type) {
  return `${type} corroborated`
}

function histogram(map, key) {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = new Array(WIDEST_BITS + 1).fill(0)
  map.set(key, made)
  return made
}

function cumulated(counts) {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}
