// Counts what the tables of an MP4 or MOV file declare, before a parser believes them: four bytes can declare four thousand million samples.

/** Of all tables together. Ten minutes with 240 frames a second and sound have under a million. */
export const MAX_TABLE_ENTRIES = 1 << 22
const MAX_BOXES = 1 << 22
const MAX_DEPTH = 32

const CONTAINERS = new Set(
  ['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf', 'edts', 'mvex', 'moof', 'traf', 'mfra', 'sinf', 'schi'].map(codeOf),
)
const [STTS, CTTS, STSZ] = ['stts', 'ctts', 'stsz'].map(codeOf)
/** Where in its content each table has the number of entries. `stsz` has none if all samples have one size. */
const COUNT_AT: ReadonlyMap<number, number> = new Map(
  Object.entries({ stts: 4, ctts: 4, stsz: 8, stz2: 8, stss: 4, stsc: 4, stco: 4, co64: 4, elst: 4, trun: 4, tfra: 12 }).map(
    ([name, at]) => [codeOf(name), at],
  ),
)
const LENGTH_BYTES = 8
const LONG_LENGTH_BYTES = 16

/**
 * @returns whether a parser may expand all tables of the file.
 * Cost: at most one step for each box and each entry, four million of either.
 */
export function areTablesSmall(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let boxes = 0
  let entries = 0

  /** Samples that the runs of a table of times stand for. They are written out one by one where there are composition offsets. */
  const samplesIn = (at: number, count: number): number => {
    let sum = 0
    for (let i = 0; i < count && at + 8 * i + 4 <= file.length; i++) sum += view.getUint32(at + 8 * i)
    return sum
  }
  const walk = (start: number, end: number, depth: number): boolean => {
    let samples = 0
    let hasOffsets = false
    for (let at = start; at + LENGTH_BYTES <= Math.min(end, file.length); ) {
      const short = view.getUint32(at)
      const isLong = short === 1
      if (++boxes > MAX_BOXES || depth > MAX_DEPTH) return false
      if (isLong && at + LONG_LENGTH_BYTES > file.length) return true
      const length = isLong ? Number(view.getBigUint64(at + LENGTH_BYTES)) : short
      const content = at + (isLong ? LONG_LENGTH_BYTES : LENGTH_BYTES)
      if (at + length < content) return true // no box: parsers end here
      const code = view.getUint32(at + 4)
      const countAt = COUNT_AT.get(code)
      if (countAt !== undefined && content + countAt + 4 <= file.length) {
        const count = code === STSZ && view.getUint32(content + 4) !== 0 ? 0 : view.getUint32(content + countAt)
        entries += count
        if (entries > MAX_TABLE_ENTRIES) return false
        if (code === STTS) samples += samplesIn(content + 8, count)
        if (code === CTTS) entries += samplesIn(content + 8, count)
        hasOffsets ||= code === CTTS && count > 0
      } else if (CONTAINERS.has(code) && !walk(content, at + length, depth + 1)) return false
      at += length
    }
    if (hasOffsets) entries += samples
    return entries <= MAX_TABLE_ENTRIES
  }
  return walk(0, file.length, 0)
}

function codeOf(name: string): number {
  return Buffer.from(name, 'latin1').readUInt32BE()
}
