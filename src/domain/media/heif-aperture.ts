// The clean aperture of a HEIF file (`clap`): some viewers cut a picture to it, others show all of it.

import { associationsIn, metaBoxesIn, propertiesIn } from './heif-boxes.js'

const FREE = [0x66, 0x72, 0x65, 0x65] // "free": a box to be skipped

/**
 * @returns a copy of the file that shows all of the picture, for the caller to overwrite; `undefined` if there is no aperture, also where the file is
 *   cut off within its boxes: decoding tells.
 */
export function withoutAperture(file: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    const meta = metaBoxesIn(file)
    // Of all pictures: those of a grid may have one as well.
    const apertures = propertiesIn(file, meta).filter(({ type }) => type === 'clap')
    if (apertures.length === 0) return undefined
    // An essential property of an unknown kind makes a decoder refuse the file.
    const names = associationsIn(file, meta).filter(({ index }) => apertures.some((box) => box.index === index))
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
