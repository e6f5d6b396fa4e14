// Writes an uncompressed TIFF for pixels that were decoded here. libvips then treats them like any file: sharp accepts colour profiles and
// unassociated alpha only in a file.

export interface PlainTiff {
  /** The caller overwrites it. */
  readonly file: Buffer
  /** The part of `file` that holds the pixels: rows from the top, without padding. */
  readonly pixels: Buffer
}

interface Kind {
  readonly width: number
  readonly height: number
  /** Red, green, blue; with 4 also alpha, not premultiplied. */
  readonly channels: 3 | 4
  /** An ICC profile for red, green and blue. */
  readonly profile?: Buffer | undefined
}

const SHORT = 3
const LONG = 4
const UNDEFINED = 7
const HEADER_BYTES = 8

/** Creates a TIFF 6.0 with one strip of zeros, for the caller to fill. The caller has checked the area. */
export function plainTiff({ width, height, channels, profile = Buffer.alloc(0) }: Kind): PlainTiff {
  const profileAt = HEADER_BYTES + 2 * channels
  const pixelsAt = profileAt + even(profile.length)
  const pixelBytes = width * height * channels
  const fields = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, channels, HEADER_BYTES],
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 2], // red, green, blue
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, pixelBytes],
    ...(channels === 4 ? [[338, SHORT, 1, 2] as const] : []), // unassociated alpha
    ...(profile.length > 0 ? [[34675, UNDEFINED, profile.length, profileAt] as const] : []),
  ] as const

  const directoryAt = pixelsAt + even(pixelBytes)
  const file = Buffer.alloc(directoryAt + 2 + 12 * fields.length + 4)
  file.write('II*\0', 'latin1')
  file.writeUInt32LE(directoryAt, 4)
  for (let channel = 0; channel < channels; channel++) file.writeUInt16LE(8, HEADER_BYTES + 2 * channel)
  profile.copy(file, profileAt)
  file.writeUInt16LE(fields.length, directoryAt)
  for (const [k, [tag, type, count, value]] of fields.entries()) {
    const at = directoryAt + 2 + 12 * k
    file.writeUInt16LE(tag, at)
    file.writeUInt16LE(type, at + 2)
    file.writeUInt32LE(count, at + 4)
    file.writeUInt32LE(value, at + 8) // a short is stored in the first two bytes, since this is little endian
  }
  return { file, pixels: file.subarray(pixelsAt, pixelsAt + pixelBytes) }
}

function even(bytes: number): number {
  return bytes + (bytes % 2)
}
