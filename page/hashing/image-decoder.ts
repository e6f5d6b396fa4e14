// Opens files with ImageDecoder of WebCodecs, where the browser has it: animations frame by frame, and JPEG at a part of its size.

import { chooseFrames, shownMs } from '../../packages/hash/src/file-frames.js'
import { drawnSource } from './drawn.js'
import { type Opened, openedPicture } from './opened.js'
import type { Sides, Source } from './source.js'

export function hasImageDecoder(): boolean {
  return typeof ImageDecoder !== 'undefined'
}

/** Frames are looked through up to so many pixels, to learn how long each is shown. That is 2,000 frames of a sticker. */
const MAX_LOOKED_PIXELS = 500_000_000
const MAX_LOOKED_FRAMES = 20_000

/**
 * @param orientation by which each frame has to be turned, as EXIF numbers them.
 * @returns the frames that represent an animation, the one shown longest first; `undefined` where the browser reads no frames of it.
 */
export async function openAnimation(file: Blob, type: string, orientation: number): Promise<Opened | undefined> {
  const decoder = await decoderOf({ type, data: await file.arrayBuffer(), preferAnimation: true })
  if (decoder === undefined) return undefined
  const durationsMs = await durationsIn(decoder)
  const chosen = chooseFrames(durationsMs)
  if (chosen.length === 0) {
    decoder.close()
    return undefined
  }
  let last: Source | undefined
  return {
    count: chosen.length,
    async source(index) {
      last?.close()
      const { image } = await decoder.decode({ frameIndex: chosen[index] ?? 0 })
      last = drawnSource(await bitmapOf(image), { hasAlpha: true, orientation, isDecodedWhole: true })
      return last
    },
    close() {
      last?.close()
      decoder.close()
    },
  }
}

/** Stops at the first frame that cannot be decoded: those before it are shown. */
async function durationsIn(decoder: ImageDecoder): Promise<number[]> {
  const durationsMs: number[] = []
  const frames = Math.min(decoder.tracks.selectedTrack?.frameCount ?? 0, MAX_LOOKED_FRAMES)
  for (let pixels = 0; durationsMs.length < frames && pixels < MAX_LOOKED_PIXELS; ) {
    const decoded = await decoder.decode({ frameIndex: durationsMs.length }).catch(() => undefined)
    if (decoded === undefined) break
    const { image } = decoded
    durationsMs.push(shownMs((image.duration ?? 0) / 1000))
    pixels += image.codedWidth * image.codedHeight
    image.close()
  }
  return durationsMs
}

/**
 * Decodes a large JPEG at an eighth, a quarter or half of its size, as the service's workers do. 200 megapixels take 0.2 s and 13 MB so, in place
 * of 1.4 s and 800 MB.
 * @param size least size that is needed.
 * @returns `undefined` where the browser cannot.
 */
export async function openReduced(file: Blob, full: Sides, size: Sides): Promise<Opened | undefined> {
  const eighths = [1, 2, 4, 8].find((n) => (full.width * n) / 8 >= size.width && (full.height * n) / 8 >= size.height)
  if (eighths === undefined) return undefined
  const [desiredWidth, desiredHeight] = [full.width, full.height].map((px) => Math.ceil((px * eighths) / 8))
  if (desiredWidth === undefined || desiredHeight === undefined) return undefined
  const data = await file.arrayBuffer()
  const decoder = await decoderOf({ type: 'image/jpeg', data, desiredWidth, desiredHeight })
  const decoded = await decoder?.decode().catch(() => undefined)
  decoder?.close()
  if (decoded === undefined) return undefined
  const bitmap = await bitmapOf(decoded.image)
  const shown = asShown(full, bitmap)
  return openedPicture(drawnSource(bitmap, { hasAlpha: false, isDecodedWhole: true, full: shown }))
}

/** The sides of the file, in the order in which the browser has turned the picture. */
function asShown({ width, height }: Sides, decoded: Sides): Sides {
  const ratio = Math.log(decoded.width / decoded.height)
  const isTurned = Math.abs(ratio + Math.log(width / height)) < Math.abs(ratio - Math.log(width / height))
  return isTurned ? { width: height, height: width } : { width, height }
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
