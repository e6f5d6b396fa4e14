// Standard output as a place for much data, which may be a file on a full disk.

import { fstatSync, write } from 'node:fs'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { writeFully } from './write-file.js'

const FD = 1
const writeAt = promisify(write)

/** Fails when not all of it was taken; Node's own stream takes a file that is written in part for one that is written. */
export function standardOutput(): Writable {
  const isFile = fstatSync(FD).isFile()
  const file = {
    write: (bytes: Uint8Array, from: number, length: number, at: number | null) => writeAt(FD, bytes, from, length, at),
  }
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (isFile) writeFully(file, chunk).then(() => done(), done)
      else process.stdout.write(chunk, (error) => done(error))
    },
  })
}
