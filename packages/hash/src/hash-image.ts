// The entry point of @tabir/hash, for platforms and pages that hash pictures locally.

import { blockhashOf } from './blockhash.js'
import { detailsWith } from './details/details.js'
import { writeAsked, writeRegistered } from './details/written.js'
import { loadDetailsKernel } from './details-kernel.js'
import { createFrameMerger } from './file-frames.js'
import { loadFrameKernel } from './frame-kernel.js'
import { formatHash } from './hash256.js'
import { type ImageSignal, loadImageHasher } from './image-hasher.js'
import type { Pixels } from './pixels.js'
import { checkDuration, createVideoHasher, MAX_VIDEO_MS } from './video-frames.js'
import type { Purpose, ViewKind } from './views.js'

export type { Pixels } from './pixels.js'
export { hashedSize } from './reduced-side.js'
export { FRAME_INTERVAL_MS, MAX_VIDEO_MS, REGISTERED_INTERVAL_MS } from './video-frames.js'

/** A signal (one hash of a picture or of a part of it) in the form of the API, for `POST /v1/match` and `POST /v1/cases/{caseNumber}/hashes`. */
export interface GivenSignal {
  readonly type: 'pdq' | 'pdq-area' | 'blockhash'
  readonly view: ViewKind
  /** 0…100. The API refuses to register pictures whose `pdq` has a quality under 50, and to match those under 25. */
  readonly quality: number
  /** 64 lowercase hex digits, the most significant first. */
  readonly hash: string
}

export interface HashImageOptions {
  /** `query`, the default, to look for a picture; `register` to add it. */
  readonly purpose?: Purpose
  /** Width over height of the displayed picture. Needed only if width and height were reduced by different factors, as `hashedSize` does. */
  readonly aspect?: number
}

/**
 * Hashes a picture and its parts, in Node or in a browser. The same pixels give the same hashes as in a worker of the service.
 *
 * @param pixels the displayed picture: rotated by its EXIF orientation, in sRGB, transparency on white. Pictures of more than 1.5 megapixels have
 *   to be reduced to `hashedSize` with a triangle filter, and then need `aspect`. Never enlarge a picture.
 * @returns 1 to 77 signals for a query, 1 to 34 to register: the whole picture's `pdq` first; `blockhash` last, unless a side is under 16 pixels; parts
 *   of the picture between them, unless a side is under 32 pixels.
 *   - `isSimple`, when registering: the picture is a sign in a few flat colours. Cases refuse it.
 *   - `isForm`, for a query: the picture is flat and has few colours, as forms do. Send it with the query, so that other forms do not match.
 *   - `isObject`, for a query: the picture shows one object on a plain ground. Send it with the query, so that other objects do not match.
 * @throws {RangeError} when the sizes are out of range or do not fit the data. @throws the platform's own error if WebAssembly with SIMD is not
 *   supported.
 * Cost: about 10 ms of one core for a reduced picture.
 */
export async function hashImage(
  pixels: Pixels,
  { purpose = 'query', aspect = pixels.width / pixels.height }: HashImageOptions = {},
): Promise<HashedFile> {
  const { mainFrame: _, qualities: __, ...hashed } = await hashFrames([{ pixels, aspect }], { purpose })
  return hashed
}

/** The hashes of a file. */
export interface HashedFile {
  readonly signals: GivenSignal[]
  readonly isSimple?: true
  readonly isForm?: true
  readonly isObject?: true
}

/** A frame of a file, or a window: a part of a picture that is too long to be hashed as a whole. */
export interface FilePicture extends Pick<HashImageOptions, 'aspect'> {
  readonly pixels: Pixels
  /** Set for a window. It comes after the picture itself. */
  readonly isWindow?: boolean
  /** Set for the picture of the frame before, shown in another way, such as on another background. */
  readonly isSamePicture?: boolean
}

/**
 * Hashes the pictures in one file as those of one image: the frames of an animation, or a transparent picture on white and on black.
 *
 * @param frames at least one and at most 16 frames, the most representative one first, then at most 120 windows; `pixels` as for `hashImage`. The
 *   next one is requested once the previous one is hashed, so a generator can reuse its buffer.
 * @returns at most 193 signals, those of the main frame first and its `blockhash` last. `mainFrame` is the index of the first frame with enough
 *   structure, so that a blank first frame hides nothing. If no frame has enough, it is 0, and the API refuses the file. `qualities` are those of the
 *   frames, 0…100, without windows.
 * @throws as `hashImage`; {RangeError} without a frame.
 */
export async function hashFrames(
  frames: AsyncIterable<FilePicture> | Iterable<FilePicture>,
  { purpose = 'query' }: Pick<HashImageOptions, 'purpose'> = {},
): Promise<HashedFile & { readonly mainFrame: number; readonly qualities: readonly number[] }> {
  const hasher = await imageHasher()
  const merger = createFrameMerger(purpose)
  let blockhash: string | undefined
  const qualities: number[] = []
  let mainFrame = 0
  let count = 0
  for await (const { pixels, aspect = pixels.width / pixels.height, isWindow = false, isSamePicture } of frames) {
    const extent = merger.extentOf(isWindow)
    const found = hasher.hash(pixels, purpose, aspect, extent)
    merger.add(found, extent, isSamePicture)
    if (!isWindow) qualities.push(found.quality)
    if (extent === 'all' && (count === 0 || merger.hasMain)) {
      blockhash = found.blockTotals === undefined ? undefined : formatHash(blockhashOf(found.blockTotals, pixels))
      mainFrame = count
    }
    count++
  }
  const merged = merger.result()
  if (merged === undefined) throw new RangeError('there is no frame')
  const { quality, isSimple, isForm, isObject } = merged
  const signals = given(merged.signals)
  if (blockhash !== undefined) signals.push({ type: 'blockhash', view: 'whole', quality, hash: blockhash })
  return {
    signals,
    mainFrame,
    qualities,
    ...(isSimple && { isSimple }),
    ...(isForm && { isForm }),
    ...(isObject && { isObject }),
  }
}

