// Removes chunks of a PNG that browsers skip, but for which libpng refuses the file.

/**
 * The name of a chunk has to be four letters, the third one a capital.
 * @returns a copy without optional chunks of other names, for the caller to overwrite; `png` itself if there are none.
 */
export function withoutMisnamedChunks(png: Buffer): Buffer {
  const kept: Buffer[] = []
  let keptTo = 0
  for (let at = SIGNATURE_BYTES; at + 12 <= png.length; ) {
    const end = Math.min(png.length, at + 12 + png.readUInt32BE(at))
    if (isOptional(png[at + 4]) && !NAME.test(png.toString('latin1', at + 4, at + 8))) {
      kept.push(png.subarray(keptTo, at))
      keptTo = end
    }
    at = end
  }
  return keptTo === 0 ? png : Buffer.concat([...kept, png.subarray(keptTo)])
}

const SIGNATURE_BYTES = 8
const NAME = /^[A-Za-z]{2}[A-Z][A-Za-z]$/
/** Bit 5 of the first byte of a chunk's name says that a decoder may skip it. */
const isOptional = (first = 0) => (first & 0x20) !== 0
