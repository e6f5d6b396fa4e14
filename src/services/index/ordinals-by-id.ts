// Finds the ordinal of an image by its id: a hash table of 32-bit ordinals. The ids themselves stay in the pages.

import { ID_BYTES, PAGE_BITS, PAGE_IMAGES, type Page } from './image-page.js'

/** Ids are divided into parts by their last two bytes, which are random. The last byte is the high byte. */
export const ID_PARTS = 65_536

const NO_SLOT = 0
/** Shards by the last byte of the id. Small shards grow quickly. */
const SHARDS = 256
const FIRST_SLOTS = 16
const MAX_LOAD = 0.75

/** Open addressing with linear probing. A slot holds an ordinal plus one, or NO_SLOT. */
interface Shard {
  slots: Uint32Array
  used: number
}

export class OrdinalsById {
  readonly #pages: readonly (Page | undefined)[]
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => ({
    slots: new Uint32Array(FIRST_SLOTS),
    used: 0,
  }))

  /** @param pages the live list of pages. It must hold the id of each ordinal that is added. */
  constructor(pages: readonly (Page | undefined)[]) {
    this.#pages = pages
  }

  get bytes(): number {
    return this.#shards.reduce((sum, { slots }) => sum + slots.byteLength, 0)
  }

  /** @param id [16 bytes] @throws {RangeError} when it is shorter. */
  find(id: Uint8Array): number | undefined {
    const { slots } = this.#shardOf(id[ID_BYTES - 1])
    const slot = this.#slotOf(slots, id)
    return slot === undefined ? undefined : (slots[slot] ?? 0) - 1
  }

  /** Adds an ordinal whose id is not in the table. The id is at offset `at` of `ids`, and in its page. */
  add(ids: Uint8Array, at: number, ordinal: number): void {
    const shard = this.#shardOf(ids[at + ID_BYTES - 1])
    if (++shard.used > shard.slots.length * MAX_LOAD) this.#grow(shard)
    put(shard.slots, hashOf(ids, at), ordinal + 1)
  }

  /** Call it before the id is erased from its page. @returns the ordinal that the id had; `undefined` for an unknown id. */
  remove(id: Uint8Array): number | undefined {
    const shard = this.#shardOf(id[ID_BYTES - 1])
    const slot = this.#slotOf(shard.slots, id)
    if (slot === undefined) return undefined
    const ordinal = (shard.slots[slot] ?? 0) - 1
    this.#closeGap(shard.slots, slot)
    shard.used--
    return ordinal
  }

  /** The ordinals of ids in parts `from` to `to` − 1, in no order. */
  ordinalsIn(from: number, to: number): number[] {
    const found: number[] = []
    for (let shard = from >>> 8; shard <= (to - 1) >>> 8; shard++) {
      for (const entry of this.#shards[shard]?.slots ?? []) {
        if (entry === NO_SLOT) continue
        const at = ((entry - 1) % PAGE_IMAGES) * ID_BYTES
        const ids = this.#pages[(entry - 1) >>> PAGE_BITS]?.ids
        const part = ((ids?.[at + 15] ?? 0) << 8) | (ids?.[at + 14] ?? 0)
        if (part >= from && part < to) found.push(entry - 1)
      }
    }
    return found
  }

  /**
   * Reserves memory for `size` images with random ids in an empty table. Growing step by step would insert each id up to three
   * times.
   */
  makeRoom(size: number): void {
    for (const shard of this.#shards) {
      while (size / SHARDS > shard.slots.length * MAX_LOAD) shard.slots = new Uint32Array(shard.slots.length * 2)
    }
  }

  #shardOf(lastByte: number | undefined): Shard {
    const shard = this.#shards[lastByte ?? -1]
    if (shard === undefined) throw new RangeError('an id has 16 bytes')
    return shard
  }

  #slotOf(slots: Uint32Array, id: Uint8Array): number | undefined {
    const mask = slots.length - 1
    for (let slot = hashOf(id, 0) & mask; slots[slot] !== NO_SLOT; slot = (slot + 1) & mask) {
      const ordinal = (slots[slot] ?? 0) - 1
      if (isAt(this.#pages[ordinal >>> PAGE_BITS]?.ids, (ordinal % PAGE_IMAGES) * ID_BYTES, id)) return slot
    }
    return undefined
  }

  /** Empties a slot and inserts the entries behind it again, so that a search may stop at the first empty slot. */
  #closeGap(slots: Uint32Array, gap: number): void {
    const mask = slots.length - 1
    slots[gap] = NO_SLOT
    for (let slot = (gap + 1) & mask; slots[slot] !== NO_SLOT; slot = (slot + 1) & mask) {
      const moved = slots[slot] ?? 0
      slots[slot] = NO_SLOT
      put(slots, this.#hashAt(moved - 1), moved)
    }
  }

  #grow(shard: Shard): void {
    const slots = new Uint32Array(shard.slots.length * 2)
    for (const entry of shard.slots) if (entry !== NO_SLOT) put(slots, this.#hashAt(entry - 1), entry)
    shard.slots = slots
  }

  #hashAt(ordinal: number): number {
    const page = this.#pages[ordinal >>> PAGE_BITS]
    return page === undefined ? 0 : hashOf(page.ids, (ordinal % PAGE_IMAGES) * ID_BYTES)
  }
}

/** Four bytes from the random part of a UUID. They need no further mixing. */
function hashOf(bytes: Uint8Array, at: number): number {
  return (bytes[at + 10] ?? 0) | ((bytes[at + 11] ?? 0) << 8) | ((bytes[at + 12] ?? 0) << 16) | ((bytes[at + 13] ?? 0) << 24)
}

function put(slots: Uint32Array, hash: number, entry: number): void {
  const mask = slots.length - 1
  let slot = hash & mask
  while (slots[slot] !== NO_SLOT) slot = (slot + 1) & mask
  slots[slot] = entry
}

function isAt(bytes: Uint8Array | undefined, at: number, id: Uint8Array): boolean {
  if (bytes === undefined) return false
  for (let i = ID_BYTES - 1; i >= 0; i--) if (bytes[at + i] !== id[i]) return false
  return true
}
