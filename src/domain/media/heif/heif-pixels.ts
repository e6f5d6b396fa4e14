// Counts the pixels that a decoder has to decode for a HEIF file (HEIC or AVIF), from the sizes, types and sources of items in its `meta` box.

import { formatOf, type MediaFormat } from '../media-formats.js'
import { type Box, boxesIn, childrenOf, TooManyBoxes } from './heif-boxes.js'
import { hevcConfig } from './hevc-config.js'
import { createStepCounter, placesOf, referencesIn } from './item-data.js'

export interface HeifPixels {
  /** The largest declared area. */
  readonly largest: number
  /** All pixels that have to be decoded and drawn for the most expensive item. */
  readonly decoded: number
  /** Bytes of coded data that have to be read for the largest item, including transparency; those of a tile as often as it is referenced. */
  readonly codedBytes: number
  readonly isDeep: boolean
  readonly hasAlpha: boolean
  /** Whether it has images in HEVC and none in AV1. Then only an HEVC decoder reads it, whatever its brands say. */
  readonly isHevc: boolean
}

interface Items {
  readonly largest: number
  readonly areaOf: ReadonlyMap<number, number>
  /** The sources of each item that is composed of others. */
  readonly sourcesOf: ReadonlyMap<number, readonly number[]>
  readonly isOverlaid: boolean
}

/**
 * @param head the file, or its beginning. @param sizeBytes of the whole file.
 * @returns `undefined` without a `meta` box. @throws {RangeError} when the file ends within its header. @throws {TooManyBoxes}
 */
export function heifPixels(head: Buffer, sizeBytes = head.length): HeifPixels | undefined {
  const meta = boxesIn(head, 0, head.length).find(({ type }) => type === 'meta')
  if (meta === undefined) return undefined
  const parts = boxesIn(head, meta.from + 4, meta.to)
  const ofProperties = childrenOf(head, parts, 'iprp')
  const properties = childrenOf(head, ofProperties, 'ipco')
  const configs = properties.map(({ type, from, to }) => (type === 'hvcC' ? hevcConfig(head.subarray(from, to)) : undefined))
  const areas = properties.map(({ type, from }, k) =>
    type === 'ispe' ? head.readUInt32BE(from + 4) * head.readUInt32BE(from + 8) : (configs[k]?.pixels ?? 0),
  )
  const largest = areas.reduce((most, area) => Math.max(most, area), 0)
  const kinds = parts.filter(({ type }) => type === 'iinf').map(({ from, to }) => head.toString('latin1', from, to))
  const isOverlaid = kinds.some((kind) => kind.includes('iovl'))
  const areaOf = areasOfItems(head, ofProperties, areas)
  const sourcesOf = sourcesOfItems(head, parts)
  const hasAlpha = properties.some(({ type }) => type === 'auxC')
  return {
    largest,
    decoded: pixelsToDecode({ largest, areaOf, sourcesOf, isOverlaid }),
    codedBytes: codedBytesIn(head, parts, { sourcesOf, sizeBytes, hasAlpha }),
    isDeep:
      properties.some(({ type, from }) => type === 'av1C' && (head.readUInt8(from + 2) & 0x40) !== 0) ||
      configs.some((config) => config?.isDeep === true),
    hasAlpha,
    isHevc: configs.some((config) => config !== undefined) && !properties.some(({ type }) => type === 'av1C'),
  }
}

/**
 * @returns the format of a file by its first bytes. Brands of HEIF may mislead: viewers show a HEIC file that also names a brand of AVIF, and an AVIF
 *   decoder would refuse it. So for those the boxes decide.
 */
export function fileFormatOf(bytes: Buffer): MediaFormat | undefined {
  const format = formatOf(bytes)
  if (format !== 'avif') return format
  try {
    return heifPixels(bytes)?.isHevc === true ? 'heif' : format
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooManyBoxes) return format // the decoder decides about the file
    throw error
  }
}

/** Maximum nesting of items that are composed of items. No decoder goes deeper. */
const MAX_DEPTH = 16

/**
 * @returns the pixels of the most expensive item. A decoder decodes all tiles of a grid, even those outside of it, and a tile as often as it is
 *   referenced. For an overlay it also draws the whole area once for each of its pictures.
 */
function pixelsToDecode({ largest, areaOf, sourcesOf, isOverlaid }: Items): number {
  const known = new Map<number, number>()
  const pixelsOf = (item: number, depth: number): number => {
    const before = known.get(item)
    if (before !== undefined) return before
    const own = areaOf.get(item) ?? largest
    const sources = sourcesOf.get(item)
    if (sources === undefined) return own
    if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY
    known.set(item, Number.POSITIVE_INFINITY) // until it is counted, so that an item composed of itself counts as endless
    const decoded = sources.reduce((sum, source) => sum + pixelsOf(source, depth + 1), 0)
    const pixels = isOverlaid ? decoded + own * sources.length : Math.max(decoded, own)
    known.set(item, pixels)
    return pixels
  }
  return [...sourcesOf.keys()].reduce((most, item) => Math.max(most, pixelsOf(item, 0)), largest)
}

interface Coded {
  readonly sourcesOf: Items['sourcesOf']
  readonly sizeBytes: number
  readonly hasAlpha: boolean
}

/** Transparency is an item of its own, of unknown size. It counts as much as the colours, up to all data in the file. */
function codedBytesIn(head: Buffer, parts: readonly Box[], { sourcesOf, sizeBytes, hasAlpha }: Coded): number {
  const bytesOf = new Map<number, number>()
  for (const { item, declaredBytes } of placesOf(head, parts, createStepCounter()))
    bytesOf.set(item, Math.min(declaredBytes, sizeBytes))
  const [all, largest] = [...bytesOf.values()].reduce(([sum, most], bytes) => [sum + bytes, Math.max(most, bytes)], [0, 0])
  const composed = pixelsToDecode({ largest: 0, areaOf: bytesOf, sourcesOf, isOverlaid: false })
  const colours = Math.max(largest, composed)
  return hasAlpha ? Math.max(colours, Math.min(2 * colours, all)) : colours
}

/** @returns for each item id, the largest area among its properties. */
function areasOfItems(head: Buffer, ofProperties: readonly Box[], areas: readonly number[]): Map<number, number> {
  const areaOf = new Map<number, number>()
  for (const { type, from, to } of ofProperties) {
    if (type !== 'ipma') continue
    const [idBytes, indexBytes] = [head.readUInt8(from) === 0 ? 2 : 4, (head.readUInt8(from + 3) & 1) === 0 ? 1 : 2]
    for (let at = from + 8; at + idBytes < to; ) {
      const item = head.readUIntBE(at, idBytes)
      const count = head.readUInt8(at + idBytes)
      at += idBytes + 1
      for (let i = 0; i < count; i++, at += indexBytes) {
        // The highest bit says whether a reader has to understand the property.
        const index = head.readUIntBE(at, indexBytes) & (indexBytes === 1 ? 0x7f : 0x7fff)
        const area = areas[index - 1] ?? 0
        if (area > (areaOf.get(item) ?? 0)) areaOf.set(item, area)
      }
    }
  }
  return areaOf
}

function sourcesOfItems(head: Buffer, parts: readonly Box[]): Map<number, number[]> {
  const sourcesOf = new Map<number, number[]>()
  for (const { type, item, others } of referencesIn(head, parts)) {
    if (type !== 'dimg') continue
    const sources = sourcesOf.get(item) ?? []
    sourcesOf.set(item, sources)
    for (const other of others) sources.push(other)
  }
  return sourcesOf
}
