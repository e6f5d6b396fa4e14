// Tables of fewer, wider bands, for many rows and small thresholds: more keys to look up, far fewer candidates. AssemblyScript; part of engine.ts.
//
// Band j of n is bits ⌊256 j / n⌋ to ⌊256 (j + 1) / n⌋ of a row. A table lists the rows by key, in two columns: fragments and row numbers (u24). A
// fragment (u16) is the lowest 16 bits of the row's NEXT band. It rejects nearly all candidates without reading their row. Why this misses nothing:
// reach.ts, which holds for bands of any width.

import { WIDE_MASKS_AT } from './layout'

/** The largest reach that a plan may give a wide band: 2,325 keys of 24 bits differ from a key in fewer bits. */
export const WIDE_MAX_REACH: u32 = 4
/** There are no masks for keys of more bits. */
export const WIDEST_BITS: u32 = 24

export let bands: u32 = 0
export let rowsAt: usize = 0
export let fragmentsAt: usize = 0
export let numbersAt: usize = 0
export let capacity: usize = 0

// By band: its first bit, its width, the address of its offsets.
const firstBits = memory.data(64)
const widths = memory.data(64)
const offsetsAts = memory.data(64)

/** Call once, before anything else. From `extraAt` on lie the offsets of all bands, then their fragments, then their row numbers. */
export function describeWide(rows: usize, extraAt: usize, count: u32, maxRows: u32): void {
  bands = count
  rowsAt = rows
  capacity = maxRows
  let at = extraAt
  for (let band: u32 = 0; band < count; band++) {
    const first = (band << 8) / count
    const width = ((band + 1) << 8) / count - first
    store<u32>(firstBits + (<usize>band << 2), first)
    store<u32>(widths + (<usize>band << 2), width)
    store<u32>(offsetsAts + (<usize>band << 2), <u32>at)
    at += wideOffsetsBytes(width)
  }
  fragmentsAt = at
  numbersAt = at + <usize>count * (capacity << 1)
}

/** One entry more than keys, so that the end of a bucket is the start of the next; and one more for counting. */
function wideOffsetsBytes(width: u32): usize {
  return ((<usize>1 << width) + 2) << 2
}

// @ts-ignore: decorator
@inline
export function offsetsOf(band: u32): usize {
  return <usize>load<u32>(offsetsAts + (<usize>band << 2))
}

// @ts-ignore: decorator
@inline
export function widthOf(band: u32): u32 {
  return load<u32>(widths + (<usize>band << 2))
}

// @ts-ignore: decorator
@inline
export function nextOf(band: u32): u32 {
  return band + 1 == bands ? 0 : band + 1
}

/** May read beyond the row. Those bits are masked out. */
// @ts-ignore: decorator
@inline
export function keyOf(row: usize, band: u32): u32 {
  const first = load<u32>(firstBits + (<usize>band << 2))
  const bits = load<u64>(row + (<usize>first >> 3)) >> (first & 7)
  return <u32>bits & ((<u32>1 << widthOf(band)) - 1)
}

/** Counts the keys of rows `from`…`to`−1 in all bands. Offsets must be zero before the first call. */
export function countWideKeys(from: u32, to: u32): void {
  for (let band: u32 = 0; band < bands; band++) {
    const counts = offsetsOf(band) + 8
    for (let row = rowsAt + (<usize>from << 5), end = rowsAt + (<usize>to << 5); row < end; row += 32) {
      const count = counts + (<usize>keyOf(row, band) << 2)
      store<u32>(count, load<u32>(count) + 1)
    }
  }
}

/**
 * Turns counts of keys `from`…`to`−1 into the starts of their buckets. Each start is stored one key too late; filling moves it to the end of the
 * bucket, which is the start of the next.
 */
export function sumWideCounts(band: u32, from: u32, to: u32): void {
  const starts = offsetsOf(band) + 4
  let sum = load<u32>(starts + (<usize>from << 2))
  for (let key: usize = from; key < <usize>to; key++) {
    sum += load<u32>(starts + ((key + 1) << 2))
    store<u32>(starts + ((key + 1) << 2), sum)
  }
}

/** Puts rows `from`…`to`−1 into a band's table. */
export function fillWideTable(band: u32, from: u32, to: u32): void {
  const cursors = offsetsOf(band) + 4
  const fragments = fragmentsAt + <usize>band * (capacity << 1)
  const numbers = numbersAt + <usize>band * capacity * 3
  const next = nextOf(band)
  for (let number = from; number < to; number++) {
    const row = rowsAt + (<usize>number << 5)
    const cursor = cursors + (<usize>keyOf(row, band) << 2)
    const place = <usize>load<u32>(cursor)
    store<u32>(cursor, <u32>place + 1)
    store<u16>(fragments + (place << 1), <u16>keyOf(row, next))
    store<u16>(numbers + place * 3, <u16>number)
    store<u8>(numbers + place * 3, <u8>(number >> 16), 2)
  }
}

/** @returns how many masks with `bits` bits there are for a key of `width` bits. */
export function masksOf(width: u32, bits: u32): u32 {
  if (bits == 0) return 1
  if (bits == 1) return width
  if (bits == 2) return (width * (width - 1)) / 2
  return (width * (width - 1) * (width - 2)) / 6
}

/** @returns where the masks with `bits` bits begin. Among those, the masks that fit a narrower key come first. */
export function masksAt(bits: u32): usize {
  let masks: u32 = 0
  for (let fewer: u32 = 0; fewer < bits; fewer++) masks += masksOf(WIDEST_BITS, fewer)
  return WIDE_MASKS_AT + (<usize>masks << 2)
}

/** Writes the masks that turn a key into the keys near it. */
export function writeWideMasks(): void {
  let one = masksAt(1)
  let two = masksAt(2)
  let three = masksAt(3)
  store<u32>(masksAt(0), 0)
  for (let high: u32 = 0; high < WIDEST_BITS; high++) {
    store<u32>(one, <u32>1 << high)
    one += 4
    for (let low: u32 = 0; low < high; low++) {
      store<u32>(two, (<u32>1 << high) | (<u32>1 << low))
      two += 4
      for (let lowest: u32 = 0; lowest < low; lowest++) {
        store<u32>(three, (<u32>1 << high) | (<u32>1 << low) | (<u32>1 << lowest))
        three += 4
      }
    }
  }
}
