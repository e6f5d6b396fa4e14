// SHA-256 of a file, in the byte order of a signal.

import { createHash } from 'node:crypto'
import { type Hash256, hashFromBytes } from '../packages/hash/src/hash256.js'

export function fileHash(pieces: readonly Buffer[]): Hash256 {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hashFromBytes(hash.digest().reverse())
}
