// Writes HEIF files (AVIF, HEIC) with a `meta` box.

/** An item of a file. The first one is the picture that is shown; their ids are 1, 2, … */
export interface WrittenItem {
  /** Item type, such as `av01`. */
  readonly kind: string
  /** Boxes that describe it. Those that rotate or mirror it come last, in the order in which they are applied. */
  readonly properties: readonly Uint8Array[]
  /** Parts of the data, which are written one after the other. */
  readonly data: readonly Uint8Array[]
}

/** @param references content of the `iref` box: how items refer to one another. @returns the file, for the caller to overwrite. */
export function heifFileOf(brand: string, items: readonly WrittenItem[], references: readonly Buffer[] = []): Buffer {
  const brands = box('ftyp', Buffer.from(brand), u32(0), Buffer.from(`${brand}mif1miaf`))
  const head = Buffer.alloc(8)
  const metaAt = (offset: number) => metaOf(items, references, offset)
  const before = brands.length + metaAt(0).length + head.length
  head.writeUInt32BE(head.length + items.reduce((sum, item) => sum + bytesOf(item), 0))
  head.write('mdat', 4, 'latin1')
  return Buffer.concat([brands, metaAt(before), head, ...items.flatMap(({ data }) => data)])
}

const bytesOf = ({ data }: WrittenItem) => data.reduce((sum, { length }) => sum + length, 0)

/** @param offset of the data of the first item. */
function metaOf(items: readonly WrittenItem[], references: readonly Buffer[], offset: number): Buffer {
  const places: Buffer[] = []
  const names: Buffer[] = []
  const entries: Buffer[] = []
  let [dataAt, index] = [offset, 0]
  for (const [at, item] of items.entries()) {
    const id = u16(at + 1)
    const bytes = bytesOf(item)
    places.push(id, u16(0), u16(1), u32(dataAt), u32(bytes))
    entries.push(fullBox('infe', 2, id, u16(0), Buffer.from(`${item.kind}\0`)))
    names.push(id, Buffer.from([item.properties.length, ...item.properties.map(() => ++index)]))
    dataAt += bytes
  }
  return fullBox(
    'meta',
    0,
    fullBox('hdlr', 0, u32(0), Buffer.from('pict'), Buffer.alloc(13)),
    fullBox('pitm', 0, u16(1)),
    fullBox('iloc', 0, Buffer.from([0x44, 0]), u16(items.length), ...places),
    fullBox('iinf', 0, u16(items.length), ...entries),
    ...(references.length === 0 ? [] : [fullBox('iref', 0, ...references)]),
    box(
      'iprp',
      box('ipco', ...items.flatMap(({ properties }) => properties)),
      fullBox('ipma', 0, u32(items.length), ...names),
    ),
  )
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}

export function u32(value: number): Buffer {
  return Buffer.concat([u16(value >>> 16), u16(value & 0xffff)])
}

export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([u32(8 + content.length), Buffer.from(type, 'latin1'), content])
}

export function fullBox(type: string, version: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(version * 2 ** 24), ...parts)
}
