// Where the frame kernel keeps what: one stretch of memory, dealt out anew for each picture and wiped after it.

/** Vectors read up to this far beyond a row's ends and must find nothing there. */
export const MARGIN: usize = 16

const START: usize = (__heap_base + 15) & ~15
let end: usize = START

export function clear(): void {
  memory.fill(START, 0, end - START)
  end = START
}

/** Room for so many bytes, all zero, a margin around them. */
export function take(bytes: usize): usize {
  const at = end + MARGIN
  const newEnd = (at + bytes + MARGIN + 15) & ~15
  const pages = <i32>((newEnd + 65535) >> 16)
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) unreachable()
  end = newEnd // only now: after a trap, clear() must find nothing beyond the memory
  return at
}

/** The bytes of a row of so many, with a margin behind it that belongs to the next row as well. */
export function strideOf(width: i32): usize {
  return ((<usize>width + 15) & ~15) + MARGIN
}
