// Memory in which pictures wait, used again and again: it is overwritten before it serves for another one.

import { MessageChannel } from 'node:worker_threads'

export interface HeldImage {
  readonly pieces: readonly Buffer[]
  /** Overwrites it, and whoever still reads it reads zeros: so its memory serves for nothing else. */
  wipe(): void
  /** Overwrites it. Nobody reads it any more: its memory may serve for another one. */
  release(): void
}

/** As much as a socket brings at once: of a picture's last block so much at most is in vain. */
const BLOCK_BYTES = 1 << 16
/** Twenty pictures of a telephone and some more; beyond that memory comes and goes. */
const MAX_KEPT_BYTES = 64 << 20

/**
 * What a socket brings is memory beside V8's heap, 2 MB a picture, and V8 answers each few of them by marking all of its heap
 * (bench/record/submit.md). What pictures wait in is always the same, and what they came in is given back at once.
 */
export class Blocks {
  // Invariant: each is zeros from end to end, and nobody else has it.
  readonly #free: Buffer[] = []
  readonly #maxKept: number

  constructor(maxKeptBytes = MAX_KEPT_BYTES) {
    this.#maxKept = Math.floor(maxKeptBytes / BLOCK_BYTES)
  }

  /** How many blocks wait for an image. */
  get freeCount(): number {
    return this.#free.length
  }

  /** Takes over an image. A small one stays where it is; a larger one is copied, and overwritten where it was. Nobody else may use those Buffers. */
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

/** Memory that is sent to nobody is free at once. What a Buffer has not for itself may have something of another picture, and stays. */
function giveBack(pieces: readonly Buffer[]): void {
  const own = pieces.filter(({ length, buffer }) => length === buffer.byteLength).map(({ buffer }) => buffer)
  nowhere.postMessage(
    undefined,
    own.filter((buffer) => buffer instanceof ArrayBuffer),
  )
}

function overwrite(pieces: readonly Buffer[]): void {
  for (const piece of pieces) piece.fill(0)
}

function last(blocks: readonly Buffer[]): Buffer {
  const block = blocks.at(-1)
  if (block === undefined) throw new Error('a block is there before it is filled')
  return block
}
