// Reads from the beginning of an RDB file how many keys it has.

export interface RdbCounts {
  /** Keys of database 0. */
  readonly keys: number
  /** Those of them with a time to live. A Redis that loads the file later may skip expired ones. */
  readonly expiring: number
}

const AUX = 0xfa
const RESIZE_DB = 0xfb
const SELECT_DB = 0xfe
const FUNCTION = 0xf5
const END = 0xff
const HEAD_BYTES = 9

/** How much of the file `rdbCounts` needs. */
export const RDB_HEAD_BYTES = 64 * 1024

/** @param bytes the first `RDB_HEAD_BYTES` of the file. @returns undefined when the file has another layout, as of another kind of server. */
export function rdbCounts(bytes: Buffer): RdbCounts | undefined {
  const read = readerOf(bytes)
  for (;;) {
    switch (read.byte()) {
      case AUX:
        read.skipText()
        read.skipText()
        break
      case FUNCTION:
        read.skipText()
        break
      case SELECT_DB:
        if (read.length() !== 0) return undefined
        break
      case RESIZE_DB: {
        const [keys, expiring] = [read.length(), read.length()]
        return keys === undefined || expiring === undefined ? undefined : { keys, expiring }
      }
      case END:
        return { keys: 0, expiring: 0 }
      default:
        return undefined
    }
  }
}

/** Reads the encodings of RDB. Every read past the end is `undefined`. */
function readerOf(bytes: Buffer) {
  let at = HEAD_BYTES
  const byte = () => bytes[at++]
  const take = (count: number) => {
    const part = bytes.subarray(at, at + count)
    at += count
    return part.length === count ? part : undefined
  }
  const length = (): number | undefined => {
    const first = byte()
    if (first === undefined) return undefined
    if (first < 0x40) return first
    if (first < 0x80) return ((first & 0x3f) << 8) | (byte() ?? 0)
    if (first === 0x80) return take(4)?.readUInt32BE()
    if (first === 0x81) return Number(take(8)?.readBigUInt64BE() ?? Number.NaN)
    at-- // not a length: a specially encoded string begins here
    return undefined
  }
  return {
    byte,
    length,
    skipText() {
      const count = length()
      if (count !== undefined) {
        at += count
        return
      }
      const form = (byte() ?? 0) & 0x3f
      if (form < 3)
        at += 1 << form // an integer of 1, 2 or 4 bytes
      else {
        const packedBytes = length() ?? Number.POSITIVE_INFINITY
        length()
        at += packedBytes
      }
    },
  }
}
