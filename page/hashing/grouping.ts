// How the service's workers begin to make a picture small, which depends on its format: here, so that the device can do the same.
import type { Pixels } from '../../packages/hash/src/pixels.js'
import type { MediaFormat } from '../../src/domain/media/media-formats.js'

type Size = Pick<Pixels, 'width' | 'height'>

/** So many neighbours become their mean before they are reduced further; `areas`: each new pixel is the mean of its area, and that is all. */
export type Grouping = number | 'areas'

export interface Groupings {
  readonly across: Grouping
  readonly down: Grouping
}

/**
 * What libvips does when sharp asks it to reduce. A JPEG is decoded at an eighth, a quarter or half of its size, whose pixels are the means of
 * the full ones; a WebP at its new size; then whatever is still four times too large is taken together.
 *
 * Without it the pixels of device and server differed by up to 15 levels where there is fine structure, with it by 2 or 3.
 *
 * @param format of the file.
 */
export function groupingsFor(format: MediaFormat, full: Size, target: Size): Groupings {
  const shrinks = SHRINKS[format]
  if (shrinks === 'to-size') return { across: 'areas', down: 'areas' }
  const least = Math.min(full.width / target.width, full.height / target.height)
  const decoded = shrinks === 'by-halves' ? decodedAt(least) : 1
  const along = (fullPx: number, newPx: number) =>
    decoded * Math.max(1, Math.floor(Math.ceil(fullPx / decoded) / newPx / REDUCED_AT_ONCE))
  return { across: along(full.width, target.width), down: along(full.height, target.height) }
}

/** What a format's decoder makes smaller by itself: to an eighth, a quarter or half; to the wanted size; or nothing. */
const SHRINKS: Readonly<Record<MediaFormat, 'by-halves' | 'to-size' | 'nothing'>> = {
  jpeg: 'by-halves',
  png: 'nothing',
  webp: 'to-size',
  gif: 'nothing',
  avif: 'nothing',
  tiff: 'nothing',
  heif: 'nothing',
  bmp: 'nothing',
  jxl: 'nothing',
}

/** The triangle does so much at least. */
const REDUCED_AT_ONCE = 2

/** One part in so many. The next larger picture is taken where the decoder's would have to be reduced by hardly anything. */
function decodedAt(shrink: number): number {
  const part = [8, 4, 2].find((each) => shrink >= each) ?? 1
  return part > 1 && Math.floor(shrink) === part ? part / 2 : part
}
