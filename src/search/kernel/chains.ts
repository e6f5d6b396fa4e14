// The head: rows that were added last, in chains by band, so that a new row is found without building anything.
// AssemblyScript; part of engine.ts.

import { BANDS, GROUP_ENDS_AT, HITS_AT, MASKS_AT, MAX_HITS, maskEnd, NEEDLES_AT, PLAN_AT, SURVIVORS_AT } from './layout'
import { distanceTo, isReachedBefore, isReachedIn } from './reach'

let rowsAt: usize = 0
/** Per band and key: u16 the newest row of the chain plus one, 0 for none, and u16 how many it has. */
let firstsAt: usize = 0
/** u16 per row and band: the next older row of the chain plus one. */
let nextsAt: usize = 0

const BAND_BYTES: usize = 65_536 * 4
/** A head has no survivors. */
const CHAINS_AT = SURVIVORS_AT

export function describeChains(rows: usize, firsts: usize, nexts: usize): void {
  rowsAt = rows
  firstsAt = firsts
  nextsAt = nexts
}

/** Adds a row that has been written to its place, 0…65,534, to the sixteen chains. */
export function link(number: u32): void {
  const row = rowsAt + (<usize>number << 5)
  const nexts = nextsAt + (<usize>number << 5)
  let firsts = firstsAt
  for (let at: usize = 0; at < BANDS << 1; at += 2) {
    const first = firsts + (<usize>load<u16>(row + at) << 2)
    store<u16>(nexts + at, load<u16>(first))
    store<u16>(first, <u16>(number + 1))
    store<u16>(first, load<u16>(first, 2) + 1, 2)
    firsts += BAND_BYTES
  }
}

/**
 * Finds what the needle at NEEDLES_AT + 32 × `number` reaches under the plan, among rows below `rowCount`. Hits as `probe`
 * writes them.
 *
 * How many rows there are to look at is known from the chains' lengths before any is: each is a wait for memory.
 *
 * @returns how many hits; −1 when there are more than `maxVisits` rows to look at or hits have no room, and then none counts.
 */
export function follow(number: u32, rowCount: u32, thresholdBits: u32, maxVisits: u32): i32 {
  const needle = NEEDLES_AT + (<usize>number << 5)
  if (findChains(needle, maxVisits) > maxVisits) return -1
  let hit = HITS_AT
  const hitsEnd = HITS_AT + (<usize>MAX_HITS << 3)
  let chain = CHAINS_AT
  for (let band: u32 = 0; band < BANDS; band++) {
    const at = <usize>band << 1
    for (const end = <usize>load<u32>(GROUP_ENDS_AT + (at << 1)); chain < end; chain += 2) {
      let next = <u32>load<u16>(chain)
      while (next != 0) {
        const candidate = next - 1
        const row = rowsAt + (<usize>candidate << 5)
        next = <u32>load<u16>(nextsAt + (<usize>candidate << 5) + at)
        const bits = distanceTo(row, needle)
        if (bits > thresholdBits || candidate >= rowCount) continue
        if (!isReachedIn(row, needle, band) || isReachedBefore(row, needle, band)) continue
        if (hit == hitsEnd) return -1
        store<u32>(hit, candidate)
        store<u16>(hit, <u16>bits, 4)
        store<u16>(hit, <u16>number, 6)
        hit += 8
      }
    }
  }
  return <i32>((hit - HITS_AT) >> 3)
}

/** Lists the first rows of chains, and where they end by band. @returns how many rows these have together, if not more than so many. */
function findChains(needle: usize, mostRows: u32): u32 {
  let rows: u32 = 0
  let chain = CHAINS_AT
  for (let band: u32 = 0; band < BANDS && rows <= mostRows; band++) {
    const at = <usize>band << 1
    const reach = <u32>load<u8>(PLAN_AT + band)
    const key = <u32>load<u16>(needle + at)
    const firsts = firstsAt + <usize>band * BAND_BYTES
    const end = reach == 0 ? MASKS_AT : maskEnd(reach - 1)
    for (let mask = MASKS_AT; mask < end; mask += 2) {
      const first = load<u32>(firsts + (<usize>(key ^ <u32>load<u16>(mask)) << 2))
      store<u16>(chain, <u16>first)
      chain += first != 0 ? 2 : 0
      rows += first >> 16
    }
    store<u32>(GROUP_ENDS_AT + (at << 1), <u32>chain)
  }
  return rows
}
