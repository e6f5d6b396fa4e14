// Typed access to the search kernel. Each engine has one memory.

import { wasmBase64 } from './engine.generated.js'

const PAGE_BYTES = 65_536

/** Operations on the rows of one memory. The memory never grows, so views of it stay valid. */
export interface Engine {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  scan(rowsAt: number, rowCount: number, needleCount: number, thresholdBits: number): number
  /** @param rowBits 16…24: bits that row numbers need. The fewer, the more of a row's third band is in its table entry. */
  describeTables(rowsAt: number, offsetsAt: number, tablesAt: number, tableBytes: number, rowBits: number): void
  countKeys(fromRow: number, toRow: number): void
  /** @param fromKey, toKey must cover the whole band: bands of 16 bits are summed at once. */
  sumCounts(band: number, fromKey: number, toKey: number): void
  fillTable(band: number, fromRow: number, toRow: number): void
  countCandidates(needleAt: number, band: number, distanceBits: number): number
  countPlanned(needleAt: number): number
  /** @param maxRows 0…`maxSurvivors`. With more rows to read, the probe is abandoned. */
  probe(needleCount: number, fromBand: number, toBand: number, thresholdBits: number, maxRows: number): number
  /** Probes one band. @param maxCandidates, maxRows limits per needle. Needles beyond them are marked at `givenUpAt`, one bit each. */
  probeEach(needleCount: number, band: number, thresholdBits: number, maxCandidates: number, maxRows: number): number
  describeChains(rowsAt: number, firstsAt: number, filledAt: number, nextsAt: number): void
  link(row: number): void
  follow(needle: number, rowCount: number, thresholdBits: number, maxVisits: number): number
  /** The same for tables of wide bands, instead of those above. */
  readonly wide: WideEngine
}

export interface WideEngine
  extends Pick<Engine, 'countKeys' | 'sumCounts' | 'fillTable' | 'countCandidates' | 'countPlanned' | 'probe'> {
  describe(rowsAt: number, extraAt: number, bands: number, maxRows: number): void
}

/** Identifies the kernel, and so the format of what it writes. */
export const KERNEL_NAME = `${wasmBase64.length}:${checksum(wasmBase64)}`

const module = new WebAssembly.Module(Uint8Array.from(atob(wasmBase64), (char) => char.charCodeAt(0)))

