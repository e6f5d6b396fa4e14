// Reads the colour description in the sequence header of an AV1 picture (AV1 Bitstream Specification, sections 5.3 to 5.5).

/** Code points of ITU-T H.273. */
export interface CodePoints {
  readonly primaries: number
  readonly transfer: number
}

const SEQUENCE_HEADER = 1
const MAX_UNITS = 4

/**
 * @param data of an item, from its beginning.
 * @returns `undefined` if it describes no colours, or is not AV1.
 */
export function av1Colour(data: Buffer): CodePoints | undefined {
  let at = 0
  for (let unit = 0; unit < MAX_UNITS && at + 2 < data.length; unit++) {
    const header = data[at++] ?? 0
    if ((header & 0x04) !== 0) at++ // extension
    if ((header & 0x02) === 0) return undefined // a unit without its size is the last one
    let size = 0
    for (let k = 0; k < 4; k++) {
      const byte = data[at++] ?? 0
      size += (byte & 0x7f) * 2 ** (7 * k)
      if ((byte & 0x80) === 0) break
    }
    if (((header >> 3) & 0x0f) === SEQUENCE_HEADER) return colourInSequence(bitsOf(data.subarray(at, at + size)))
    at += size
  }
  return undefined
}

type Bits = (count: number) => number

/** Reads zeros beyond the end. */
function bitsOf(bytes: Buffer): Bits {
  let position = 0
  return (count) => {
    let value = 0
    for (let k = 0; k < count; k++, position++)
      value = 2 * value + (((bytes[position >> 3] ?? 0) >> (7 - (position & 7))) & 1)
    return value
  }
}

function colourInSequence(bits: Bits): CodePoints | undefined {
  const profile = bits(3)
  bits(1)
  const isReduced = bits(1) === 1
  if (isReduced) bits(5)
  else skipOperatingPoints(bits)
  const [widthBits, heightBits] = [bits(4) + 1, bits(4) + 1]
  bits(widthBits)
  bits(heightBits)
  if (!isReduced && bits(1) === 1) bits(7)
  bits(3)
  if (!isReduced) skipTools(bits)
  bits(3)
  if (bits(1) === 1 && profile === 2) bits(1)
  if (profile !== 1) bits(1)
  return bits(1) === 1 ? { primaries: bits(8), transfer: bits(8) } : undefined
}

function skipOperatingPoints(bits: Bits): void {
  let delayBits = 0
  if (bits(1) === 1) {
    bits(64)
    if (bits(1) === 1) skipUnsigned(bits)
    if (bits(1) === 1) {
      delayBits = bits(5) + 1
      bits(42)
    }
  }
  const hasDisplayDelay = bits(1) === 1
  for (let left = bits(5); left >= 0; left--) {
    bits(12)
    if (bits(5) > 7) bits(1)
    if (delayBits > 0 && bits(1) === 1) bits(2 * delayBits + 1)
    if (hasDisplayDelay && bits(1) === 1) bits(4)
  }
}

/** Skips a `uvlc`: as many zeros as the number has bits, a one, and the number. */
function skipUnsigned(bits: Bits): void {
  let zeros = 0
  while (zeros < 32 && bits(1) === 0) zeros++
  if (zeros < 32) bits(zeros)
}

function skipTools(bits: Bits): void {
  bits(4)
  const hasOrder = bits(1) === 1
  if (hasOrder) bits(2)
  const screenTools = bits(1) === 1 ? 2 : bits(1)
  if (screenTools > 0 && bits(1) === 0) bits(1)
  if (hasOrder) bits(3)
}
