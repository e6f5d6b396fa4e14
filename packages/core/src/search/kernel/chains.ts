// The head: the newest rows, linked in chains by band, so that a new row is searchable without building a table. AssemblyScript; part of engine.ts.

import {
  BALLS_AT,
  BANDS,
  HITS_AT,
  MAX_HITS,
  MAX_REACH,
  NEEDLES_AT,
  PLAN_AT,
  RECORDS_AT,
  SURVIVORS_AT,
  WORD_MASKS_AT,
} from './layout'
import { distanceTo, isReachedBefore, isReachedIn } from './reach'

let rowsAt: usize = 0
/** Per band and key: u16, the newest row of the chain plus one, 0 for none; u16, the length of the chain. */
let firstsAt: usize = 0
/**
 * Per band and 64 keys: u64, a bit for each key whose chain has rows. Most chains are empty, and the words that a search reads stay in the caches.
 */
let filledAt: usize = 0
/** u16 per row and band: the next older row of the chain plus one. */
let nextsAt: usize = 0

const BAND_BYTES: usize = 65_536 * 4
const FILLED_BYTES: usize = 65_536 / 8
/** Where the masks of words with 0, 1 … bits end, in bytes from the first. A word is the upper ten bits of a key. */
const wordMaskEnds = memory.data<u32>([2, 22, 112, 352, 772, 1_276])
// A head has no survivors, so their memory is free. A chain or candidate is a u16 row and a u16 band. There are at most 6,885 chains per band.
const CHAINS_AT = SURVIVORS_AT
const CANDIDATES_AT = CHAINS_AT + 524_288
const CANDIDATES: u32 = <u32>((RECORDS_AT - CANDIDATES_AT) >> 2)

export function describeChains(rows: usize, firsts: usize, filled: usize, nexts: usize): void {
  rowsAt = rows
  firstsAt = firsts
  filledAt = filled
  nextsAt = nexts
}

/** Adds a row, 0…65,534, to its sixteen chains. The row must have been written. */
export function link(number: u32): void {
  const row = rowsAt + (<usize>number << 5)
  const nexts = nextsAt + (<usize>number << 5)
  let firsts = firstsAt
  let filled = filledAt
  for (let at: usize = 0; at < BANDS << 1; at += 2) {
    const key = <usize>load<u16>(row + at)
    const first = firsts + (key << 2)
    const word = filled + (key >> 6 << 3)
    store<u64>(word, load<u64>(word) | (<u64>1 << (key & 63)))
    store<u16>(nexts + at, load<u16>(first))
    store<u16>(first, <u16>(number + 1))
    store<u16>(first, load<u16>(first, 2) + 1, 2)
    firsts += BAND_BYTES
    filled += FILLED_BYTES
  }
}

/**
 * A word is 64 keys. Writes masks, in order of distance: each turns the number of a word into that of a word near it. Writes for each key of a word
 * its ball: the keys near it.
 */
export function writeBalls(): void {
  let at = WORD_MASKS_AT
  for (let bits: u32 = 0; bits < MAX_REACH; bits++) {
    for (let mask: u32 = 0; mask < 1_024; mask++) {
      if (<u32>popcnt(mask) != bits) continue
      store<u16>(at, <u16>mask)
      at += 2
    }
  }
  for (let bits: u32 = 0; bits < MAX_REACH; bits++) {
    for (let key: u32 = 0; key < 64; key++) {
      let ball: u64 = 0
      for (let other: u32 = 0; other < 64; other++) if (<u32>popcnt(key ^ other) <= bits) ball |= <u64>1 << other
      store<u64>(ballAt(bits, key), ball)
    }
  }
}

// @ts-ignore: decorator
@inline
function ballAt(bits: u32, key: u32): usize {
  return BALLS_AT + (<usize>((bits << 6) | key) << 3)
}

/**
 * Finds the rows below `rowCount` that the needle at NEEDLES_AT + 32 × `number` reaches under the plan. Writes hits as `probe` does.
 *
 * Each read of a row costs a memory access, so the lengths of the chains are added up before any row is read. Works in passes over all bands,
 * without branches that depend on rows, so that the processor loads many rows at once.
 *
 * @returns how many hits; −1 if there are more than `maxVisits` rows to read, or rows or hits exceed scratch. Then ignore all hits.
 */
