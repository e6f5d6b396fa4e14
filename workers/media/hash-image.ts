// From a stranger's bytes to hashes; what lies between is overwritten.

import type { Hash256 } from '../../src/hash/hash256.js'
import { loadPdqKernelSync } from '../../src/hash/pdq-kernel.js'
import { blockhashesOf, blockhashesOfTiny } from './blockhash.js'
import { type DecodedPicture, decode } from './decode.js'

export interface ImageHashes {
  /** PDQ's 0…100. Under 50 the picture has too little structure to be found again. */
  readonly quality: number
  /** Both kinds: of the picture turned and mirrored, in the order of `transforms`; the first is the picture as it is. */
  readonly pdq: readonly Hash256[]
  readonly blockhash: readonly Hash256[]
}

/**
 * Decodes once, hashes twice, and leaves no pixel behind, whatever happens. `bytes` stay the caller's to wipe.
 * @throws {Problem} `media-unsupported`, `image-too-many-pixels` or `image-undecodable`, as `decode` does.
 */
export async function hashImage(bytes: Buffer): Promise<ImageHashes> {
  const picture = await decode(bytes)
  try {
    return hashPicture(picture)
  } finally {
    picture.data.fill(0)
  }
}

const kernel = loadPdqKernelSync()

function hashPicture(picture: DecodedPicture): ImageHashes {
  const { quality, dihedrals, blockTotals } = kernel.hash(picture)
  const blockhash = blockTotals === undefined ? blockhashesOfTiny(picture) : blockhashesOf(blockTotals, picture)
  return { quality, pdq: dihedrals, blockhash }
}
