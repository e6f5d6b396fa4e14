// Opens files with ImageDecoder of WebCodecs, where the browser has it: animations frame by frame, and JPEG at a part of its size.

import { chooseFrames, shownMs } from '../../packages/hash/src/file-frames.js'
import { type LookedFrame, lengthOf, lookedFrames } from '../../packages/hash/src/video/animation-frames.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import { declaredDurations } from './containers.js'
import { drawnSource } from './drawn.js'
import { jpegDivisor } from './grouping.js'
import { type Opened, openedPicture, type ShownMoment } from './opened.js'
import type { Sides, Source } from './source.js'

export function hasImageDecoder(): boolean {
  return typeof ImageDecoder !== 'undefined'
}

/** Maximum number of pixels decoded to find the frames that can be hashed. That is 2,000 frames of a sticker. Later ones cost too much to reach. */
const MAX_LOOKED_PIXELS = 500_000_000
const MAX_LISTED_FRAMES = 20_000
/** Maximum number of pixels decoded of the frames that are looked at as in a video. */
const MAX_MOMENT_PIXELS = 250_000_000

interface AnimatedFile {
  readonly file: Blob
  readonly format: MediaFormat
  readonly type: string
}

/**
 * @param orientation by which each frame has to be turned, as EXIF numbers them.
 * @returns the frames that represent an animation, the one shown longest first; `undefined` where the browser reads no frames of it.
 */
export async function openAnimation({ file, format, type }: AnimatedFile, orientation: number): Promise<Opened | undefined> {
  const data = await file.arrayBuffer()
  const decoder = await decoderOf({ type, data, preferAnimation: true })
  if (decoder === undefined) return undefined
  const { durationsMs, pixelsOfFrame, frames: count } = await durationsIn(decoder)
  const chosen = chooseFrames(durationsMs)
  if (chosen.length === 0) {
    decoder.close()
    return undefined
  }
  let last: Source | undefined
  const shown = async (frameIndex: number): Promise<Source> => {
    last?.close()
    const { image } = await decoder.decode({ frameIndex })
    last = drawnSource(await bitmapOf(image), { hasAlpha: true, orientation, isDecodedWhole: true })
    return last
  }
  async function* frames(looked: readonly LookedFrame[]): AsyncGenerator<ShownMoment> {
    for (const { index, timesMs, between } of looked)
      yield {
        timesMs,
        source: () => shown(index),
        between: async () => (between === undefined ? undefined : shown(between)),
      }
  }
  const looked = lookedFrames(durationsMs, (some) => some.length * pixelsOfFrame <= MAX_MOMENT_PIXELS)
  const further = furtherDurations(new Uint8Array(data), format, { from: durationsMs.length, to: count })
  return {
    count: chosen.length,
    source: (index) => shown(chosen[index] ?? 0),
    animation: {
      length: lengthOf([...durationsMs, ...further], looked),
      shownMs: chosen.map((index) => durationsMs[index] ?? 0),
      moments: () => frames(looked),
    },
    close() {
      last?.close()
      decoder.close()
    },
  }
}

/** How long frames are shown that are too many to decode. */
function furtherDurations(bytes: Uint8Array, format: MediaFormat, { from, to }: { from: number; to: number }): number[] {
  const durationsMs: number[] = []
  try {
    let index = 0
    if (from < to)
      for (const durationMs of declaredDurations(bytes, format)) {
        if (index >= from) durationsMs.push(durationMs)
        if (++index >= to) break
      }
    return durationsMs
  } finally {
    bytes.fill(0)
  }
}

/** Stops at the first frame that cannot be decoded: viewers show the frames before it. @returns also how many frames are shown in all. */
async function durationsIn(decoder: ImageDecoder) {
  const durationsMs: number[] = []
  let pixelsOfFrame = 0
  const frames = decoder.tracks.selectedTrack?.frameCount ?? 0
  const listed = Math.min(frames, MAX_LISTED_FRAMES)
  for (let pixels = 0; durationsMs.length < listed && pixels < MAX_LOOKED_PIXELS; ) {
    const decoded = await decoder.decode({ frameIndex: durationsMs.length }).catch(() => undefined)
    if (decoded === undefined) return { durationsMs, pixelsOfFrame, frames: durationsMs.length }
    const { image } = decoded
    durationsMs.push(shownMs((image.duration ?? 0) / 1000))
    pixelsOfFrame = image.codedWidth * image.codedHeight
    pixels += pixelsOfFrame
    image.close()
  }
  return { durationsMs, pixelsOfFrame, frames }
}

