// Opens a file with what the browser can decode by itself.

import { hashedSize } from '../../packages/hash/src/reduced-side.js'
import { MAX_JPEG_PIXELS } from '../../src/domain/media/decoding-limits.js'
import { MEDIA_FORMATS, type MediaFormat } from '../../src/domain/media/media-formats.js'
import { cannotOpen } from './cannot-open.js'
import { isAnimated, mayBeAnimated, orientationOfWebp } from './containers.js'
import { drawnSource, readsBackExactly } from './drawn.js'
import { isCmykDecodedWhole, sidesOf, withoutCmykProfile } from './file-head.js'
import { jpegDivisor } from './grouping.js'
import { hasImageDecoder, openAnimation, openReduced } from './image-decoder.js'
import { type ChosenFile, type Opened, openedPicture } from './opened.js'
import { type Outcome, rejected } from './outcome.js'
import { isTooLarge, type Sides } from './source.js'

/** Above this, browsers may have no memory for a picture. */
const LARGE_PIXELS = 16_000_000

/**
 * Opens a file as viewers show it: oriented as its EXIF says, in sRGB.
 * @returns an outcome where the file has to be refused or sent to the service. @throws as `Opener`.
 */
export async function openInBrowser(given: ChosenFile): Promise<Opened | Outcome> {
  const chosen = given.format === 'jpeg' ? await withoutCmykProfile(given) : given
  const { head, format } = chosen
  if (typeof OffscreenCanvas === 'undefined') return cannotOpen(format, 'browser')
  if (!readsBackExactly()) return cannotOpen(format, 'altered')
  const sides = sidesOf(head)
  if (sides !== undefined && (format === 'jpeg' ? isTooLargeJpeg(sides) : isTooLarge(sides)))
    return rejected('too-many-pixels')
  if (format === 'jpeg') return openJpeg(chosen, sides)
  return mayBeAnimated(format) ? openMaybeAnimated(chosen, sides) : openStill(chosen, sides)
}

function isTooLargeJpeg({ width, height }: Sides): boolean {
  return width * height > MAX_JPEG_PIXELS
}

async function openJpeg(chosen: ChosenFile, stored: ReturnType<typeof sidesOf>): Promise<Opened | Outcome> {
  if (stored === undefined) return openStill(chosen, stored)
  const { orientation = 1 } = stored
  const size = hashedSize(stored)
  const isLarge = stored.width * stored.height > LARGE_PIXELS
  const isWhole = isCmykDecodedWhole(chosen.head, stored)
  if (!isWhole && (isLarge || jpegDivisor(stored, size) > 1)) {
    const opened = await openReduced(chosen.file, stored, orientation, size)
    if (opened !== undefined) return opened
  }
  if (!isTooLarge(stored)) return openStill(chosen, stored, orientation, isWhole)
  return (await hasEnd(chosen.file)) ? rejected('no-memory', chosen.format) : rejected('damaged')
}

/** Whether a JPEG has its end marker. The service refuses those without it, too. */
async function hasEnd(file: Blob): Promise<boolean> {
  const tail = new Uint8Array(await file.slice(-TAIL_BYTES).arrayBuffer())
  return tail.some((byte, at) => byte === 0xff && tail[at + 1] === END_OF_IMAGE)
}

/** Where the marker is looked for: some cameras write data after the picture. */
const TAIL_BYTES = 64 * 1024
const END_OF_IMAGE = 0xd9

async function openMaybeAnimated(chosen: ChosenFile, sides: Sides | undefined): Promise<Opened | Outcome> {
  const { file, format } = chosen
  const bytes = new Uint8Array(await file.arrayBuffer())
  const orientation = format === 'webp' ? orientationOfWebp(bytes) : 1
  const hasSeveralFrames = isAnimated(bytes, format)
  bytes.fill(0)
  if (!hasSeveralFrames) return openStill(chosen, sides, orientation)
  if (format === 'jxl') return cannotOpen(format, 'format') // worker-jxl.ts opens it: that decoder tells how long each frame is shown
  if (!hasImageDecoder()) return cannotOpen(format, 'animated')
  const opened = await openAnimation({ file, format, type: MEDIA_FORMATS[format].mimeType }, orientation)
  return opened ?? openStill(chosen, sides, orientation)
}

async function openStill(
  { file, format }: ChosenFile,
  sides: Sides | undefined,
  orientation = 1,
  isDecodedWhole = false,
): Promise<Opened | Outcome> {
  const bitmap = await bitmapOf(file)
  if (bitmap === undefined) return undecodable(format, sides)
  // Some browsers apply a WebP's EXIF orientation by themselves: then width and height are exchanged.
  const isTurned = orientation > 4 && sides !== undefined && sides.width !== sides.height && bitmap.width === sides.height
  const isJpeg = format === 'jpeg'
  const source = drawnSource(bitmap, {
    hasAlpha: !isJpeg,
    orientation,
    isTurned: isJpeg || isTurned,
    ...(isDecodedWhole && { isDecodedWhole }),
  })
  if (!isTooLarge(source)) return openedPicture(source)
  source.close()
  return rejected('too-many-pixels')
}

async function bitmapOf(file: Blob): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return undefined
  }
}

/** Browsers report the same error for a damaged picture, for lack of memory, and for an unknown format. */
function undecodable(format: MediaFormat, sides: Sides | undefined): Outcome {
  if (!MEDIA_FORMATS[format].isOpenedByAll) return cannotOpen(format, 'format')
  return sides !== undefined && sides.width * sides.height > LARGE_PIXELS
    ? rejected('no-memory', format)
    : rejected('damaged')
}
