// Counts the pixels that the codes in a GIF stand for, to find out whether it ends within a frame.

const EXTENSION = 0x21
const IMAGE = 0x2c
const HEADER_BYTES = 13
const MAX_CODES = 4096

export interface GifData {
  /** Whether there is a frame, and each frame has codes for all of its pixels, except for the share that may be missing. */
  readonly isWhole: boolean
  /** Where the first incomplete frame has an impossible code; the length of the file if there is none. */
  readonly usableBytes: number
}

/** @param missingShare of the pixels of a frame, 0…1. Cost: about ten nanoseconds a byte. */
export function gifData(gif: Buffer, missingShare: number): GifData {
  let frames = 0
  for (let at = HEADER_BYTES + tableBytes(gif[10]); ; ) {
    if (gif[at] === EXTENSION) {
      at = endOfBlocks(gif, at + 2)
    } else if (gif[at] === IMAGE && at + 11 <= gif.length) {
      const pixels = gif.readUInt16LE(at + 5) * gif.readUInt16LE(at + 7) * (1 - missingShare)
      const dataAt = at + 10 + tableBytes(gif[at + 9])
      const usableBytes = endOfCodes(gif, dataAt, pixels)
      if (usableBytes !== undefined) return { isWhole: false, usableBytes }
      frames++
      at = endOfBlocks(gif, dataAt + 1)
    } else {
      return { isWhole: frames > 0, usableBytes: gif.length }
    }
  }
}

/** Size of the colour table that a byte of flags declares. */
function tableBytes(flags = 0): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1)
}

function endOfBlocks(gif: Buffer, from: number): number {
  let at = from
  while (at < gif.length && gif[at] !== 0) at += 1 + (gif[at] ?? 0)
  return at + 1
}

/**
 * Decodes only the lengths of LZW strings.
 * @returns `undefined` if the codes stand for at least `pixels` pixels; otherwise where they end.
 */
function endOfCodes(gif: Buffer, at: number, pixels: number): number | undefined {
  const rootBits = gif[at] ?? 0
  if (rootBits < 1 || rootBits > 11) return at
  const clear = 1 << rootBits
  const lengths = new Uint32Array(MAX_CODES)
  lengths.fill(1, 0, clear)
  let [bits, next, before, missing] = [rootBits + 1, clear + 2, 0, pixels]
  for (const { code, codeAt } of codesOf(gif, at + 1, () => bits)) {
    if (code === clear + 1 || code > next) return codeAt
    if (code === clear) {
      ;[bits, next, before] = [rootBits + 1, clear + 2, 0]
      continue
    }
    const length = code < next ? (lengths[code] ?? 0) : before + 1
    if (before > 0 && next < MAX_CODES) {
      lengths[next++] = before + 1
      if (next === 1 << bits && bits < 12) bits++
    }
    before = length
    missing -= length
    if (missing <= 0) return undefined
  }
  return gif.length
}

/** The codes in the blocks of a frame, least significant bit first. */
function* codesOf(gif: Buffer, from: number, bitsOf: () => number): Generator<{ code: number; codeAt: number }> {
  let [held, heldBits] = [0, 0]
  for (let at = from; at < gif.length && gif[at] !== 0; at += 1 + (gif[at] ?? 0)) {
    const end = Math.min(at + 1 + (gif[at] ?? 0), gif.length)
    for (let k = at + 1; k < end; k++) {
      held |= (gif[k] ?? 0) << heldBits
      heldBits += 8
      for (let bits = bitsOf(); heldBits >= bits; bits = bitsOf()) {
        yield { code: held & ((1 << bits) - 1), codeAt: k }
        held >>>= bits
        heldBits -= bits
      }
    }
  }
}
