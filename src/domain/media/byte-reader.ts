// Random access to a file that is held in pieces, as it arrived.

export interface ByteReader {
  readonly length: number
  /** @throws {RangeError} beyond the end, as do `u16`, `u32` and `text`. */
  u8(at: number): number
  u16(at: number, isLittle?: boolean): number
  u32(at: number, isLittle?: boolean): number
  /** @returns where the next such byte is, from `at` on; `length` if there is none. Counts as one read for each piece that it searches. */
  find(byte: number, at: number): number
  /** Reads bytes as Latin-1. */
  text(at: number, length: number): string
  /** Copies up to `length` bytes from the start, fewer if the file is shorter. */
  head(length: number): Uint8Array
}

/**
 * @param maxReads how many bytes may be read. Beyond that each read throws a RangeError, which bounds the time that a hostile file takes.
 * Cost: a read in the same piece as the previous one is an array access, any other a binary search.
 */
export function createByteReader(pieces: readonly Uint8Array[], maxReads = Number.POSITIVE_INFINITY): ByteReader {
  let reads = 0
  let length = 0
  const starts = pieces.map((piece) => {
    length += piece.length
    return length - piece.length
  })
  let piece: Uint8Array = new Uint8Array()
  let from = 0

  /** Finds the piece with this byte. */
  function seek(at: number): void {
    if (!(at >= 0 && at < length)) throw new RangeError('the file ends before')
    let low = 0
    for (let high = pieces.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle - 1
    }
    piece = pieces[low] ?? piece
    from = starts[low] ?? 0
  }
  function u8(at: number): number {
    if (++reads > maxReads) throw new RangeError('too many reads')
    if (!(at >= from && at < from + piece.length)) seek(at)
    return piece[at - from] ?? 0
  }
  function find(byte: number, at: number): number {
    for (let next = at; next < length; next = from + piece.length) {
      u8(next) // sets `piece` and `from`
      const found = piece.indexOf(byte, next - from)
      if (found >= 0) return from + found
    }
    return length
  }
  const u16 = (at: number, isLittle = false) => (isLittle ? u8(at) + (u8(at + 1) << 8) : (u8(at) << 8) + u8(at + 1))
  return {
    length,
    u8,
    u16,
    find,
    u32: (at, isLittle = false) => (isLittle ? u16(at, true) + u16(at + 2, true) * 65_536 : u16(at) * 65_536 + u16(at + 2)),
    text: (at, count) => String.fromCharCode(...Array.from({ length: count }, (_, k) => u8(at + k))),
    head: (count) => Uint8Array.from({ length: Math.min(count, length) }, (_, k) => u8(k)),
  }
}
