// Decompresses the pixels of one GIF frame. libvips would decode all previous frames again for each frame.

const MAX_CODES = 4096
const MAX_CODE_BITS = 12
const MAX_LITERAL_BITS = 8

/** For each code, where in the output its pixels were written before, and how many they are. */
const starts = new Int32Array(MAX_CODES)
const lengths = new Int32Array(MAX_CODES)

/**
 * @param from where the frame's data begins: a byte with the size of the first codes, then blocks of at most 255 bytes, each after its length.
 * @param to where to stop at the latest.
 * @param out gets the colour indexes, one a pixel, in the order of the file. Never more than fit.
 * @returns how many pixels were written: fewer than `out` has if the data ends early or is damaged.
 * Cost: linear in the data and the pixels. Not reentrant.
 */
export function unpackLzw(file: Uint8Array, from: number, to: number, out: Uint8Array): number {
  const literalBits = file[from] ?? 0
  if (literalBits < 1 || literalBits > MAX_LITERAL_BITS) return 0
  const clear = 1 << literalBits
  const end = clear + 1
  let [codeBits, next, written] = [literalBits + 1, end + 1, 0]
  /** Where the previous code's pixels begin, and how many they are; 0 after a clear code. */
  let [lastAt, lastLength] = [0, 0]
  let [bits, bitCount] = [0, 0]
  for (let at = from + 1; at < to; ) {
    const blockEnd = Math.min(to, at + 1 + (file[at] ?? 0))
    if (blockEnd === at + 1) return written
    for (at++; at < blockEnd; at++) {
      bits |= (file[at] ?? 0) << bitCount
      bitCount += 8
      while (bitCount >= codeBits) {
        const code = bits & ((1 << codeBits) - 1)
        bits >>>= codeBits
        bitCount -= codeBits
        if (code === clear) {
          codeBits = literalBits + 1
          next = end + 1
          lastLength = 0
          continue
        }
        if (code === end || written >= out.length) return written
        if (code > end && (code > next || lastLength === 0 || (code === next && next === MAX_CODES))) return written
        if (lastLength > 0 && next < MAX_CODES) {
          starts[next] = lastAt
          lengths[next] = lastLength + 1
          next++
          if (next === 1 << codeBits && codeBits < MAX_CODE_BITS) codeBits++
        }
        lastAt = written
        if (code < clear) {
          out[written++] = code
          lastLength = 1
        } else {
          const source = starts[code] ?? 0
          lastLength = Math.min(lengths[code] ?? 0, out.length - written)
          for (let k = 0; k < lastLength; k++) out[written + k] = out[source + k] ?? 0 // may read what it has just written
          written += lastLength
        }
      }
    }
  }
  return written
}
