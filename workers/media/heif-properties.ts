// Reads properties of the primary picture of an AVIF or HEIC file that change how it is shown: colours, transparency, and a clean aperture.

import { withoutAperture } from '../../src/domain/media/heif/heif-aperture.js'
import {
  associationsIn,
  type Box,
  boxesIn,
  metaBoxesIn,
  type Property,
  propertiesIn,
} from '../../src/domain/media/heif/heif-boxes.js'
import { av1Colour, type CodePoints } from './colour/av1-colour.js'
import { type ColourSignal, signalOf } from './colour/colour-signal.js'

/** @returns `profile` if an ICC profile decides; `srgb` if the colours are sRGB, or the file is damaged. */
export function heifColour(bytes: Buffer): ColourSignal | 'profile' | 'srgb' {
  const colours = propertiesOf(bytes).filter(({ type }) => type === 'colr')
  const kindOf = ({ from }: Box) => bytes.toString('latin1', from, from + 4)
  if (colours.some((box) => kindOf(box) === 'prof' || kindOf(box) === 'rICC')) return 'profile'
  const nclx = colours.find((box) => kindOf(box) === 'nclx' && box.to - box.from >= 11)
  if (nclx !== undefined) return signalOf(bytes.readUInt16BE(nclx.from + 4), bytes.readUInt16BE(nclx.from + 6), 'heif')
  const inData = colourInData(bytes)
  return inData === undefined ? 'srgb' : signalOf(inData.primaries, inData.transfer, 'heif')
}

/** Reads the colours from the coded data of the picture, or of the first tile of a grid, for a file without a `colr` box. */
function colourInData(bytes: Buffer): CodePoints | undefined {
  try {
    const parts = metaBoxesIn(bytes)
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

/** @returns where the data of each item begins. Leaves out items whose data is not at an offset in this file. */
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

/** @returns the properties of the primary picture. If it has no `colr`, those of all pictures, because in some grids the tiles have it. */
function propertiesOf(bytes: Buffer): Property[] {
  try {
    const parts = metaBoxesIn(bytes)
    const all = propertiesIn(bytes, parts)
    const primary = primaryOf(bytes, parts)
    const indexes = new Set(associationsIn(bytes, parts).flatMap(({ item, index }) => (item === primary ? [index] : [])))
    const own = all.filter(({ index }) => indexes.has(index))
    return own.some(({ type }) => type === 'colr') ? own : all
  } catch {
    return [] // cut off within its boxes: the decoder decides about the file
  }
}

function primaryOf(bytes: Buffer, parts: readonly Box[]): number | undefined {
  const box = parts.find(({ type }) => type === 'pitm')
  return box === undefined ? undefined : bytes.readUIntBE(box.from + 4, bytes.readUInt8(box.from) === 0 ? 2 : 4)
}

/** @returns whether the colours of the primary picture are premultiplied. */
export function isPremultiplied(bytes: Buffer): boolean {
  try {
    const parts = metaBoxesIn(bytes)
    const primary = primaryOf(bytes, parts)
    return parts.some(({ type, from, to }) => {
      if (type !== 'iref') return false
      const idBytes = bytes.readUInt8(from) === 0 ? 2 : 4
      return boxesIn(bytes, from + 4, to).some(
        (link) => link.type === 'prem' && bytes.readUIntBE(link.from, idBytes) === primary,
      )
    })
  } catch {
    return false // cut off within its boxes: the decoder decides about the file
  }
}

/** @returns a copy of the file without its clean aperture, for the caller to overwrite; `undefined` if it has none. */
export function wholeOf(bytes: Buffer): Buffer | undefined {
  const whole = withoutAperture(bytes)
  return whole === undefined ? undefined : Buffer.from(whole.buffer)
}
