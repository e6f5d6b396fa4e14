// Finds the data of the items of a HEIF file, and replaces bytes of it.

import { type Box, boxesIn, TooManyBoxes } from './heif-boxes.js'

/** A byte that replaces that of a file at an offset. */
export interface Patch {
  readonly at: number
  readonly byte: number
}

/** @returns a copy of the file with the patches applied. */
export function patched(file: Buffer, patches: readonly Patch[]): Buffer {
  const copy = Buffer.from(file)
  for (const { at, byte } of patches) copy[at] = byte
  return copy
}

/** Maximum units and parts of data of all items together. A picture has a few, and a grid has about a hundred pictures. */
const MAX_STEPS = 16_384
/** Maximum parts in which the data of an item is stored. Encoders write one. */
const MAX_RANGES = 32

/** @returns a function to call at each step, which throws `TooManyBoxes` beyond `MAX_STEPS`. */
export function createStepCounter(): () => void {
  let steps = 0
  return () => {
    if (++steps > MAX_STEPS) throw new TooManyBoxes()
  }
}

/** @returns the ids of the items of one type, such as `av01`. */
export function itemsOfKind(file: Buffer, parts: readonly Box[], kind: string): ReadonlySet<number> {
  const found = new Set<number>()
  for (const { type, from, to } of parts) {
    if (type !== 'iinf') continue
    for (const entry of boxesIn(file, from + (file.readUInt8(from) === 0 ? 6 : 8), to)) {
      if (entry.type !== 'infe') continue
      const idBytes = file.readUInt8(entry.from) === 2 ? 2 : 4
      const typeAt = entry.from + 4 + idBytes + 2
      if (file.toString('latin1', typeAt, typeAt + 4) === kind) found.add(file.readUIntBE(entry.from + 4, idBytes))
    }
  }
  return found
}

/**
 * @returns the ids of the items that the primary picture consists of: itself, the tiles of a grid, and their transparency; `undefined` if the file does
 *   not name its primary picture. Cost: a few steps for each reference.
 */
export function itemsOfPrimary(file: Buffer, parts: readonly Box[]): ReadonlySet<number> | undefined {
  const box = parts.find(({ type }) => type === 'pitm')
  if (box === undefined) return undefined
  const partsOf = partsOfItems(file, parts)
  const found = new Set([file.readUIntBE(box.from + 4, file.readUInt8(box.from) === 0 ? 2 : 4)])
  for (const item of found) for (const part of partsOf.get(item) ?? []) found.add(part)
  return found
}

/** @returns for each item, those it is composed of, and those that describe its transparency. */
function partsOfItems(file: Buffer, parts: readonly Box[]): ReadonlyMap<number, readonly number[]> {
  const partsOf = new Map<number, number[]>()
  for (const { type, item, others } of referencesIn(file, parts)) {
    if (type !== 'dimg' && type !== 'auxl') continue
    for (const other of others) {
      const [whole, part] = type === 'dimg' ? [item, other] : [other, item]
      const known = partsOf.get(whole) ?? []
      partsOf.set(whole, known)
      known.push(part)
    }
  }
  return partsOf
}

interface Reference {
  /** Such as `dimg`: the item is composed of the others. */
  readonly type: string
  readonly item: number
  readonly others: readonly number[]
}

/** Yields how items refer to others. Reads no more than a box holds, whatever number it declares: many boxes may declare the same bytes. */
export function* referencesIn(file: Buffer, parts: readonly Box[]): Generator<Reference> {
  for (const iref of parts) {
    if (iref.type !== 'iref') continue
    const idBytes = file.readUInt8(iref.from) === 0 ? 2 : 4
    for (const { type, from, to } of boxesIn(file, iref.from + 4, iref.to)) {
      const first = from + idBytes + 2
      const length = Math.min(file.readUInt16BE(from + idBytes), Math.max(0, Math.floor((to - first) / idBytes)))
      const others = Array.from({ length }, (_, k) => file.readUIntBE(first + idBytes * k, idBytes))
      yield { type, item: file.readUIntBE(from, idBytes), others }
    }
  }
}

export type Range = readonly [from: number, to: number]

/**
 * Yields where the data of each item is, as far as the file was given, and how long it is by its header: infinite if up to the end. Leaves out items
 * whose data is constructed from other items, because libheif does not read them.
 */
export function* placesOf(
  file: Buffer,
  parts: readonly Box[],
  count: () => void,
): Generator<{ readonly item: number; readonly ranges: readonly Range[]; readonly declaredBytes: number }> {
  const idat = parts.find(({ type }) => type === 'idat')
  for (const { type, from } of parts) {
    if (type !== 'iloc') continue
    const version = file.readUInt8(from)
    const [offsetBytes, lengthBytes] = halves(file.readUInt8(from + 4))
    const [baseBytes, indexBytes] = halves(file.readUInt8(from + 5))
    let at = from + 6
    const read = (bytes: number): number => {
      at += bytes
      if (bytes === 8) return file.readUInt32BE(at - 8) * 2 ** 32 + file.readUInt32BE(at - 4)
      return bytes === 0 ? 0 : file.readUIntBE(at - bytes, bytes)
    }
    const idBytes = version < 2 ? 2 : 4
    for (let left = read(idBytes); left > 0; left--) {
      count()
      const item = read(idBytes)
      const method = version === 0 ? 0 : read(2) & 15
      read(2)
      const start = read(baseBytes) + (method === 1 ? (idat?.from ?? 0) : 0)
      const ranges: Range[] = []
      let declaredBytes = 0
      for (let extents = read(2); extents > 0; extents--) {
        count()
        if (version > 0) read(indexBytes)
        const offset = start + read(offsetBytes)
        const length = read(lengthBytes)
        declaredBytes += length === 0 ? Number.POSITIVE_INFINITY : length
        ranges.push([Math.min(offset, file.length), Math.min(length === 0 ? file.length : offset + length, file.length)])
      }
      if (ranges.length > MAX_RANGES) throw new TooManyBoxes()
      if (method < 2) yield { item, ranges, declaredBytes }
    }
  }
}

const halves = (byte: number) => [byte >> 4, byte & 15] as const

export interface ItemData {
  readonly length: number
  /** @returns the offset in the file of byte `at` of the data. */
  place(at: number): number
  /** @returns byte `at` of the data; 0 beyond the end. */
  byte(at: number): number
}

/** @returns access to the data of an item as if its parts were joined. */
export function itemData(file: Buffer, ranges: readonly Range[]): ItemData {
  const place = (at: number): number => {
    let left = at
    for (const [from, to] of ranges) {
      if (left < to - from) return from + left
      left -= to - from
    }
    return file.length
  }
  return { length: ranges.reduce((sum, [from, to]) => sum + to - from, 0), place, byte: (at) => file[place(at)] ?? 0 }
}
