// Writes large amounts of data to standard output, which may be redirected to a file.

import { fstatSync, write } from 'node:fs'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { writeFully } from '../../packages/core/src/node/write-file.js'

const FD = 1
const writeAt = promisify(write)

/** Reports an error when a full disk takes only a part of the bytes. Node's own stream does not. */
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