export function follow(number: u32, rowCount: u32, thresholdBits: u32, maxVisits: u32): i32 {
  const needle = NEEDLES_AT + (<usize>number << 5)
  const chainsEnd = findChains(needle, min(maxVisits, CANDIDATES))
  if (chainsEnd == 0) return -1
  const near = keepNearOf(walk(chainsEnd), needle, rowCount, thresholdBits)
  let hit = HITS_AT
  const hitsEnd = HITS_AT + (<usize>MAX_HITS << 3)
  for (let at = CANDIDATES_AT; at < near; at += 4) {
    const candidate = load<u16>(at)
    const row = rowsAt + (<usize>candidate << 5)
    const band = load<u16>(at, 2)
    if (!isReachedIn(row, needle, band) || isReachedBefore(row, needle, band)) continue
    if (hit == hitsEnd) return -1
    store<u32>(hit, candidate)
    store<u16>(hit, <u16>distanceTo(row, needle), 4)
    store<u16>(hit, <u16>number, 6)
    hit += 8
  }
  return <i32>((hit - HITS_AT) >> 3)
}

/**
 * Lists the newest rows of all chains that the needle reaches.
 * @returns the end of the list; 0 if the chains have more than `maxRows` rows in total.
 */
function findChains(needle: usize, maxRows: u32): usize {
  let rows: u32 = 0
  let chain = CHAINS_AT
  for (let band: u32 = 0; band < BANDS; band += BANDS_AT_ONCE) {
    const recordsEnd = findWords(needle, band, band + BANDS_AT_ONCE)
    for (let record = RECORDS_AT; record < recordsEnd; record += 16) {
      const firstKey = load<u32>(record, 8)
      const firsts = firstsAt + (<usize>firstKey << 2)
      const bandBits = firstKey & 0xffff0000
      for (let near = load<u64>(record); near != 0; near &= near - 1) {
        const first = load<u32>(firsts + (<usize>ctz(near) << 2))
        store<u32>(chain, bandBits | (first & 0xffff))
        chain += 4
        rows += first >> 16
      }
      if (rows > maxRows) return 0
    }
  }
  return chain
}

/**
 * Bands whose words are read before their chains are listed. With fewer, the processor has fewer loads under way. With more, an excess of rows is
 * noticed later.
 */
const BANDS_AT_ONCE: u32 = 4

/**
 * Records the words with non-empty chains that the needle reaches in some bands: which of the 64 keys, and where their chains begin. Keys that
 * differ only in their lowest six bits are in the same word: the 137 keys that differ in two bits or fewer are in 56 words.
 * @returns the end of the records.
 */
function findWords(needle: usize, fromBand: u32, toBand: u32): usize {
  let record = RECORDS_AT
  for (let band = fromBand; band < toBand; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    const key = <u32>load<u16>(needle + (<usize>band << 1))
    const filled = filledAt + <usize>band * FILLED_BYTES
    let mask = WORD_MASKS_AT
    for (let bits: u32 = 0; bits < reach; bits++) {
      const ball = load<u64>(ballAt(reach - 1 - bits, key & 63))
      for (const end = WORD_MASKS_AT + <usize>load<u32>(wordMaskEnds + (<usize>bits << 2)); mask < end; mask += 2) {
        const word = (key >> 6) ^ <u32>load<u16>(mask)
        const near = load<u64>(filled + (<usize>word << 3)) & ball
        store<u64>(record, near)
        store<u32>(record, (band << 16) | (word << 6), 8)
        record += near != 0 ? 16 : 0
      }
    }
  }
  return record
}

/**
 * Lists the rows of the chains: the first row of every chain, then the second of every chain that has one, and so on. A row is known only when the
 * row before it has been read, so reading chain by chain would wait at every row. Overwrites the list of chains.
 * @returns the end of the rows.
 */
function walk(chainsEnd: usize): usize {
  let candidate = CANDIDATES_AT
  while (chainsEnd > CHAINS_AT) {
    let left = CHAINS_AT
    for (let chain = CHAINS_AT; chain < chainsEnd; chain += 4) {
      const band = load<u16>(chain, 2)
      const row = <u32>load<u16>(chain) - 1
      store<u16>(candidate, <u16>row)
      store<u16>(candidate, band, 2)
      candidate += 4
      const next = load<u16>(nextsAt + (<usize>row << 5) + (<usize>band << 1))
      store<u16>(left, next)
      store<u16>(left, band, 2)
      left += next != 0 ? 4 : 0
    }
    chainsEnd = left
  }
  return candidate
}

/**
 * Moves the candidates that are within the threshold and below `rowCount` to the front.
 * @returns their end.
 */
function keepNearOf(candidatesEnd: usize, needle: usize, rowCount: u32, thresholdBits: u32): usize {
  let near = CANDIDATES_AT
  for (let at = CANDIDATES_AT; at < candidatesEnd; at += 4) {
    const candidate = load<u32>(at)
    const row = candidate & 0xffff
    store<u32>(near, candidate)
    const isNear = <u32>(distanceTo(rowsAt + (<usize>row << 5), needle) <= thresholdBits) & <u32>(row < rowCount)
    near += <usize>isNear << 2
  }
  return near
}
