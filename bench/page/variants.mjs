// Photographs encoded again in the forms that cameras, programs and websites write, to compare the page with the server.

import { readFileSync } from 'node:fs'
import sharp from 'sharp'

const turned = (picture, index) => picture.withMetadata({ orientation: 2 + (index % 7) })
const grey = (picture) => picture.toColourspace('b-w')
const p3 = (picture) => picture.withIccProfile('p3')
const cmyk = (picture) => picture.withIccProfile('cmyk').toColourspace('cmyk')
const png = (picture) => picture.png({ compressionLevel: 1 })
const webp = (picture) => picture.webp({ quality: 80, effort: 1 })
const jpeg = (picture) => picture.jpeg({ quality: 88 })

/** Of each: the ending of its files, and how the picture with a number is encoded. */
const VARIANTS = {
  'JPEG 4:2:0': ['jpg', (picture) => picture.jpeg({ quality: 80, chromaSubsampling: '4:2:0' })],
  'JPEG 4:4:4': ['jpg', (picture) => picture.jpeg({ quality: 92, chromaSubsampling: '4:4:4' })],
  'JPEG, progressive': ['jpg', (picture) => picture.jpeg({ quality: 85, progressive: true })],
  'JPEG, grey': ['jpg', (picture) => jpeg(grey(picture))],
  'JPEG, turned by EXIF': ['jpg', (picture, index) => jpeg(turned(picture, index))],
  'JPEG, Display P3': ['jpg', (picture) => jpeg(p3(picture))],
  'JPEG, CMYK': ['jpg', (picture) => jpeg(cmyk(picture))],
  PNG: ['png', png],
  'PNG, alpha': ['png', async (picture) => png(await transparent(picture))],
  'PNG, Display P3': ['png', (picture) => png(p3(picture))],
  'PNG, 16 bits': ['png', (picture) => png(picture.toColourspace('rgb16'))],
  'PNG, 256 colours': ['png', (picture) => picture.png({ palette: true, effort: 1 })],
  'PNG, grey': ['png', (picture) => png(grey(picture))],
  WebP: ['webp', webp],
  'WebP, lossless': ['webp', (picture) => picture.webp({ lossless: true, effort: 0 })],
  'WebP, alpha': ['webp', async (picture) => webp(await transparent(picture))],
  'WebP, Display P3': ['webp', (picture) => webp(p3(picture))],
  'WebP, turned by EXIF': ['webp', (picture, index) => webp(turned(picture, index))],
  GIF: ['gif', (picture) => picture.gif({ effort: 1 })],
  AVIF: ['avif', (picture) => picture.avif({ quality: 60, effort: 0 })],
}
export const VARIANT_NAMES = Object.keys(VARIANTS)

/** @param size to which the photograph is enlarged; its own by default. @returns the file, and the ending of its name. */
export async function variantOf(name, photo, index, size) {
  const [ending, encode] = VARIANTS[name]
  const whole = sharp(readFileSync(photo)) // the decoder blocks reading from a file
  const picture = size === undefined ? whole : whole.resize(size.width, size.height, { fit: 'cover', kernel: 'cubic' })
  return { ending, bytes: await (await encode(picture, index)).toBuffer() }
}

/** An ellipse of the picture that fades out at its border. */
async function transparent(picture) {
  const { data, info } = await picture.ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const radius = Math.hypot((2 * x) / width - 1, (2 * y) / height - 1)
      data[channels * (y * width + x) + 3] = 255 * Math.max(0, Math.min(1, 5 * (1 - radius)))
    }
  }
  return sharp(data, { raw: { width, height, channels } })
}
