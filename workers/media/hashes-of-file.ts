// From a stranger's bytes to hashes; what lies between is overwritten.
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { type ImageSignal, loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import { blockhashesOf, blockhashesOfTiny } from './blockhash.js'
import { eachFrame } from './decode.js'
import type { DecodedPicture } from './decoded-picture.js'

export interface ImageHashes {
  /** PDQ's 0…100. Under 50 the picture has too little structure to be found again. */
  readonly quality: number
  /** The whole picture's PDQ first, then its views. */
  readonly signals: readonly ImageSignal[]
  /** Of the picture turned and mirrored, in the order of `transforms`; the first is the picture as it is. */
  readonly blockhash: readonly Hash256[]
  /** A sign in a few flat colours? */
  readonly isSimple: boolean
  /** Flat and of few colours, as a form is? */
  readonly isForm: boolean
}

/**
 * Decodes once, hashes all views, and leaves no pixel behind, whatever happens. `bytes` stay the caller's to wipe.
 * @throws {Problem} as `eachFrame` does.
 */
export async function hashImage(bytes: Buffer, purpose: Purpose): Promise<ImageHashes> {
  return imageOf(await eachFrame(bytes, { sizeFor: hashedSize }, ({ pixels }) => hashPicture(pixels, purpose)))
}

/** Makes one image of what was made of its frames. Every decoder gives one frame; what becomes of several is decided here. */
export function imageOf<T>([first, ...others]: readonly T[]): T {
  if (first === undefined || others.length > 0) throw new Error('a file has one frame')
  return first
}

const hasher = loadImageHasherSync()

function hashPicture(picture: DecodedPicture, purpose: Purpose): ImageHashes {
  const { quality, signals, blockTotals, isSimple, isForm } = hasher.hash(picture, purpose, picture.aspect)
  const blockhash = blockTotals === undefined ? blockhashesOfTiny(picture) : blockhashesOf(blockTotals, picture)
  return { quality, signals, blockhash, isSimple, isForm }
}
