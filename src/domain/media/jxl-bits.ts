// Reads the header fields of JPEG XL (ISO/IEC 18181-1), which are packed into bits, the lowest bit of a byte first.

/** One way to store a U32: a fixed value, or an offset to which a number of that many bits is added. */
type Distribution = number | readonly [offset: number, bits: number]

export interface JxlBits {
  /** Reads an unsigned number. @param count of bits, up to 32. */
  read(count: number): number
  isSet(): boolean
  skip(count: number): void
  /** Reads two bits, which choose one of four ways, and then the value. */
  u32(...distributions: readonly [Distribution, Distribution, Distribution, Distribution]): number
  u64(): number
  /** The specification's `Enum`: 0, 1, or a larger number in 4 or 6 bits. */
  enumeration(): number
  alignToByte(): void
  /** In bytes; in the middle of a byte, that of the next one. */
  readonly position: number
}

/** @throws {RangeError} from each call that reads beyond the end. */
export function jxlBits(bytes: Uint8Array, from = 0): JxlBits {
  let at = 8 * from
  const read = (count: number): number => {
    if (at + count > 8 * bytes.length) throw new RangeError('the header ends too early')
    let value = 0
    for (let k = 0; k < count; k++, at++) value += (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) * 2 ** k
    return value
  }
  const u32: JxlBits['u32'] = (...distributions) => {
    const chosen = distributions[read(2)] ?? 0
    return typeof chosen === 'number' ? chosen : chosen[0] + read(chosen[1])
  }
  return {
    read,
    isSet: () => read(1) === 1,
    skip: (count) => {
      at += count
    },
    u32,
    u64: () => {
      const kind = read(2)
      if (kind === 0) return 0
      if (kind === 1) return 1 + read(4)
      if (kind === 2) return 17 + read(8)
      let value = read(12)
      for (let shift = 12; read(1) === 1; shift += 8) {
        value += read(shift === 60 ? 4 : 8) * 2 ** shift
        if (shift === 60) break
      }
      return value
    },
    enumeration: () => u32(0, 1, [2, 4], [18, 6]),
    alignToByte: () => {
      at = 8 * Math.ceil(at / 8)
    },
    get position() {
      return Math.ceil(at / 8)
    },
  }
}
