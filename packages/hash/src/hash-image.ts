// The package's entry point @tabir/hash: for platforms and pages that hash for themselves, so that the picture stays where it is.

import { blockhashOf } from './blockhash.js'
import { detailsWith } from './details/details.js'
import { writeAsked, writeRegistered } from './details/written.js'
import { loadDetailsKernel } from './details-kernel.js'
import { loadFrameKernel } from './frame-kernel.js'
import { formatHash } from './hash256.js'
import { loadImageHasher } from './image-hasher.js'
import type { Pixels } from './pixels.js'
import type { Purpose, ViewKind } from './views.js'

export type { Pixels } from './pixels.js'
export { hashedSize } from './reduced-side.js'

/** A signal as the API takes it: in a query of `POST /v1/match`, or in an image of `POST /v1/cases/{caseNumber}/hashes`. */
export interface GivenSignal {
  readonly type: 'pdq' | 'pdq-area' | 'blockhash'
  readonly view: ViewKind
  /** 0…100; the API refuses to register a picture whose `pdq` is under 50, and to be asked about one whose is under 25. */
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
 * @param pixels of the picture as it is shown: turned as its EXIF says, in sRGB, transparency on white. Up to 1.5 megapixels as they are; of a
 *   larger picture reduced to `hashedSize`, each side by itself, with a triangle filter, and then `aspect` is needed. Never enlarged.
 * @returns `isSimple` for a picture to be registered that is a sign in a few flat colours, which a case does not take; and 1 to 31 signals, the
 *   whole picture's `pdq` first, and `blockhash` last, as a second opinion, when no side is under 16
 *   pixels; nothing else when one is under 32.
 * @throws {RangeError} when the sizes are out of range or do not fit the data. Where WebAssembly with SIMD is missing, what the
 *   platform throws.
 * Cost: some 10 ms of one core for a reduced picture.
 */
export async function hashImage(
  pixels: Pixels,
  { purpose = 'query', aspect = pixels.width / pixels.height }: HashImageOptions = {},
): Promise<{ readonly signals: GivenSignal[]; readonly isSimple?: true }> {
  const hasher = await imageHasher()
  const { quality, signals, blockTotals, isSimple } = hasher.hash(pixels, purpose, aspect)
  const simple = isSimple ? { isSimple } : {}
  const given = signals.flatMap(({ type, view, quality, hashes: [hash] }): GivenSignal[] =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatHash(hash) }],
  )
  if (blockTotals === undefined) return { signals: given, ...simple }
  const blockhash = {
    type: 'blockhash',
    view: 'whole',
    quality,
    hash: formatHash(blockhashOf(blockTotals, pixels)),
  } as const
  return { signals: [...given, blockhash], ...simple }
}

const imageHasher = loadedOnce(loadImageHasher)

/**
 * Finds the details of a picture, as the API takes them: of an image in `POST /v1/cases/{caseNumber}/hashes`, or in a query of
 * `POST /v1/match`. They say more about the picture than hashes do.
 *
 * @param pixels as for `hashImage`, but with sides in proportion: large pictures reduced to some 1,400 pixels on the longer side.
 * @returns base64, 9 kB at most of a picture to be found, 250 kB of one to ask about.
 * @throws as `hashImage`.
 * Cost: some 100 ms of one core.
 */
export async function detailsOf(
  pixels: Pixels,
  { purpose = 'query' }: Pick<HashImageOptions, 'purpose'> = {},
): Promise<string> {
  const details = await detailsFinder()
  return base64(purpose === 'register' ? writeRegistered(details.register(pixels)) : writeAsked(details.ask(pixels)))
}

const detailsFinder = loadedOnce(async () => detailsWith(await loadDetailsKernel(), await loadFrameKernel()))

/** Loads when first asked, and again after a failure: there may be memory for it the next time. */
function loadedOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

/** So many arguments a call takes everywhere. */
const BYTES_AT_ONCE = 8192

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE)
    text += String.fromCharCode(...bytes.subarray(at, at + BYTES_AT_ONCE))
  return btoa(text)
}
