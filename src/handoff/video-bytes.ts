// Holds a video in memory, in blocks that nothing else uses. They are overwritten before they are freed.

export interface VideoBytes {
  readonly sizeBytes: number
  /** Appends a copy of a chunk, and overwrites the original. */
  add(chunk: Buffer): void
  /** The bytes as they are now, not copied. They are overwritten when they are drained or wiped. */
  readonly pieces: readonly Uint8Array[]
  /** Yields the blocks in order, once. Overwrites each when the next one is requested or the loop ends. */
  drain(): Generator<Buffer, void, void>
  /** Overwrites what was not drained, a few blocks in each tick, because all of a long video at once would delay other requests. */
  wipe(): void
}

const BLOCK_BYTES = 1 << 20
const WIPED_PER_TICK = 4

export function createVideoBytes(): VideoBytes {
  // Invariant: all blocks but the last are full.
  const blocks: Buffer[] = []
  let filledOfLast = BLOCK_BYTES
  let sizeBytes = 0
  return {
    get sizeBytes() {
      return sizeBytes
    },
    add(chunk) {
      for (let from = 0; from < chunk.length; ) {
        if (filledOfLast === BLOCK_BYTES) {
          blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES))
          filledOfLast = 0
        }
        const copied = chunk.copy(blocks[blocks.length - 1] ?? chunk, filledOfLast, from)
        filledOfLast += copied
        from += copied
      }
      sizeBytes += chunk.length
      chunk.fill(0)
    },
    get pieces() {
      return blocks.map((block, i) => (i === blocks.length - 1 ? block.subarray(0, filledOfLast) : block))
    },
    *drain() {
      for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
        try {
          yield blocks.length === 0 ? block.subarray(0, filledOfLast) : block
        } finally {
          block.fill(0)
        }
      }
    },
    wipe() {
      const left = blocks.splice(0)
      const next = () => {
        for (const block of left.splice(0, WIPED_PER_TICK)) block.fill(0)
        if (left.length > 0) setImmediate(next)
      }
      next()
    },
  }
}
