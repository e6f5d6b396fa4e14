// Opens a file with libvips as strictly as a reading says.

import sharp, { type Sharp, type SharpOptions } from 'sharp'
import { type Reading, THUMBNAIL_SIDE_PX } from './damage/damaged.js'

export function read({ bytes, failOn, hasAnyFlaws }: Reading, options?: SharpOptions): Sharp {
  return sharp(bytes, { ...options, failOn, unlimited: hasAnyFlaws === true, limitInputPixels: false, pages: 1 })
}

/** A small picture of all there is, as it is stored. */
export function thumbnail(reading: Reading): Promise<Buffer> {
  return read(reading)
    .resize({ width: THUMBNAIL_SIDE_PX, height: THUMBNAIL_SIDE_PX, fit: 'fill', kernel: 'linear' })
    .greyscale()
    .removeAlpha()
    .raw()
    .toBuffer()
}
