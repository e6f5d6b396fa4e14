// Decompresses the pixels of a GIF frame. libvips would decode all frames before it once more for each frame that is asked for.

const MAX_CODES = 4096
const MAX_CODE_BITS = 12
const MAX_LITERAL_BITS = 8

/** A code stands for a part of what was written before: where it begins, and its length. */
const starts = new Int32Array(MAX_CODES)
const lengths = new Int32Array(MAX_CODES)

/**
 * @param from the size of the first codes; then blocks of at most 255 bytes, each after its length.
 * @param out colour indexes, one a pixel, in the order in which the file has them. Never more than fit.
 * @returns how many pixels were written: fewer than `out` has if the data end early or are damaged.
 */
export function unpackLzw(file: Uint8Array, from: number, to: number, out: Uint8Array): number {
  const literalBits = file[from] ?? 0
  if (literalBits < 1 || literalBits > MAX_LITERAL_BITS) return 0
  const clear = 1 << literalBits
  const end = clear + 1
  let [codeBits, next, written] = [literalBits + 1, end + 1, 0]
  /** Where the previous code's pixels begin, and how many they are; none after a clear code. */
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
