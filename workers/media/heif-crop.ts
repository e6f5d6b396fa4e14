// Clean apertures of HEIC files: some viewers show only that part of a picture, others ignore it.

import { boxesIn, childrenOf, TooManyBoxes } from '../../src/handoff/heif-pixels.js'

const SIZE_AT = 4 // in ispe: width and height, 32 bits each

/**
 * @returns a copy whose apertures (`clap`) leave nothing out, for the caller to overwrite; `undefined` if the file has none. They get the largest size
 *   that is declared.
 */
export function withoutCrop(bytes: Buffer): Buffer | undefined {
  try {
    const properties = propertiesOf(bytes)
    const apertures = properties.filter(({ type }) => type === 'clap')
    if (apertures.length === 0) return undefined
    const sizes = properties
      .filter(({ type }) => type === 'ispe')
      .map(({ from }) => [bytes.readUInt32BE(from + SIZE_AT), bytes.readUInt32BE(from + SIZE_AT + 4)] as const)
    const [width, height] = sizes.reduce((most, size) => (size[0] * size[1] > most[0] * most[1] ? size : most), [1, 1])
    const copy = Buffer.from(bytes)
    // Width, height and offsets, each a fraction.
    const numbers = [width, 1, height, 1, 0, 1, 0, 1]
    for (const { from } of apertures) for (const [k, number] of numbers.entries()) copy.writeUInt32BE(number, from + 4 * k)
    return copy
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooManyBoxes) return undefined // it is damaged: decoding tells
    throw error
  }
}

function propertiesOf(bytes: Buffer) {
  const meta = boxesIn(bytes, 0, bytes.length).find(({ type }) => type === 'meta')
  const parts = meta === undefined ? [] : boxesIn(bytes, meta.from + 4, meta.to)
  return childrenOf(bytes, childrenOf(bytes, parts, 'iprp'), 'ipco')
}