/** @param sizeBytes at most 4 GiB. The system backs memory when it is written. */
export function createEngine(sizeBytes: number): Engine {
  const pages = Math.ceil(sizeBytes / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const scan = functionOf(exports, 'scan')
  const describeTables = functionOf(exports, 'describeTables')
  const countKeys = functionOf(exports, 'countKeys')
  const sumCounts = functionOf(exports, 'sumCounts')
  const fillTable = functionOf(exports, 'fillTable')
  const countCandidates = functionOf(exports, 'countCandidates')
  const countPlanned = functionOf(exports, 'countPlanned')
  const probe = functionOf(exports, 'probe')
  const probeEach = functionOf(exports, 'probeEach')
  const describeChains = functionOf(exports, 'describeChains')
  const link = functionOf(exports, 'link')
  const follow = functionOf(exports, 'follow')
  const wide = wideOf(exports)
  const bytes = new Uint8Array(memory.buffer)
  bytes.set(masks, masksAt)
  return {
    bytes,
    words: new Uint32Array(memory.buffer),
    scan: (rowsAt, rowCount, needleCount, thresholdBits) =>
      scan(rowsAt, rowCount, scratch.needlesAt, needleCount, thresholdBits, scratch.hitsAt),
    describeTables: (rowsAt, offsetsAt, tablesAt, tableBytes, rowBits) =>
      describeTables(rowsAt, offsetsAt, tablesAt, tableBytes, rowBits),
    countKeys: (fromRow, toRow) => countKeys(fromRow, toRow),
    sumCounts: (band) => sumCounts(band),
    fillTable: (band, fromRow, toRow) => fillTable(band, fromRow, toRow),
    countCandidates: (needleAt, band, distanceBits) => countCandidates(needleAt, band, distanceBits),
    countPlanned: (needleAt) => countPlanned(needleAt),
    probe: (needleCount, fromBand, toBand, thresholdBits, maxRows) =>
      probe(needleCount, fromBand, toBand, thresholdBits, maxRows),
    probeEach: (needleCount, band, thresholdBits, maxCandidates, maxRows) =>
      probeEach(needleCount, band, thresholdBits, maxCandidates, maxRows),
    describeChains: (rowsAt, firstsAt, filledAt, nextsAt) => describeChains(rowsAt, firstsAt, filledAt, nextsAt),
    link: (row) => link(row),
    follow: (needle, rowCount, thresholdBits, maxVisits) => follow(needle, rowCount, thresholdBits, maxVisits),
    wide,
  }
}

function wideOf(exports: WebAssembly.Exports): WideEngine {
  const describe = functionOf(exports, 'describeWide')
  const countKeys = functionOf(exports, 'countWideKeys')
  const sumCounts = functionOf(exports, 'sumWideCounts')
  const fillTable = functionOf(exports, 'fillWideTable')
  const countCandidates = functionOf(exports, 'countWideCandidates')
  const countPlanned = functionOf(exports, 'countWidePlanned')
  const probe = functionOf(exports, 'probeWide')
  return {
    describe: (rowsAt, extraAt, bands, maxRows) => describe(rowsAt, extraAt, bands, maxRows),
    countKeys: (fromRow, toRow) => countKeys(fromRow, toRow),
    sumCounts: (band, fromKey, toKey) => sumCounts(band, fromKey, toKey),
    fillTable: (band, fromRow, toRow) => fillTable(band, fromRow, toRow),
    countCandidates: (needleAt, band, distanceBits) => countCandidates(needleAt, band, distanceBits),
    countPlanned: (needleAt) => countPlanned(needleAt),
    probe: (needleCount, fromBand, toBand, thresholdBits, maxRows) =>
      probe(needleCount, fromBand, toBand, thresholdBits, maxRows),
  }
}

// The kernel exports its constants, so that none is defined twice.
const probedMemory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
const probed = new WebAssembly.Instance(module, { env: { memory: probedMemory } })

/** Addresses that are the same in every memory, and limits. */
export const scratch = {
  planAt: constantOf('PLAN_AT'),
  needlesAt: constantOf('NEEDLES_AT'),
  hitsAt: constantOf('HITS_AT'),
  givenUpAt: constantOf('GIVEN_UP_AT'),
  /** Size of scratch. Rows begin here. */
  bytes: constantOf('SCRATCH_BYTES'),
  maxNeedles: constantOf('MAX_NEEDLES'),
  /** How many rows one probe can collect before it reads them. */
  maxSurvivors: constantOf('SURVIVORS'),
} as const

export const BANDS = constantOf('BANDS')
export const MAX_REACH = constantOf('MAX_REACH')
export const OFFSETS_BYTES = constantOf('OFFSETS_BYTES')
export const ENTRY_BYTES = constantOf('ENTRY_BYTES')
/** Keys of a band of 16 bits. */
export const KEYS = constantOf('KEYS')
export const WIDE_MAX_REACH = constantOf('WIDE_MAX_REACH')

/** The returned type allows any arguments. The wrappers above declare them. */
function functionOf(exports: WebAssembly.Exports, name: string) {
  const found = new Map(Object.entries(exports)).get(name)
  if (typeof found !== 'function') throw new Error(`the kernel has no ${name}`)
  return found
}

/** Tables that the kernel computes. Computed once here and copied into every memory, which is faster. */
const masksAt = constantOf('MASKS_AT')
const masks = (() => {
  functionOf(probed.exports, 'writeMasks')()
  functionOf(probed.exports, 'writeWideMasks')()
  functionOf(probed.exports, 'writeBalls')()
  return new Uint8Array(probedMemory.buffer).slice(masksAt)
})()

function constantOf(name: string): number {
  const found = new Map(Object.entries(probed.exports)).get(name)
  if (!(found instanceof WebAssembly.Global)) throw new Error(`the kernel has no ${name}`)
  return Number(found.value)
}

/** FNV-1a: distinguishes versions. It protects against nothing else. */
function checksum(text: string): string {
  let sum = 0x811c9dc5
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  return (sum >>> 0).toString(16)
}
