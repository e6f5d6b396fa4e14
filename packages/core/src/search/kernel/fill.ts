// Fills the band tables of a segment whose rows are complete. AssemblyScript; part of engine.ts.

import { BANDS, ENTRY_BYTES, KEYS, OFFSETS_BYTES, offsetsAt, rowBits, rowsAt, STARTS_AT, tableBytes, tablesAt } from './layout'

/** Counts the keys of rows `from`…`to`−1 in all bands. Offsets must be zero before the first call. */
export function countKeys(from: u32, to: u32): void {
  for (let row = rowsAt + (<usize>from << 5), end = rowsAt + (<usize>to << 5); row < end; row += 32) {
    let counts = offsetsAt + 8
    for (let at = row; at < row + 32; at += 2) {
      const count = counts + (<usize>load<u16>(at) << 2)
      store<u32>(count, load<u32>(count) + 1)
      counts += OFFSETS_BYTES
    }
  }
}

/**
 * Turns a band's counts into the starts of its buckets. Each start is stored one key too late; filling moves it to the end of the bucket, which is
 * the start of the next. Keeps a copy in scratch, because filling also needs the size of a bucket.
 */
export function sumCounts(band: u32): void {
  const starts = offsetsAt + <usize>band * OFFSETS_BYTES + 4
  let sum: u32 = 0
  for (let at = starts, end = starts + OFFSETS_BYTES - 4; at < end; at += 4) {
    sum += load<u32>(at)
    store<u32>(at, sum)
  }
  memory.copy(STARTS_AT, starts, OFFSETS_BYTES - 4)
}

/** Puts rows `from`…`to`−1 into a band's table. One band at a time: call `sumCounts` for the next band only when all rows are in this one. */
export function fillTable(band: u32, from: u32, to: u32): void {
  const cursors = offsetsAt + <usize>band * OFFSETS_BYTES + 4
  const table = tablesAt + <usize>band * tableBytes
  const keyAt = <usize>band << 1
  const nextAt = <usize>((band + 1) & (BANDS - 1)) << 1
  const thirdAt = <usize>((band + 2) & (BANDS - 1)) << 1
  for (let number = from; number < to; number++) {
    const row = rowsAt + (<usize>number << 5)
    const key = <usize>load<u16>(row + keyAt) << 2
    const place = load<u32>(cursors + key)
    store<u32>(cursors + key, place + 1)
    const start = load<u32>(STARTS_AT + key)
    const size = load<u32>(STARTS_AT + key, 4) - start
    const bucket = table + <usize>start * ENTRY_BYTES
    const inBucket = <usize>(place - start)
    store<u16>(bucket + (inBucket << 1), load<u16>(row + nextAt))
    // As many bits of the third band as fit. The shift drops the others.
    store<u32>(bucket + (<usize>size << 1) + (inBucket << 2), number | (<u32>load<u16>(row + thirdAt) << rowBits))
  }
}
