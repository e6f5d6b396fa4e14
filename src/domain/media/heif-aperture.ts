// The clean aperture of a HEIF file (`clap`), a crop that some viewers apply and others ignore.

import { associationsIn, metaBoxesIn, propertiesIn } from './heif-boxes.js'

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
