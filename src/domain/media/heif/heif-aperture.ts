// The clean aperture of a HEIF file (`clap`), a crop that some viewers apply and others ignore.

import { associationsIn, metaBoxesIn, type Property, propertiesIn } from './heif-boxes.js'

const FREE = [0x66, 0x72, 0x65, 0x65] // "free": a box to be skipped

/**
 * @returns a copy of the file without apertures, for the caller to overwrite; `undefined` if there is none. Also `undefined` if the boxes cannot be
 *   read: the decoder then decides about the file.
 */
export function withoutAperture(file: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    const meta = metaBoxesIn(file)
    // Not only of the primary picture: the tiles of a grid may have one, too.
    const apertures = propertiesIn(file, meta).filter(({ type }) => type === 'clap')
    if (apertures.length === 0) return undefined
    // A decoder refuses a file with an essential property of an unknown type. So the associations lose their flag, the highest bit.
    const indexes = new Set(apertures.map(({ index }) => index))
    const names = associationsIn(file, meta).filter(({ index }) => indexes.has(index))
    const copy = new Uint8Array(file)
    for (const { from } of apertures) copy.set(FREE, from - 4)
    for (const { at, index, indexBytes } of names) {
      for (let k = 0; k < indexBytes; k++) copy[at + k] = index >> (8 * (indexBytes - 1 - k))
    }
    return copy
  } catch {
    return undefined
  }
}

/** A part of a picture, in pixels of the picture as it is shown without aperture. */
export interface PicturePart {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** The size of that picture. */
  readonly of: { readonly width: number; readonly height: number }
}

/** @returns the part of the primary picture that its aperture shows; `undefined` without an aperture, and if it shows nothing or cannot be read. */
export function apertureOf(file: Uint8Array): PicturePart | undefined {
  try {
    return shownThrough(file, propertiesOfPrimary(file))
  } catch {
    return undefined
  }
}

/** In the order in which they are applied. */
function propertiesOfPrimary(file: Uint8Array): Property[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const meta = metaBoxesIn(file)
  const box = meta.find(({ type }) => type === 'pitm')
  if (box === undefined) return []
  const primary = view.getUint8(box.from) === 0 ? view.getUint16(box.from + 4) : view.getUint32(box.from + 4)
  const properties = propertiesIn(file, meta)
  return associationsIn(file, meta).flatMap(({ item, index }) => (item === primary ? (properties[index - 1] ?? []) : []))
}

/** Rotates and mirrors the aperture with the picture, if the properties after it do. */
function shownThrough(file: Uint8Array, properties: readonly Property[]): PicturePart | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const declared = properties.find(({ type }) => type === 'ispe')
  if (declared === undefined) return undefined
  let of = { width: view.getUint32(declared.from + 4), height: view.getUint32(declared.from + 8) }
  let part: Omit<PicturePart, 'of'> | undefined
  for (const { type, from } of properties) {
    if (type === 'clap') {
      if (part !== undefined) return undefined
      const across = extent(view, { lengthAt: from, offsetAt: from + 16, side: of.width })
      const down = extent(view, { lengthAt: from + 8, offsetAt: from + 24, side: of.height })
      part = { left: across.start, top: down.start, width: across.length, height: down.length }
    } else if (type === 'irot') {
      for (let quarters = view.getUint8(from) & 3; quarters > 0; quarters--) {
        if (part !== undefined) {
          const { left, top, width, height } = part
          part = { left: top, top: of.width - left - width, width: height, height: width }
        }
        of = { width: of.height, height: of.width }
      }
    } else if (type === 'imir' && part !== undefined) {
      const isSideways: boolean = (view.getUint8(from) & 1) === 1
      part = isSideways
        ? { ...part, left: of.width - part.left - part.width }
        : { ...part, top: of.height - part.top - part.height }
    }
  }
  return part === undefined || !(part.width > 0 && part.height > 0) ? undefined : { ...part, of }
}

/** One side of an aperture: length and offset of its centre from that of the picture are fractions. Rounded like libheif, and within the picture. */
function extent(view: DataView, { lengthAt, offsetAt, side }: Record<'lengthAt' | 'offsetAt' | 'side', number>) {
  const last = view.getUint32(lengthAt) / view.getUint32(lengthAt + 4) - 1
  const offset = view.getInt32(offsetAt) / view.getUint32(offsetAt + 4)
  const first = Math.round(offset + (side - 1) / 2 - last / 2)
  const start = Math.max(0, first)
  return { start, length: Math.min(side - 1, first + Math.round(last)) - start + 1 }
}
