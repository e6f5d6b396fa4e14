// Searches what the service left for pieces of the pictures.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { writtenForms } from './written-forms.js'

const WINDOW_BYTES = 32
/** Windows of sky or padding appear by chance; windows with this many different bytes do not. */
const MIN_DIFFERENT_BYTES = 12
const MAX_PIECES = 256

export class Pieces {
  readonly #byHead = new Map<number, Buffer[]>()

  /** Takes up to 256 pieces of 32 bytes, evenly spread, as bytes and in the texts that programs make of bytes. */
  add(bytes: Buffer): void {
    const stride = Math.max(WINDOW_BYTES, Math.floor(bytes.length / MAX_PIECES))
    for (let at = 0; at + WINDOW_BYTES <= bytes.length; ) {
      const window = Buffer.from(bytes.subarray(at, at + WINDOW_BYTES))
      const isDistinctive = new Set(window).size >= MIN_DIFFERENT_BYTES
      at += isDistinctive ? stride : WINDOW_BYTES
      if (!isDistinctive) continue
      for (const piece of [window, ...writtenForms(window).map(({ text }) => Buffer.from(text))]) {
        const head = piece.readUInt32LE(0)
        this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), piece])
      }
    }
  }

  /** @returns how many pieces are in it. */
  countIn(text: Buffer): number {
    let found = 0
    for (let at = 0; at + WINDOW_BYTES <= text.length; at++) {
      for (const piece of this.#byHead.get(text.readUInt32LE(at)) ?? [])
        if (text.subarray(at, at + piece.length).equals(piece)) found += 1
    }
    return found
  }

  async countInFolder(folder: string): Promise<number> {
    let found = 0
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) found += this.countIn(await readFile(join(entry.parentPath, entry.name)))
    return found
  }

  /** Every key and its value, which the service's own Redis gives uncompressed. */
  async countInRedis(redis: Redis): Promise<number> {
    let found = 0
    for await (const keys of redis.scanBufferStream())
      for (const key of keys as Buffer[]) found += this.countIn(Buffer.concat([key, (await redis.dumpBuffer(key)) ?? key]))
    return found
  }
}