function given(signals: readonly ImageSignal[]): GivenSignal[] {
  return signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
    hash === undefined ? [] : [{ type, view, quality, hash: formatHash(hash) }],
  )
}

export interface HashVideoOptions extends Pick<HashImageOptions, 'purpose'> {
  /** Of the whole video, at most `MAX_VIDEO_MS`. If left out, it ends with its last frame. */
  readonly durationMs?: number
}

/** A frame of a video. */
export interface VideoPicture extends Pick<HashImageOptions, 'aspect'> {
  /** Milliseconds since the video's start. */
  readonly atMs: number
  /** As for `hashImage`; grey is enough. */
  readonly pixels: Pixels
  /**
   * Gives what is shown halfway between this frame and the one before, `REGISTERED_INTERVAL_MS` earlier, of the same `aspect`. It is called for
   * registrations, and only where the two differ much: then more stills of the video are found. Nothing else depends on it.
   */
  readonly between?: () => Pixels | undefined | Promise<Pixels | undefined>
}

/** A video in the form of the API, for `POST /v1/match` and `POST /v1/cases/{caseNumber}/hashes`. */
export interface HashedVideo {
  readonly durationMs: number
  /** `isForm` for a query, as `hashImage` gives it: send it with the frame. */
  readonly frames: { readonly atMs: number; readonly signals: GivenSignal[]; readonly isForm?: true }[]
  /** Share of the duration, 0…1, in which every frame has enough structure to be found. */
  readonly protectedShare: number
  /** Set if a long video had too many signals, so that fewer frames or views were chosen. To find more, hash it in parts. */
  readonly isThinned?: true
}

/**
 * Hashes a video by some of its frames, each like a picture. The same frames give the same hashes as in the service, which registers with `between`.
 *
 * @param frames what is shown at 0, 250, 500 … milliseconds (`FRAME_INTERVAL_MS`), by ascending time. Repeat a frame that is shown for longer. Frames
 *   in between are ignored, but for those of `between`. The next one is requested once the previous one is hashed, so a generator can reuse its buffer.
 * @returns at most 10,000 signals to register, about 1,000 a minute; at most 8,000 to query, about 2,400 a minute. `frames` is empty if there is no
 *   frame with enough structure: then the video can be neither registered nor found.
 * @throws {RangeError} when a time or the duration is not a number or beyond `MAX_VIDEO_MS`; as `hashImage`.
 * Cost: 1.5 to 2.5 s of one core for a minute. Memory: at most 20 MB besides the frame.
 */
export async function hashVideo(
  frames: AsyncIterable<VideoPicture> | Iterable<VideoPicture>,
  { purpose = 'query', durationMs }: HashVideoOptions = {},
): Promise<HashedVideo> {
  if (durationMs !== undefined) checkDuration(durationMs)
  const hasher = createVideoHasher(await imageHasher(), purpose)
  for await (const { atMs, pixels, aspect, between } of frames) {
    hasher.add(atMs, pixels, aspect)
    const halfway = hasher.betweenMs === undefined ? undefined : await between?.()
    if (halfway !== undefined) hasher.addBetween(halfway, aspect)
  }
  const video = hasher.result(durationMs ?? Math.min(hasher.nextMs, MAX_VIDEO_MS))
  return { ...video, frames: video.frames.map((frame) => ({ ...frame, signals: given(frame.signals) })) }
}

const imageHasher = loadedOnce(loadImageHasher)

/**
 * Computes the details of a picture in the form of the API: for an image of `POST /v1/cases/{caseNumber}/hashes`, or a query of
 * `POST /v1/match`. Details reveal more of the picture than hashes do.
 *
 * @param pixels as for `hashImage`, but in the original proportions: reduce large pictures to about 1,400 pixels on the longer side.
 * @returns base64: at most 9 kB to register, 250 kB to query.
 * @throws as `hashImage`.
 * Cost: about 100 ms of one core.
 */
export async function detailsOf(
  pixels: Pixels,
  { purpose = 'query' }: Pick<HashImageOptions, 'purpose'> = {},
): Promise<string> {
  const details = await detailsFinder()
  return base64(purpose === 'register' ? writeRegistered(details.register(pixels)) : writeAsked(details.ask(pixels)))
}

const detailsFinder = loadedOnce(async () => detailsWith(await loadDetailsKernel(), await loadFrameKernel()))

/** Loads on first use, once. After a failure, the next use tries again: there may be enough memory then. */
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

/** All JavaScript engines accept this number of arguments to a function. */
const BYTES_AT_ONCE = 8192

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE)
    text += String.fromCharCode(...bytes.subarray(at, at + BYTES_AT_ONCE))
  return btoa(text)
}
