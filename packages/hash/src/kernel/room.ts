// Allocates memory for the frame kernel and the details kernel. Each has one block. It is divided anew for each picture and wiped after it.

/** Vectors read up to this far beyond the ends of a row, where there must be zeros. */
export const MARGIN: usize = 16

const START: usize = (__heap_base + 15) & ~15
let end: usize = START

export function clear(): void {
  memory.fill(START, 0, end - START)
  end = START
}

/** Allocates bytes, all zero, with a margin around them. */
export function take(bytes: usize): usize {
  const at = end + MARGIN
  const newEnd = (at + bytes + MARGIN + 15) & ~15
  const pages = <i32>((newEnd + 65535) >> 16)
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) unreachable()
  end = newEnd // only now: after a trap, clear() must not reach beyond the memory
  return at
}

/** The size of a row, with a margin after it that is also the margin before the next row. */
export function strideOf(width: i32): usize {
  return ((<usize>width + 15) & ~15) + MARGIN
}
