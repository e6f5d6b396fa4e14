// How many pixels a HEIF picture has to decode, of which AVIF is a kind: sizes, kinds and sources of its items stand in boxes of its `meta`.

export interface HeifPixels {
  /** The largest area that is declared. */
  readonly largest: number
  /** All that has to be decoded and drawn for one item. */
  readonly decoded: number
  readonly isDeep: boolean
  readonly hasAlpha: boolean
}

interface Items {
  readonly largest: number
  readonly areaOf: ReadonlyMap<number, number>
  /** Of an item that is made of others. */
  readonly sourcesOf: ReadonlyMap<number, readonly number[]>
  readonly isOverlaid: boolean
}

/** @throws {RangeError} where it ends within its header @throws {TooManyBoxes} */
export function heifPixels(head: Buffer): HeifPixels | undefined {
  const meta = boxesIn(head, 0, head.length).find(({ type }) => type === 'meta')
  if (meta === undefined) return undefined
  const parts = boxesIn(head, meta.from + 4, meta.to)
  const ofProperties = childrenOf(head, parts, 'iprp')
  const properties = childrenOf(head, ofProperties, 'ipco')
  const areas = properties.map(({ type, from }) =>
    type === 'ispe' ? head.readUInt32BE(from + 4) * head.readUInt32BE(from + 8) : 0,
  )
  const largest = areas.reduce((most, area) => Math.max(most, area), 0)
  const kinds = parts.filter(({ type }) => type === 'iinf').map(({ from, to }) => head.toString('latin1', from, to))
  const isOverlaid = kinds.some((kind) => kind.includes('iovl'))
  const areaOf = areasOfItems(head, ofProperties, areas)
  return {
    largest,
    decoded: pixelsToDecode({ largest, areaOf, sourcesOf: sourcesOfItems(head, parts), isOverlaid }),
    isDeep: properties.some(({ type, from }) => type === 'av1C' && (head.readUInt8(from + 2) & 0x40) !== 0),
    hasAlpha: properties.some(({ type }) => type === 'auxC'),
  }
}

/** Items made of items made of items, and so on: no decoder goes deeper. */
const MAX_DEPTH = 16

/**
 * Of the item that has the most. All tiles of a grid are decoded, also those that lie outside of it, and one as often as it is referred to; an overlay
 * draws each of its pictures on the whole besides.
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
    known.set(item, Number.POSITIVE_INFINITY) // until it is counted: what is made of itself has no end
    const decoded = sources.reduce((sum, source) => sum + pixelsOf(source, depth + 1), 0)
    const pixels = isOverlaid ? decoded + own * sources.length : Math.max(decoded, own)
    known.set(item, pixels)
    return pixels
  }
  return [...sourcesOf.keys()].reduce((most, item) => Math.max(most, pixelsOf(item, 0)), largest)
}

/** By id, the largest area that belongs to each. */
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
  for (const iref of parts) {
    if (iref.type !== 'iref') continue
    const idBytes = head.readUInt8(iref.from) === 0 ? 2 : 4
    for (const { type, from } of boxesIn(head, iref.from + 4, iref.to)) {
      if (type !== 'dimg') continue
      const item = head.readUIntBE(from, idBytes)
      const sources = sourcesOf.get(item) ?? []
      sourcesOf.set(item, sources)
      const count = head.readUInt16BE(from + idBytes)
      for (let i = 0; i < count; i++) sources.push(head.readUIntBE(from + idBytes + 2 + idBytes * i, idBytes))
    }
  }
  return sourcesOf
}

interface Box {
  readonly type: string
  readonly from: number
  readonly to: number
}

/** Of ordinary pictures a grid has some hundred. What would hide behind more is refused. */
const MAX_BOXES = 4096
export class TooManyBoxes extends Error {}

function childrenOf(head: Buffer, boxes: readonly Box[], name: string): Box[] {
  return boxes.filter(({ type }) => type === name).flatMap(({ from, to }) => boxesIn(head, from, to))
}

/** Those that are here whole or in part; of a box that lies about its size, nothing behind it. */
function boxesIn(head: Buffer, from: number, to: number): Box[] {
  const found: Box[] = []
  for (let at = from; at + 8 <= to; ) {
    if (found.length >= MAX_BOXES) throw new TooManyBoxes()
    const size = head.readUInt32BE(at)
    const isLong = size === 1
    const length = isLong ? head.readUInt32BE(at + 8) * 2 ** 32 + head.readUInt32BE(at + 12) : size
    const end = size === 0 ? to : at + length
    if (end < at + (isLong ? 16 : 8)) break
    found.push({ type: head.toString('latin1', at + 4, at + 8), from: at + (isLong ? 16 : 8), to: Math.min(end, to) })
    at = end
  }
  return found
}
