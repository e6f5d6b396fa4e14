// Pictures as RGB bytes, `{ data, width, height }`, between sharp's pipelines.

import sharp from 'sharp'

export function pipeline({ data, width, height }) {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

/** @returns what a pipeline makes, as a picture. */
export async function pictureOf(image) {
  const { data, info } = await image
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

/** @returns the file that a pipeline makes. */
export function jpegOf(image, quality = 85) {
  return image.jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer()
}

/** A file as a viewer shows it, no larger than `longSidePx`. */
export function opened(bytes, longSidePx) {
  const size = { fit: 'inside', withoutEnlargement: true }
  return pictureOf(sharp(bytes, { failOn: 'none' }).rotate().toColourspace('srgb').resize(longSidePx, longSidePx, size))
}

export function plain(width, height, background) {
  return sharp({ create: { width, height, channels: 3, background } })
}

/** For layers: the pixels as they are, in a file that costs little to write. */
export function storedPng(image) {
  return image.png({ compressionLevel: 0 }).toBuffer()
}

/** What is left of a picture after a messenger that keeps 1280 pixels: the caller's own JPEG is its second. */
export async function throughMessenger(picture) {
  const small = pipeline(picture).resize(1280, 1280, { fit: 'inside', withoutEnlargement: true })
  return pictureOf(sharp(await jpegOf(small, 60)))
}
