// Memory blocks in which pictures wait. They are reused, and overwritten before another picture gets them.

import { MessageChannel } from 'node:worker_threads'

export interface HeldImage {
  readonly pieces: readonly Buffer[]
  /** Overwrites the picture. Its memory is not reused, because something may still be reading it, and then reads zeros. */
  wipe(): void
  /** Overwrites the picture and makes its memory available for reuse. Call it only when nothing reads it any more. */
  release(): void
}

/** About as much as a socket delivers at once. At most this much of a picture's last block is unused. */
const BLOCK_BYTES = 1 << 16
/** Maximum memory that is kept for reuse: about twenty phone pictures. Memory beyond it is allocated and freed. */
const MAX_KEPT_BYTES = 64 << 20

/**
 * Data from a socket is in memory outside V8's heap, about 2 MB for each picture. After every few pictures V8 would run a full garbage collection to
 * free it (bench/record/submit.md). So pictures are copied to reused blocks, and the memory they arrived in is freed at once.
 */
export class Blocks {
  // Invariant: each free block contains only zeros, and nothing else refers to it.
  readonly #free: Buffer[] = []
  readonly #maxKept: number

  constructor(maxKeptBytes = MAX_KEPT_BYTES) {
    this.#maxKept = Math.floor(maxKeptBytes / BLOCK_BYTES)
  }

  /** How many blocks are free. */
  get freeCount(): number {
    return this.#free.length
  }

  /**
   * Takes over a picture. A small one stays where it is. A larger one is copied, and the original overwritten. The caller must not use its Buffers
   * any more.
   */
  hold(pieces: readonly Buffer[]): HeldImage {
    const sizeBytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (sizeBytes < BLOCK_BYTES) return { pieces, wipe: () => overwrite(pieces), release: () => overwrite(pieces) }
    const blocks: Buffer[] = []
    let filled = BLOCK_BYTES
    for (const piece of pieces) {
      for (let from = 0; from < piece.length; ) {
        if (filled === BLOCK_BYTES) {
          blocks.push(this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES))
          filled = 0
        }
        const copied = piece.copy(last(blocks), filled, from)
        filled += copied
        from += copied
      }
      piece.fill(0)
    }
    giveBack(pieces)
    return {
      pieces: [...blocks.slice(0, -1), last(blocks).subarray(0, filled)],
      wipe: () => overwrite(blocks),
      release: () => {
        overwrite(blocks)
        this.#free.push(...blocks.splice(0, this.#maxKept - this.#free.length))
      },
    }
  }
}

const { port1: nowhere, port2: otherEnd } = new MessageChannel()
nowhere.close()
otherEnd.close()

/**
 * Frees memory at once, by transferring it to a closed port. Leaves out Buffers that are only a part of their memory, because the rest may belong to
 * another picture.
 */
function giveBack(pieces: readonly Buffer[]): void {
  const whole = pieces.filter(({ length, buffer }) => length === buffer.byteLength).map(({ buffer }) => buffer)
  nowhere.postMessage(
    undefined,
    whole.filter((buffer) => buffer instanceof ArrayBuffer),
  )
}

function overwrite(pieces: readonly Buffer[]): void {
  for (const piece of pieces) piece.fill(0)
}

function last(blocks: readonly Buffer[]): Buffer {
  const block = blocks.at(-1)
  if (block === undefined) throw new Error('no block to fill')
  return block
}
