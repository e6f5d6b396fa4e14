// From a file to hashes, on the device. Runs in a worker that may not connect to anything.

import { SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { MIN_USABLE_QUALITY } from '../../packages/hash/src/file-frames.js'
import { detailsOf, type FilePicture, hashFrames, hashVideo, type VideoPicture } from '../../packages/hash/src/hash-image.js'
import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import { protectedShareOf } from '../../packages/hash/src/video/animation-frames.js'
import { isOutOfMemory } from '../../packages/hash/src/wasm.js'
import { isLong } from '../../packages/hash/src/windows.js'
import { formatOf } from '../../src/domain/media/media-formats.js'
import { hasClip } from '../../src/domain/media/motion-clip.js'
import { type PackedFile, unpacked } from '../unpacking/packed-file.js'
import { picturesAt } from '../video/pictures-at.js'
import { cannotOpen, headOf } from './cannot-open.js'
import { HEAD_BYTES } from './file-head.js'
import type { ChosenFile, Opened, OpenedAnimation, Opener, ShownMoment } from './opened.js'
import { type FileSignal, type Hashed, notAPicture, type Outcome, rejected } from './outcome.js'
import { windowsIn } from './parts-of-long.js'
import { type Background, isTransparent, pixelsOf, type Source } from './source.js'

/** `details`: hashes, and local features for extended protection. */
export type Wanted = 'hashes' | 'details'

/** Small devices have no memory for a larger file and its pixels. */
const MAX_BYTES = 100 << 20

/**
 * Opens a file, hashes each picture in it as it is shown, as the service's workers would, and overwrites all pixels.
 *
 * Memory: one decoded picture in the browser, and one strip of it here.
 * @returns an outcome for each failure, too. Never throws.
 */
export async function hashFile(picked: Blob | PackedFile, wanted: Wanted, open: Opener): Promise<Outcome> {
  const head = await headOf(picked, HEAD_BYTES)
  if (head === undefined) return rejected('unreadable')
  const format = formatOf(head)
  if (format === undefined) return notAPicture(head)
  if (picked.size > MAX_BYTES) return rejected('too-many-pixels')
  const file = await unpacked(picked).catch(() => undefined)
  if (file === undefined) return rejected('damaged')
  const chosen: ChosenFile = { file, head, format }
  let opened: Opened | undefined
  try {
    const found = await open(chosen)
    if ('kind' in found) return found
    opened = found
    return await hashed(chosen, opened, wanted)
  } catch (error) {
    return isOutOfMemory(error) ? rejected('no-memory') : cannotOpen(format, 'browser')
  } finally {
    opened?.close()
  }
}

async function hashed({ file, format }: ChosenFile, opened: Opened, wanted: Wanted): Promise<Outcome> {
  const frames: HashedFrame[] = []
  const { signals, isSimple, mainFrame, qualities } = await hashFrames(pictures(), { purpose: 'register' })
  const quality = signals[0]?.quality ?? 0
  if (quality < SIGNAL_TYPES.pdq.minQuality) return rejected('too-plain')
  if (isSimple === true) return rejected('too-simple')
  const main = frames[mainFrame]
  const animation = opened.animation && (await animationIn(opened.animation))
  const details = wanted === 'details' && main !== undefined ? await detailsIn(main) : undefined
  return {
    kind: 'hashed',
    quality,
    signals: [...signals, ...(await sha256(file))],
    ...animation,
    ...(details !== undefined && { details }),
    ...((await read(file, (bytes) => hasClip(bytes, format))) && { hasClip: true as const }),
  }

  /** Each picture once per background, recorded in `frames` in this order; then windows of a long picture, which are never the main frame. */
  async function* pictures(): AsyncGenerator<FilePicture> {
    let isFirstLong = false
    for (let index = 0; index < opened.count; index++) {
      const source = await opened.source(index)
      if (source === undefined) continue
      if (index === 0) isFirstLong = isLong(aspectOf(source))
      for (const [k, background] of backgroundsOf(source).entries()) {
        frames.push({ index, background })
        const pixels = await pixelsOf(source, format, hashedSize, background)
        try {
          yield { pixels, aspect: aspectOf(source), isSamePicture: k > 0 }
        } finally {
          pixels.data.fill(0)
        }
      }
    }
    const first = isFirstLong ? await opened.source(0) : undefined
    if (first !== undefined) yield* windowsIn(first, format)
  }

  /** What the service registers of an animation as of a video, if it has several different frames; and the share that is found, if it is a part. */
  async function animationIn({
    length,
    shownMs,
    moments,
  }: OpenedAnimation): Promise<Pick<Hashed, 'animation' | 'protectedShare'>> {
    const film =
      length.lookedMs === undefined
        ? undefined
        : await hashVideo(momentsOf(moments(), format), { purpose: 'register', durationMs: length.lookedMs })
    const isFound = (picture: number) =>
      frames.some(({ index }, k) => index === picture && (qualities[k] ?? 0) >= MIN_USABLE_QUALITY.register)
    const picturesMs = shownMs.reduce((sum, ms, picture) => sum + (isFound(picture) ? ms : 0), 0)
    const protectedShare = protectedShareOf(film, length, picturesMs)
    if (film !== undefined && film.frames.length >= 2)
      return { animation: { durationMs: film.durationMs, frames: film.frames }, protectedShare }
    return protectedShare === 1 ? {} : { protectedShare }
  }

  /** Reads the picture again, because details are computed at another size than hashes. */
  async function detailsIn({ index, background }: HashedFrame): Promise<string | undefined> {
    const source = await opened.source(index)
    if (source === undefined) return undefined
    const pixels = await pixelsOf(source, format, detailedSize, background)
    try {
      return await detailsOf(pixels, { purpose: 'register' })
    } finally {
      pixels.data.fill(0)
    }
  }
}

async function* momentsOf(moments: AsyncIterable<ShownMoment>, format: ChosenFile['format']): AsyncGenerator<VideoPicture> {
  for await (const { timesMs, source, between } of moments) {
    const shown = await source()
    if (shown === undefined) continue
    const picture = { pixels: await pixelsOf(shown, format, hashedSize, 'white'), aspect: aspectOf(shown) }
    yield* picturesAt(timesMs, picture, async () => {
      const before = await between()
      return before && (await pixelsOf(before, format, hashedSize, 'white'))
    })
  }
}

function aspectOf({ full, width, height }: Source): number {
  return full === undefined ? width / height : full.width / full.height
}

interface HashedFrame {
  readonly index: number
  readonly background: Background
}

/** Some apps show transparent pictures on white, others on black. */
function backgroundsOf(source: Source): readonly Background[] {
  return isTransparent(source) ? ['white', 'black'] : ['white']
}

/** Empty if the page was loaded without TLS: browsers then have no `crypto.subtle`. */
export async function sha256(file: Blob): Promise<FileSignal[]> {
  if (!isSecureContext) return []
  const digest = new Uint8Array(await read(file, (bytes) => crypto.subtle.digest('SHA-256', bytes)))
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [{ type: 'sha256', view: 'whole', quality: 100, hash }]
}

/** Passes the bytes of the whole file to `use`, and overwrites them. */
async function read<T>(file: Blob, use: (bytes: Uint8Array<ArrayBuffer>) => T | Promise<T>): Promise<T> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  try {
    return await use(bytes)
  } finally {
    bytes.fill(0)
  }
}