/**
 * Opens a JPEG that the service's decoder reduces to an eighth, a quarter or half. The browser decodes it to the same size, for each size that is
 * asked for, so the pixels are the same where both use libjpeg. 200 megapixels take 0.2 s and 13 MB, instead of 1.4 s and 800 MB.
 *
 * @param stored its sides in the file. @param orientation as EXIF numbers it. The browser has turned what it gives.
 * @param size to which it is reduced first.
 * @returns `undefined` where the browser cannot.
 */
export async function openReduced(file: Blob, stored: Sides, orientation: number, size: Sides): Promise<Opened | undefined> {
  let last = await decodedBy(jpegDivisor(stored, size))
  if (last === undefined) return undefined
  const { source } = last
  return openedPicture({ ...source, decodedTo }, () => last?.source.close())

  async function decodedTo(wanted: Sides): Promise<Source> {
    const groupPx = jpegDivisor(source.full, wanted)
    if (last?.groupPx !== groupPx) {
      last?.source.close()
      last = await decodedBy(groupPx)
    }
    if (last === undefined) throw new RangeError('there is no memory for the picture at this size')
    return last.source
  }

  async function decodedBy(groupPx: number) {
    const bitmap = await reducedBitmap(file, stored, groupPx)
    if (bitmap === undefined) return undefined
    const full = asShown(stored, bitmap)
    // A browser may decode the whole picture all the same.
    const isReduced = groupPx > 1 && bitmap.width === Math.ceil(full.width / groupPx)
    // Where the browser did not turn the picture as EXIF says, what it shows counts as stored.
    const isAsSaid = stored.width === stored.height || orientation > 4 === (full.width !== stored.width)
    const own = isAsSaid ? { sides: stored, orientation } : { sides: full, orientation: 1 }
    const reduced = isReduced ? ({ kept: keptOf(own.sides, groupPx), isDecodedWhole: true } as const) : {}
    const source = drawnSource(bitmap, { hasAlpha: false, orientation: own.orientation, isTurned: true, ...reduced })
    return { groupPx, source: { ...source, full } }
  }
}

/** libjpeg rounds up, and libvips down. */
function keptOf({ width, height }: Sides, groupPx: number): Sides {
  return { width: Math.floor(width / groupPx), height: Math.floor(height / groupPx) }
}

/** The sides of the file, exchanged if the browser has turned the picture. */
function asShown({ width, height }: Sides, decoded: Sides): Sides {
  const ratio = Math.log(decoded.width / decoded.height)
  const isTurned = Math.abs(ratio + Math.log(width / height)) < Math.abs(ratio - Math.log(width / height))
  return isTurned ? { width: height, height: width } : { width, height }
}

async function reducedBitmap(file: Blob, { width, height }: Sides, groupPx: number): Promise<ImageBitmap | undefined> {
  const [desiredWidth, desiredHeight] = [Math.ceil(width / groupPx), Math.ceil(height / groupPx)]
  const decoder = await decoderOf({ type: 'image/jpeg', data: await file.arrayBuffer(), desiredWidth, desiredHeight })
  const decoded = await decoder?.decode().catch(() => undefined)
  decoder?.close()
  return decoded === undefined ? undefined : bitmapOf(decoded.image)
}

/** A frame would be converted as a whole each time that a strip of it is drawn. */
async function bitmapOf(frame: VideoFrame): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(frame)
  } finally {
    frame.close()
  }
}

async function decoderOf(init: ImageDecoderInit): Promise<ImageDecoder | undefined> {
  if (!hasImageDecoder() || !(await ImageDecoder.isTypeSupported(init.type))) return undefined
  const decoder = new ImageDecoder(init)
  try {
    await Promise.all([decoder.completed, decoder.tracks.ready])
    return decoder
  } catch {
    decoder.close()
    return undefined
  }
}
