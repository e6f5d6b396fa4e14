// Opens a file with libvips, as strictly as a `Reading` says.

import sharp, { type Sharp, type SharpOptions } from 'sharp'
import { type Reading, THUMBNAIL_SIDE_PX } from './damage/damaged.js'

export function read({ bytes, failOn, hasAnyFlaws }: Reading, options?: SharpOptions): Sharp {
  return sharp(bytes, { ...options, failOn, unlimited: hasAnyFlaws === true, limitInputPixels: false, pages: 1 })
}

/** @returns the first page as `THUMBNAIL_SIDE_PX` squared grey levels, not rotated. The caller overwrites them. */
export function thumbnail(reading: Reading): Promise<Buffer> {
  return read(reading)
    .resize({ width: THUMBNAIL_SIDE_PX, height: THUMBNAIL_SIDE_PX, fit: 'fill', kernel: 'linear' })
    .greyscale()
    .removeAlpha()
    .raw()
    .toBuffer()
}
