// One picture of a file. Gives its rows as a viewer shows them. Either the browser draws it, or a decoder of ours has decoded it.
import { MAX_PIXELS, MAX_SIDE_PX, type Pixels } from '../../packages/hash/src/pixels.js'
import { FULL_RESOLUTION_PIXELS } from '../../packages/hash/src/reduced-side.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'
import { decodedSize } from './grouping.js'
import { reduced, turned } from './reduce.js'

export interface Sides {
  readonly width: number
  readonly height: number
}

/** What shows through where a picture is transparent. */
export type Background = 'white' | 'black'

/** Gives `count` rows from row `top` as RGBA. Alpha counts only where no background was asked for. The receiver overwrites them. */
export type RowsAt = (top: number, count: number) => Uint8ClampedArray

export interface Source extends Sides {
  /**
   * @param stripRows how many rows are asked for at a time, at most.
   * @param background `undefined` to see alpha.
   * @throws {RangeError} when there is no memory for a canvas.
   */
  read<T>(stripRows: number, background: Background | undefined, use: (rowsAt: RowsAt) => T): T
  /** Whether it can be transparent. If not, rows need not be read to find out. */
  readonly hasAlpha: boolean
  /** Whether the service's decoder decodes such a picture at full size, whatever the format of the file. */
  readonly isDecodedWhole?: true
  /** The size of the whole picture, if it was decoded at a reduced size. */
  readonly full?: Sides
  /** The picture as stored, if it is turned to be shown. The service reduces it before it turns it. */
  readonly stored?: { readonly source: Source; readonly orientation: number }
  /** The picture as the service's decoder gives it to be reduced to this size. Open until the next call, or until the file is closed. */
  decodedTo?(size: Sides): Promise<Source>
  /** Colours as read become sRGB. Absent where rows are in sRGB. @returns `pixels`, or others after `pixels` were overwritten. */
  inSrgb?(pixels: Pixels): Promise<Pixels>
  close(): void
}

/** The height at which a strip of the widest picture stays under 17 MB. */
const STRIP_ROWS = 64

/**
 * @param format of the file: formats are reduced in different ways.
 * @returns pixels in sRGB, of the size that `sizeFor` says if the picture is large. The caller overwrites them.
 * @throws {RangeError} when there is no memory for a canvas.
 */
export async function pixelsOf(
  source: Source,
  format: MediaFormat,
  sizeFor: (full: Sides) => Sides,
  background: Background,
): Promise<Pixels> {
  const { width, height, full = source } = source
  const isSmall = full.width * full.height <= FULL_RESOLUTION_PIXELS
  const pixels: Pixels = isSmall
    ? source.read(height, background, (rowsAt) => ({ data: rowsAt(0, height), width, height, channels: 4 }))
    : reducedOf((await source.decodedTo?.(sizeFor(full))) ?? source, format, sizeFor(full), background)
  return source.inSrgb === undefined ? pixels : await source.inSrgb(pixels)
}

function reducedOf({ stored, ...shown }: Source, format: MediaFormat, size: Sides, background: Background): Pixels {
  if (stored !== undefined) {
    const { source, orientation } = stored
    const turnedSize = orientation > 4 ? { width: size.height, height: size.width } : size
    return turned(reducedOf(source, format, turnedSize, background), orientation)
  }
  const source = shown
  const decoded = decodedSize(source.isDecodedWhole ? 'png' : format, source, size)
  return source.read(STRIP_ROWS, background, (rowsAt) => reduced(source, decoded, size, STRIP_ROWS, rowsAt))
}

/** Whether any pixel is not opaque. Reads rows until it finds one. */
export function isTransparent(source: Source): boolean {
  if (!source.hasAlpha) return false
  return source.read(STRIP_ROWS, undefined, (rowsAt) => {
    for (let top = 0; top < source.height; top += STRIP_ROWS) {
      const rows = rowsAt(top, Math.min(STRIP_ROWS, source.height - top))
      const isFound = hasTransparentPixel(rows)
      rows.fill(0)
      if (isFound) return true
    }
    return false
  })
}

function hasTransparentPixel(rows: Uint8ClampedArray): boolean {
  for (let alpha = 3; alpha < rows.length; alpha += 4) if (rows[alpha] !== 255) return true
  return false
}

export function isTooLarge({ width, height }: Sides): boolean {
  return width * height > MAX_PIXELS || Math.max(width, height) > MAX_SIDE_PX
}
