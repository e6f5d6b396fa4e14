// The head: rows that were added last, in chains by band, so that a new row is found without building anything.
// AssemblyScript; part of engine.ts.

import { BANDS, HITS_AT, MASKS_AT, MAX_HITS, maskEnd, NEEDLES_AT, PLAN_AT } from './layout'
import { distanceTo, isReachedBefore, isReachedIn } from './reach'

let rowsAt: usize = 0
/** u16 per band and key: the newest row of the chain plus one, 0 for none. */
let firstsAt: usize = 0
/** u16 per row and band: the next older row of the chain plus one. */
let nextsAt: usize = 0

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
    const first = firsts + (<usize>load<u16>(row + at) << 1)
    store<u16>(nexts + at, load<u16>(first))
    store<u16>(first, <u16>(number + 1))
    firsts += 131_072
  }
}

/**
 * Finds what the needle at NEEDLES_AT + 32 × `number` reaches under the plan, among rows below `rowCount`. Hits as `probe`
 * writes them.
 *
 * @returns how many; −1 when more than `maxVisits` rows were looked at or hits have no room, and then none counts.
 */
export function follow(number: u32, rowCount: u32, thresholdBits: u32, maxVisits: u32): i32 {
  const needle = NEEDLES_AT + (<usize>number << 5)
  let hit = HITS_AT
  const hitsEnd = HITS_AT + (<usize>MAX_HITS << 3)
  let visits: u32 = 0
  for (let band: u32 = 0; band < BANDS; band++) {
    const reach = <u32>load<u8>(PLAN_AT + band)
    if (reach == 0) continue
    const at = <usize>band << 1
    const key = <u32>load<u16>(needle + at)
    const firsts = firstsAt + (<usize>band << 17)
    const end = maskEnd(reach - 1)
    for (let mask = MASKS_AT; mask < end; mask += 2) {
      let next = <u32>load<u16>(firsts + (<usize>(key ^ <u32>load<u16>(mask)) << 1))
      while (next != 0) {
        const candidate = next - 1
        const row = rowsAt + (<usize>candidate << 5)
        next = <u32>load<u16>(nextsAt + (<usize>candidate << 5) + at)
        if (++visits > maxVisits) return -1
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
