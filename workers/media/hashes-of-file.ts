// From a stranger's bytes to hashes. Pixels in between are overwritten.
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { type ImageSignal, loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import { blockhashesOf, blockhashesOfTiny } from './blockhash.js'
import { eachFrame } from './decode.js'
import type { DecodedPicture } from './decoded-picture.js'

export interface ImageHashes {
  /** PDQ's quality, 0…100. Under 50 the picture has too little structure to be found again. */
  readonly quality: number
  /** PDQ of the whole picture first, then of its views. */
  readonly signals: readonly ImageSignal[]
  /** blockhash of all eight orientations, in the order of `transforms`; the first is the picture as it is. */
  readonly blockhash: readonly Hash256[]
  /** Whether it is a sign in a few flat colours. */
  readonly isSimple: boolean
  /** Whether it is flat and of few colours, as a form is. */
  readonly isForm: boolean
}

/**
 * Decodes once, hashes all views, and overwrites all pixels, also after an error. The caller overwrites `bytes`.
 * @throws {Problem} as `eachFrame` does.
 */
export async function hashImage(bytes: Buffer, purpose: Purpose): Promise<ImageHashes> {
  return imageOf(await eachFrame(bytes, { sizeFor: hashedSize }, ({ pixels }) => hashPicture(pixels, purpose)))
}

/** Combines the results for the frames of a file. Every decoder gives exactly one frame; more are an error. */
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
