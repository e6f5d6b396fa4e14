// The memory layout: scratch, masks, and the addresses of rows and tables. AssemblyScript; part of engine.ts.

export const BANDS: u32 = 16
export const KEYS: u32 = 65_536

/** One entry more than keys, so that the end of a bucket is the start of the next; and one more for counting. */
export const OFFSETS_BYTES: usize = (<usize>KEYS + 2) * 4
/** 2 bytes for the fragment, 4 for the row number and as much of the third band as fits. */
export const ENTRY_BYTES: usize = 6

// Scratch, below all rows. Addresses are the same in every memory. The compiler uses what is below 1,536.
/** u8 per band: the reach, which a plan gives. */
export const PLAN_AT: usize = 1_536
/** u8 per band: in how many bits a row may differ in the band and the next, and in these two and the third. Both plus one, as a reach is. */
export const TWO_BANDS_AT: usize = PLAN_AT + 16
export const THREE_BANDS_AT: usize = PLAN_AT + 32
/** u64: one bit per needle whose probe was abandoned. */
export const GIVEN_UP_AT: usize = 2_560
export const NEEDLES_AT: usize = 4_096
/** u32: ends of the spans of one band and needle, by distance. */
export const SPAN_ENDS_AT: usize = 2_048
/** u32: ends of the survivors, by band and needle. */
export const GROUP_ENDS_AT: usize = 16_384
export const MASKS_AT: usize = 32_768
/** u32: masks for wide bands. */
export const WIDE_MASKS_AT: usize = 49_152
/** u16: masks for words of 64 keys. */
export const WORD_MASKS_AT: usize = 59_392
/** u64 by distance and key within a word of 64 keys: the keys of that word within that distance. */
export const BALLS_AT: usize = 61_440
export const SPANS_AT: usize = 65_536
export const HITS_AT: usize = 131_072
export const SURVIVORS_AT: usize = 262_144
/** u64 per group of eight candidates with at least one match: in the worst case one for each bucket. */
export const RECORDS_AT: usize = 2_359_296
export const SCRATCH_BYTES: usize = 2_949_120
/** Shares memory with survivors: there are none while a table is filled. */
export const STARTS_AT: usize = SURVIVORS_AT
export const SURVIVORS: u32 = <u32>((RECORDS_AT - SURVIVORS_AT) >> 2)

export const MAX_NEEDLES: u32 = 64
export const MAX_HITS: u32 = <u32>((SURVIVORS_AT - HITS_AT) >> 3)
/** The largest reach that a plan may give a band: 6,885 keys differ from a key in fewer bits. */
export const MAX_REACH: u32 = 6

/** Where the masks with 0, 1 … bits end, in bytes from the first. */
const maskEnds = memory.data<u32>([2, 34, 274, 1_394, 5_034, 13_770])

/** @returns where the masks with at most `bits` bits end. */
export function maskEnd(bits: u32): usize {
  return MASKS_AT + <usize>load<u32>(maskEnds + (<usize>bits << 2))
}

/** Addresses of the rows and their tables. */
export let rowsAt: usize = 0
export let offsetsAt: usize = 0
export let tablesAt: usize = 0
export let tableBytes: usize = 0
/** How many bits of an entry's last four bytes are the row number. The others are bits of the third band; `thirdMask` is as long as those. */
export let rowBits: u32 = 24
export let thirdMask: u32 = 0xff

/** Call once, before anything else. Tables are `tableBytes` apart, their offsets `OFFSETS_BYTES`. Row numbers take 16…24 bits. */
export function describeTables(rows: usize, offsets: usize, tables: usize, bytes: usize, rowNumberBits: u32): void {
  rowsAt = rows
  offsetsAt = offsets
  tablesAt = tables
  tableBytes = bytes
  rowBits = rowNumberBits
  thirdMask = ((<u32>1 << (32 - rowNumberBits)) - 1)
}

/** Writes the masks that turn a key into the keys near it, in order of distance. */
export function writeMasks(): void {
  let at = MASKS_AT
  for (let bits: u32 = 0; bits < MAX_REACH; bits++) {
    for (let mask: u32 = 0; mask < KEYS; mask++) {
      if (<u32>popcnt(mask) != bits) continue
      store<u16>(at, <u16>mask)
      at += 2
    }
  }
}
