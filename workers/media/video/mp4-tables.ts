// Counts the entries that the tables of an MP4 or MOV file declare before a parser expands them: four bytes can declare 4 thousand million samples.

/** Maximum entries of all tables together. Ten minutes with 240 frames a second and sound have under a million. */
export const MAX_TABLE_ENTRIES = 1 << 22
const MAX_BOXES = 1 << 22
const MAX_DEPTH = 32

const CONTAINERS = new Set(
  ['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf', 'edts', 'mvex', 'moof', 'traf', 'mfra', 'sinf', 'schi'].map(codeOf),
)
const [TRAK, STTS, CTTS, STSC, STSZ, STZ2] = ['trak', 'stts', 'ctts', 'stsc', 'stsz', 'stz2'].map(codeOf)
/** Offset of the number of entries in the content of each table. `stsz` has no entries if all samples have the same size. */
const COUNT_AT: ReadonlyMap<number, number> = new Map(
  Object.entries({ stts: 4, ctts: 4, stsz: 8, stz2: 8, stss: 4, stsc: 4, stco: 4, co64: 4, elst: 4, trun: 4, tfra: 12 }).map(
    ([name, at]) => [codeOf(name), at],
  ),
)
const LENGTH_BYTES = 8
const LONG_LENGTH_BYTES = 16

/** What the tables of one track say. */
interface Tables {
  /** Number of samples, by the runs of `stts`. */
  samples: number
  /** Whether `ctts` shifts their times. */
  hasOffsets: boolean
  /** Number of declared sizes; 1 if all samples have the same. */
  sizes: number
  /** Maximum number of samples in a chunk. */
  perChunk: number
}

/** Maximum steps of a parser that adds up the sizes in a chunk for each of its samples. */
const MAX_STEPS = 4e9

function isSmall({ sizes, perChunk }: Tables): boolean {
  return sizes === 1 || (perChunk <= sizes && perChunk * sizes <= MAX_STEPS)
}

/**
 * @returns whether a parser may expand all tables of the file.
 * Cost: at most one step for each box and each entry, four million of either.
 */
export function areTablesSmall(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let boxes = 0
  let entries = 0

  /** @returns the first number of each entry. */
  const column = (at: number, count: number, entryBytes: number): number[] => {
    const fitting = Math.floor((file.length - at - 4) / entryBytes) + 1
    return Array.from({ length: Math.max(0, Math.min(count, fitting)) }, (_, i) => view.getUint32(at + entryBytes * i))
  }
  const read = (code: number, content: number, countAt: number, tables: Tables) => {
    const isOfOneSize = code === STSZ && view.getUint32(content + 4) !== 0
    const count = isOfOneSize ? 1 : view.getUint32(content + countAt)
    entries += count
    if (entries > MAX_TABLE_ENTRIES) return
    const first = content + countAt + 4
    if (code === STSZ || code === STZ2) tables.sizes += count
    if (code === STTS) tables.samples += sum(column(first, count, 8))
    if (code === CTTS) entries += sum(column(first, count, 8))
    if (code === CTTS && count > 0) tables.hasOffsets = true
    if (code === STSC) for (const each of column(first + 4, count, 12)) tables.perChunk = Math.max(tables.perChunk, each)
  }
  const walk = (start: number, end: number, depth: number, tables: Tables): boolean => {
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
      if (countAt !== undefined && content + countAt + 4 <= file.length) read(code, content, countAt, tables)
      const inner = code === TRAK ? noTables() : tables
      if (CONTAINERS.has(code) && !walk(content, at + length, depth + 1, inner)) return false
      if (inner !== tables && !isSmall(inner)) return false
      // If there are offsets, a parser keeps a time for each sample.
      if (inner !== tables && inner.hasOffsets) entries += inner.samples
      if (entries > MAX_TABLE_ENTRIES) return false
      at += length
    }
    return true
  }
  return walk(0, file.length, 0, noTables())
}

const noTables = (): Tables => ({ samples: 0, hasOffsets: false, sizes: 0, perChunk: 0 })

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

function codeOf(name: string): number {
  return Buffer.from(name, 'latin1').readUInt32BE()
}
