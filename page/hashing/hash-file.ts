// From a file to hashes, on the device. Runs in a worker that may not connect to anything.
import { detailedSize } from '../../packages/hash/src/details/detailed-size.js'
import { detailsOf, hashImage } from '../../packages/hash/src/hash-image.js'
import { MAX_PIXELS, MAX_SIDE_PX, type Pixels } from '../../packages/hash/src/pixels.js'
import { FULL_RESOLUTION_PIXELS, hashedSize } from '../../packages/hash/src/reduced-side.js'
import { isOutOfMemory } from '../../packages/hash/src/wasm.js'
import { SIGNAL_TYPES } from '../../src/domain/matching/signal-types.js'
import { formatOf, MEDIA_FORMATS, type MediaFormat } from '../../src/domain/media/media-formats.js'
import { HEAD_BYTES, sidesOf } from './file-head.js'
import { groupingsFor } from './grouping.js'
import { type FileSignal, type Outcome, refused } from './outcome.js'
import { reduced } from './reduce.js'
import { headOf, unopenedAs } from './unopened.js'

/**
 * Decodes a picture as it is shown, hashes it as the service's workers would, and overwrites its pixels.
 *
 * Memory: the decoded picture in the browser's hands, and one strip of it here.
 * Never fails: whatever goes wrong is an outcome.
 */
export async function hashFile(file: Blob, wanted: Wanted): Promise<Outcome> {
  const head = await headOf(file, HEAD_BYTES)
  if (head === undefined) return refused('unreadable')
  const format = formatOf(head)
  if (format === undefined) return refused('not-a-picture')
  const sides = sidesOf(head)
  if (file.size > MAX_BYTES || (sides !== undefined && isTooLarge(sides))) return refused('too-many-pixels')
  if (typeof OffscreenCanvas === 'undefined') return unopenedAs(format, 'browser')
  if (!readsBackExactly()) return unopenedAs(format, 'altered')

  const bitmap = await decoded(file)
  if (bitmap === undefined) return undecodable(format, sides)
  try {
    return isTooLarge(bitmap) ? refused('too-many-pixels') : await hashed({ file, format, bitmap }, wanted)
  } catch (error) {
    return isOutOfMemory(error) ? refused('no-memory') : unopenedAs(format, 'browser')
  } finally {
    bitmap.close()
  }
}

/** details: as well as hashes. */
export type Wanted = 'hashes' | 'details'

/** A file beyond this could not be held beside its pixels on a small device. */
const MAX_BYTES = 100 << 20

interface Sides {
  readonly width: number
  readonly height: number
}

function isTooLarge({ width, height }: Sides): boolean {
  return width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE_PX
}

/** Turned as its EXIF says, in sRGB. */
async function decoded(file: Blob): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return undefined
  }
}

/** Browsers say the same of a damaged picture, of one for which there is no memory, and of one that they do not know. */
function undecodable(format: MediaFormat, sides: Sides | undefined): Outcome {
  if (!MEDIA_FORMATS[format].isOpenedByAll) return unopenedAs(format, 'format')
  return refused(sides !== undefined && sides.width * sides.height > LARGE_PIXELS ? 'no-memory' : 'damaged')
}

const LARGE_PIXELS = 16_000_000

interface Decoded {
  readonly file: Blob
  readonly format: MediaFormat
  readonly bitmap: ImageBitmap
}

async function hashed(picture: Decoded, wanted: Wanted): Promise<Outcome> {
  const { file, bitmap } = picture
  const pixels = pixelsOf(picture, hashedSize)
  try {
    const aspect = bitmap.width / bitmap.height
    const { signals, isSimple } = await hashImage(pixels, { purpose: 'register', aspect })
    const quality = signals[0]?.quality ?? 0
    if (quality < SIGNAL_TYPES.pdq.minQuality) return refused('too-plain')
    if (isSimple === true) return refused('too-simple')
    const details = wanted === 'details' ? { details: await detailsIn(picture) } : {}
    return { kind: 'hashed', quality, signals: [...signals, ...(await sha256(file))], ...details }
  } finally {
    pixels.data.fill(0)
  }
}

/** Read once more: details are found at another size than hashes. */
async function detailsIn(picture: Decoded): Promise<string> {
  const pixels = pixelsOf(picture, detailedSize)
  try {
    return await detailsOf(pixels, { purpose: 'register' })
  } finally {
    pixels.data.fill(0)
  }
}

/** @throws {RangeError} when there is no memory for a canvas. */
function pixelsOf({ format, bitmap }: Decoded, sizeFor: (full: Sides) => Sides): Pixels {
  const { width, height } = bitmap
  if (width * height <= FULL_RESOLUTION_PIXELS) {
    return withCanvas(bitmap, height, (rowsAt) => {
      const data = rowsAt(0, height)
      return { data, width, height, channels: 4 }
    })
  }
  const size = sizeFor(bitmap)
  const groupings = groupingsFor(format, bitmap, size)
  return withCanvas(bitmap, STRIP_ROWS, (rowsAt) => reduced(bitmap, size, groupings, STRIP_ROWS, rowsAt))
}

/** As tall as keeps a strip of the widest picture under 17 MB. */
const STRIP_ROWS = 64

type RowsAt = (top: number, count: number) => Uint8ClampedArray

function withCanvas(bitmap: ImageBitmap, rows: number, use: (rowsAt: RowsAt) => Pixels): Pixels {
  const canvas = new OffscreenCanvas(bitmap.width, rows)
  const context = canvas.getContext('2d', CANVAS_SETTINGS)
  if (context === null) throw new RangeError('there is no memory for a canvas')
  try {
    return use((top, count) => {
      context.fillStyle = '#fff' // under what is transparent
      context.fillRect(0, 0, bitmap.width, rows)
      context.drawImage(bitmap, 0, -top)
      return context.getImageData(0, 0, bitmap.width, count).data
    })
  } finally {
    context.clearRect(0, 0, bitmap.width, rows)
    canvas.width = 0
  }
}

/**
 * Browsers that guard against fingerprinting change what is read back from a canvas, each pixel or some of them. Hashes of such pixels
 * match nothing, and nobody would notice. Asked for each file, since it can be switched on for a page at any time.
 */
function readsBackExactly(): boolean {
  const canvas = new OffscreenCanvas(PROBE_SIDE_PX, PROBE_SIDE_PX)
  const context = canvas.getContext('2d', CANVAS_SETTINGS)
  if (context === null) return true // no memory: that is found out, and said, when the image is drawn
  const pattern = new ImageData(PROBE_SIDE_PX, PROBE_SIDE_PX)
  pattern.data.forEach((_, i) => {
    pattern.data[i] = i % 4 === 3 ? 255 : Math.imul(i + 1, 2_654_435_761) >>> 24
  })
  context.putImageData(pattern, 0, 0)
  const { data } = context.getImageData(0, 0, PROBE_SIDE_PX, PROBE_SIDE_PX)
  return pattern.data.every((value, i) => value === data[i])
}

const PROBE_SIDE_PX = 64
const CANVAS_SETTINGS = { alpha: false, colorSpace: 'srgb', willReadFrequently: true } as const

/** None where the page came without TLS from elsewhere: browsers then withhold what computes it. */
async function sha256(file: Blob): Promise<FileSignal[]> {
  if (!isSecureContext) return []
  const bytes = new Uint8Array(await file.arrayBuffer())
  try {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return [{ type: 'sha256', view: 'whole', quality: 100, hash }]
  } finally {
    bytes.fill(0)
  }
}
