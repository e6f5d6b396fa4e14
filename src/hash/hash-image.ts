// The package's entry point tabir/hash: for platforms and pages that hash for themselves, so that the picture stays where it is.

import { blockhashOf } from './blockhash.js'
import { formatHash } from './hash256.js'
import { type ImageHasher, loadImageHasher } from './image-hasher.js'
import type { Pixels } from './pixels.js'
import type { Purpose, ViewKind } from './views.js'

/** A signal as the API takes it: in a query of `POST /v1/match`, or in an image of `POST /v1/cases/{caseNumber}/hashes`. */
export interface GivenSignal {
  readonly type: 'pdq' | 'pdq-area' | 'blockhash'
  readonly view: ViewKind
  /** 0…100; the API refuses a picture whose `pdq` is under 50. */
  readonly quality: number
  /** 64 lowercase hex digits, the most significant first. */
  readonly hash: string
}

export interface HashImageOptions {
  /** `query` for pictures to ask about, which is the default; `register` for pictures to be found. */
  readonly purpose?: Purpose
  /** Width over height of the picture as it is shown, where its pixels were reduced more one way than the other. */
  readonly aspect?: number
}

/**
 * Hashes a picture and its parts, in Node or in a browser. The same pixels give the same hashes as in a worker of the service.
 *
 * @param pixels of the picture as it is shown: turned as its EXIF says, in sRGB, transparency on white. Large pictures should be
 *   reduced to some 600 pixels a side first, never enlarged.
 * @returns 1 to 31 signals, the whole picture's `pdq` first, and `blockhash` last, as a second opinion, when no side is under 16
 *   pixels; nothing else when one is under 32.
 * @throws {RangeError} when the sizes are out of range or do not fit the data. Where WebAssembly with SIMD is missing, what the
 *   platform throws.
 * Cost: some 10 ms of one core for a reduced picture.
 */
export async function hashImage(
  pixels: Pixels,
  { purpose = 'query', aspect = pixels.width / pixels.height }: HashImageOptions = {},
): Promise<{ readonly signals: GivenSignal[] }> {
  loading ??= loadImageHasher()
  const hasher = await loading
  const { quality, signals, blockTotals } = hasher.hash(pixels, purpose, aspect)
  const given = signals.flatMap(({ type, view, quality, hashes: [hash] }): GivenSignal[] =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatHash(hash) }],
  )
  if (blockTotals === undefined) return { signals: given }
  const blockhash = {
    type: 'blockhash',
    view: 'whole',
    quality,
    hash: formatHash(blockhashOf(blockTotals, pixels)),
  } as const
  return { signals: [...given, blockhash] }
}

let loading: Promise<ImageHasher> | undefined
