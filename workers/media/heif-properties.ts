// Properties of the primary picture of an AVIF or HEIC file that change how it is shown: colours, and a clean aperture.

import { type Box, boxesIn, childrenOf } from '../../src/handoff/heif-pixels.js'
import { av1Colour, type CodePoints } from './colour/av1-colour.js'
import { type ColourSignal, signalOf } from './colour/colour-signal.js'

/**
 * @returns `profile`: an ICC profile decides. `srgb`: the numbers are those of sRGB, or the file is damaged.
 */
export function heifColour(bytes: Buffer): ColourSignal | 'profile' | 'srgb' {
  const colours = propertiesOf(bytes).filter(({ type }) => type === 'colr')
  const kindOf = ({ from }: Box) => bytes.toString('latin1', from, from + 4)
  if (colours.some((box) => kindOf(box) === 'prof' || kindOf(box) === 'rICC')) return 'profile'
  const nclx = colours.find((box) => kindOf(box) === 'nclx' && box.to - box.from >= 11)
  if (nclx !== undefined) return signalOf(bytes.readUInt16BE(nclx.from + 4), bytes.readUInt16BE(nclx.from + 6), 'heif')
  const inData = colourInData(bytes)
  return inData === undefined ? 'srgb' : signalOf(inData.primaries, inData.transfer, 'heif')
}

/** Without such a property the data of the picture, or of the first tile of a grid, may tell. */
function colourInData(bytes: Buffer): CodePoints | undefined {
  try {
    const parts = partsOf(bytes)
    const primary = primaryOf(bytes, parts)
    const places = placesOf(bytes, parts)
    const own = places.filter(({ item }) => item === primary)
    const found = [...own, ...places]
      .slice(0, MAX_READ_ITEMS)
      .map(({ at }) => av1Colour(bytes.subarray(at, at + MAX_HEADER_BYTES)))
    return found.find((colour) => colour !== undefined)
  } catch {
    return undefined
  }
}

const MAX_READ_ITEMS = 8
const MAX_HEADER_BYTES = 256
const MAX_PLACES = 100_000

/** Where the data of each item begins, if it is in the file itself. */
function placesOf(bytes: Buffer, parts: readonly Box[]): { item: number; at: number }[] {
  const box = parts.find(({ type }) => type === 'iloc')
  if (box === undefined) return []
  let at = box.from
  const read = (count: number) => {
    at += count
    return count === 0 ? 0 : count === 8 ? Number(bytes.readBigUInt64BE(at - 8)) : bytes.readUIntBE(at - count, count)
  }
  const version = read(4) >>> 24
  const sizes = read(2)
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15]
  const indexBytes = version === 0 ? 0 : sizes & 15
  if (![offsetBytes, lengthBytes, baseBytes, indexBytes].every((count) => [0, 4, 8].includes(count))) return []
  const places: { item: number; at: number }[] = []
  for (let left = read(version < 2 ? 2 : 4); left > 0 && at < box.to && places.length < MAX_PLACES; left--) {
    const item = read(version < 2 ? 2 : 4)
    const isElsewhere = version > 0 && (read(2) & 15) !== 0
    read(2)
    const base = read(baseBytes)
    const extents = read(2)
    const first = at + indexBytes
    if (!isElsewhere && extents > 0) {
      at = first
      places.push({ item, at: base + read(offsetBytes) })
    }
    at = first - indexBytes + extents * (indexBytes + offsetBytes + lengthBytes)
  }
  return places
}

/**
 * Some viewers cut a picture to its clean aperture, others ignore it.
 * @returns the file without it, for the caller to overwrite; `undefined` if it has none.
 */
export function withoutAperture(bytes: Buffer): Buffer | undefined {
  const apertures = propertiesOf(bytes, 'of all').filter(({ type }) => type === 'clap')
  if (apertures.length === 0) return undefined
  const copy = Buffer.from(bytes)
  for (const { from } of apertures) copy.write('free', from - 4, 'latin1')
  // An essential property of an unknown kind makes a decoder refuse the file.
  for (const { at, index, indexBytes } of associationsIn(bytes)) {
    if (apertures.some((box) => box.index === index)) copy.writeUIntBE(index, at, indexBytes)
  }
  return copy
}

interface Property extends Box {
  /** 1…, as associations count. */
  readonly index: number
}

/** The properties of the primary picture; of all pictures also when it has none, as the tiles of some grids have them. */
function propertiesOf(bytes: Buffer, whose: 'of the primary' | 'of all' = 'of the primary'): Property[] {
  try {
    const parts = partsOf(bytes)
    const all = childrenOf(bytes, childrenOf(bytes, parts, 'iprp'), 'ipco').map((box, k) => ({ ...box, index: k + 1 }))
    if (whose === 'of all') return all
    const primary = primaryOf(bytes, parts)
    const indexes = new Set(associationsIn(bytes).flatMap(({ item, index }) => (item === primary ? [index] : [])))
    const own = all.filter(({ index }) => indexes.has(index))
    return own.some(({ type }) => type === 'colr') ? own : all
  } catch {
    return [] // cut off within its boxes: decoding tells
  }
}

function partsOf(bytes: Buffer): Box[] {
  const meta = boxesIn(bytes, 0, bytes.length).find(({ type }) => type === 'meta')
  return meta === undefined ? [] : boxesIn(bytes, meta.from + 4, meta.to)
}

function primaryOf(bytes: Buffer, parts: readonly Box[]): number | undefined {
  const box = parts.find(({ type }) => type === 'pitm')
  return box === undefined ? undefined : bytes.readUIntBE(box.from + 4, bytes.readUInt8(box.from) === 0 ? 2 : 4)
}

interface Association {
  readonly item: number
  readonly index: number
  /** Where the index is stored. Its highest bit says whether a reader has to understand the property. */
  readonly at: number
  readonly indexBytes: 1 | 2
}

const MAX_ASSOCIATIONS = 100_000

function associationsIn(bytes: Buffer): Association[] {
  const found: Association[] = []
  for (const { type, from, to } of childrenOf(bytes, partsOf(bytes), 'iprp')) {
    if (type !== 'ipma') continue
    const [idBytes, indexBytes] = [
      bytes.readUInt8(from) === 0 ? 2 : 4,
      (bytes.readUInt8(from + 3) & 1) === 0 ? 1 : 2,
    ] as const
    for (let at = from + 8; at + idBytes < to; ) {
      const item = bytes.readUIntBE(at, idBytes)
      const end = at + idBytes + 1 + indexBytes * bytes.readUInt8(at + idBytes)
      for (at += idBytes + 1; at < end && at + indexBytes <= to && found.length < MAX_ASSOCIATIONS; at += indexBytes) {
        found.push({ item, index: bytes.readUIntBE(at, indexBytes) & (indexBytes === 1 ? 0x7f : 0x7fff), at, indexBytes })
      }
      at = end
    }
  }
  return found
}
