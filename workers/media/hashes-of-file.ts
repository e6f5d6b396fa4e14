// Hashes an untrusted file. All pixels are overwritten.
import { createFrameMerger, MIN_USABLE_QUALITY } from '../../packages/hash/src/file-frames.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { type ImageSignal, loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import type { VideoSignals } from '../../packages/hash/src/video-frames.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import { Problem } from '../../src/domain/problem.js'
import { eachFrame } from './decode.js'
import type { Frame } from './decoder.js'
import { blockhashesOf, blockhashesOfTiny } from './imghash-blockhash.js'
import { createMoments } from './moments.js'

export interface ImageHashes {
  /** PDQ's quality, 0…100. Under 50 the picture has too little structure to be registered. */
  readonly quality: number
  /** PDQ of the whole picture first, then of its views; then those of further frames. */
  readonly signals: readonly ImageSignal[]
  /** blockhash of the main frame in all eight orientations, in the order of `transforms`. */
  readonly blockhash: readonly Hash256[]
  /** Registration only: whether it is a sign or logo in a few flat colours. */
  readonly isSimple: boolean
  /** Queries only: whether it is flat and has few colours, as forms do. */
  readonly isForm: boolean
  /** Queries only: whether it shows one object on a plain ground. */
  readonly isObject: boolean
  /** Index of the frame of which all views are hashed. Details are computed from this frame, too. */
  readonly mainFrame: number
  /** Registrations of animations only: the frames that a video would be registered by, if there are several; none if only pictures of it are found. */
  readonly animation?: VideoSignals
}

/**
 * Decodes once, hashes all views, and overwrites all pixels, also after an error. The caller overwrites `bytes`.
 * @throws {Problem} as `eachFrame` does.
 */
export async function hashImage(bytes: Buffer, purpose: Purpose): Promise<ImageHashes> {
  const merger = createFrameMerger(purpose)
  let blockhash: readonly Hash256[] = []
  let mainFrame = 0
  let frames = 0
  let isCounted = false
  const moments = purpose === 'register' ? createMoments(hasher) : undefined
  const take = ({ pixels, isSamePicture, isWindow, moment, shownMs }: Frame) => {
    if (moment !== undefined) return moments?.add(pixels, moment)
    const extent = merger.extentOf(isWindow === true)
    const found = hasher.hash(pixels, purpose, pixels.aspect, extent)
    merger.add(found, extent, isSamePicture)
    isCounted &&= isSamePicture === true
    if (shownMs !== undefined && !isCounted && found.quality >= MIN_USABLE_QUALITY[purpose]) {
      moments?.addPicture(shownMs)
      isCounted = true
    }
    const { blockTotals } = found
    if (extent === 'all' && (frames === 0 || merger.hasMain)) {
      blockhash = blockTotals === undefined ? blockhashesOfTiny(pixels) : blockhashesOf(blockTotals, pixels)
      mainFrame = frames
    }
    frames++
  }
  let animation: VideoSignals | undefined
  try {
    await eachFrame(bytes, { sizeFor: hashedSize, purpose, ...(moments && { moments }) }, take)
    animation = moments?.result()
  } finally {
    moments?.wipe()
  }
  const merged = merger.result()
  if (merged === undefined) throw new Problem('image-undecodable')
  const { quality, signals, isSimple, isForm, isObject } = merged
  return { quality, signals, blockhash, isSimple, isForm, isObject, mainFrame, ...(animation && { animation }) }
}

const hasher = loadImageHasherSync()
