// Pictures for tests, all synthetic: drawn from a seed, so that the repository holds no photograph of anybody. The same
// seed gives the same picture on every machine; two seeds give unrelated pictures.

import sharp, { type Sharp } from 'sharp'
import { namesOf } from '../../packages/core/src/own-value.js'
import { isDecoded, MEDIA_FORMATS, type MediaFormat } from '../../src/domain/media/media-formats.js'
import { usualBmp } from './bmp-files.js'
import { jxlOf } from './jxl-files.js'

/** A file as a client would send it. */
export interface Picture {
  readonly name: string
  readonly contentType: string
  readonly bytes: Buffer
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** Decoded: three bytes a pixel, RGB, rows from the top. */
export interface Pixels extends Size {
  readonly data: Buffer
}

/** The formats that the service reads, except HEIC: no code here writes it, and test/data/heic has files. */
export type Format = Exclude<MediaFormat, 'heif'>

export const formats = namesOf(MEDIA_FORMATS).filter((format): format is Format => isDecoded(format) && format !== 'heif')

export const contentTypes: Readonly<Record<Format, string>> = {
  jpeg: MEDIA_FORMATS.jpeg.mimeType,
  png: MEDIA_FORMATS.png.mimeType,
  webp: MEDIA_FORMATS.webp.mimeType,
  gif: MEDIA_FORMATS.gif.mimeType,
  avif: MEDIA_FORMATS.avif.mimeType,
  tiff: MEDIA_FORMATS.tiff.mimeType,
  bmp: MEDIA_FORMATS.bmp.mimeType,
  jxl: MEDIA_FORMATS.jxl.mimeType,
}

const usualSize: Size = { width: 640, height: 480 }

/**
 * Draws a picture in relative coordinates, so that another size is the same picture scaled. PDQ gives it a quality of 80 or more
 * (56 in the plainest of 200 seeds): a coarse random field, shapes with hard edges, and a finer texture.
 */
export function scenePixels(seed: number, size: Size = usualSize): Pixels {
  const key = `${seed} ${size.width} ${size.height}`
  const known = drawn.get(key) ?? draw(seed, size)
  drawn.delete(key)
  drawn.set(key, known)
  for (const oldest of drawn.keys()) if (drawn.size > DRAWN_KEPT) drawn.delete(oldest)
  return { ...known, data: Buffer.from(known.data) }
}

/** The scene of a seed as a file. Made once; later calls return the same bytes. */
export function scene(seed: number, options: Partial<Size> & { readonly format?: Format } = {}): Promise<Picture> {
  const { format = 'jpeg', width = usualSize.width, height = usualSize.height } = options
  return once(`scene ${seed} ${format} ${width} ${height}`, async () => {
    const image = fromPixels(scenePixels(seed, { width, height }))
    return { name: `scene-${seed}.${format}`, contentType: contentTypes[format], bytes: await encode(image, format) }
  })
}

/** The scene in every format that the service accepts; the pictures match each other. */
export function everyFormat(seed: number): Promise<Picture[]> {
  return Promise.all(formats.map((format) => scene(seed, { format })))
}

/** The scene in the forms that cameras, scanners and old programs write. All must be accepted and match the scene. */
export function oddButGood(seed: number): Promise<Picture[]> {
  return Promise.all([
    cmykJpeg(seed),
    png16(seed),
    palettePng(seed),
    greyJpeg(seed),
    greyPng(seed),
    alphaPng(seed),
    progressiveJpeg(seed),
    trailingGarbageJpeg(seed),
  ])
}

export function cmykJpeg(seed: number): Promise<Picture> {
  return variant('cmyk', seed, 'jpeg', (image) => image.withIccProfile('cmyk').toColourspace('cmyk').jpeg({ quality: 90 }))
}

export function png16(seed: number): Promise<Picture> {
  return variant('16-bit', seed, 'png', (image) => image.toColourspace('rgb16').png())
}

export function palettePng(seed: number): Promise<Picture> {
  return variant('palette', seed, 'png', (image) => image.png({ palette: true, colours: 64 }))
}

export function greyJpeg(seed: number): Promise<Picture> {
  return variant('grey', seed, 'jpeg', (image) => image.greyscale().toColourspace('b-w').jpeg({ quality: 90 }))
}

export function greyPng(seed: number): Promise<Picture> {
  return variant('grey', seed, 'png', (image) => image.greyscale().toColourspace('b-w').png())
}

export function progressiveJpeg(seed: number): Promise<Picture> {
  return variant('progressive', seed, 'jpeg', (image) => image.jpeg({ quality: 90, progressive: true }))
}

/** Opaque except for a transparent margin of 1 %, whose hidden pixels are black; flattened on white it stays the scene. */
export function alphaPng(seed: number): Promise<Picture> {
  return once(`alpha ${seed}`, async () => {
    const { data, width, height } = scenePixels(seed)
    const rgba = Buffer.alloc(width * height * 4)
    for (let pixel = 0; pixel < width * height; pixel++) {
      if (isMargin(pixel % width, width) || isMargin(Math.floor(pixel / width), height)) continue
      data.copy(rgba, pixel * 4, pixel * 3, pixel * 3 + 3)
      rgba[pixel * 4 + 3] = 255
    }
    const bytes = await sharp(rgba, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer()
    return { name: `alpha-${seed}.png`, contentType: contentTypes.png, bytes }
  })
}

/** A complete JPEG and 4,096 further bytes, as some messengers and cameras append. */
export async function trailingGarbageJpeg(seed: number): Promise<Picture> {
  const { bytes } = await scene(seed)
  const random = randomFrom(seed)
  const garbage = Buffer.from(Array.from({ length: 4096 }, () => Math.floor(random() * 256)))
  return { name: `trailing-${seed}.jpg`, contentType: contentTypes.jpeg, bytes: Buffer.concat([bytes, garbage]) }
}

/** A JPEG of exactly this size that decodes to the scene: only a size limit may refuse it. */
export async function paddedJpeg(seed: number, sizeBytes: number): Promise<Picture> {
  const { bytes } = await scene(seed)
  if (sizeBytes < bytes.length) throw new RangeError(`the scene alone has ${bytes.length} bytes`)
  const padded = Buffer.concat([bytes, Buffer.alloc(sizeBytes - bytes.length, 0x5a)])
  return { name: `padded-${seed}.jpg`, contentType: contentTypes.jpeg, bytes: padded }
}

export const orientations = [1, 2, 3, 4, 5, 6, 7, 8] as const
export type Orientation = (typeof orientations)[number]

/** A JPEG whose EXIF orientation turns its stored pixels into `scene(seed)`, its upright twin. */
export function orientedJpeg(seed: number, orientation: Orientation): Promise<Picture> {
  return once(`oriented ${seed} ${orientation}`, async () => ({
    name: `orientation-${orientation}-${seed}.jpg`,
    contentType: contentTypes.jpeg,
    bytes: await fromPixels(storedPixels(scenePixels(seed), orientation))
      .withMetadata({ orientation })
      .jpeg({ quality: 90 })
      .toBuffer(),
  }))
}

/** A sharp image over decoded pixels. */
export function fromPixels({ data, width, height }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

/** A generator of numbers in [0, 1) that is the same everywhere (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Makes a costly picture once per process. Each caller gets a copy, because the service overwrites the bytes that it gets. */
export async function once(key: string, make: () => Promise<Picture>): Promise<Picture> {
  const known = made.get(key) ?? make()
  made.set(key, known)
  const picture = await known
  return { ...picture, bytes: Buffer.from(picture.bytes) }
}

const made = new Map<string, Promise<Picture>>()
const drawn = new Map<string, Pixels>()
const DRAWN_KEPT = 8

function draw(seed: number, size: Size): Pixels {
  const { width, height } = size
  const random = randomFrom(seed)
  const coarse = colourField(random, 5, size)
  const fine = colourField(random, 23, size)
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) {
    const [coarseRow, fineRow, begin] = [coarse(y), fine(y), y * width * 3]
    for (let i = 0; i < width * 3; i++) data[begin + i] = 0.8 * (coarseRow[i] ?? 0) + 0.2 * (fineRow[i] ?? 0)
  }
  for (let shape = 0; shape < 14; shape++) drawShape(data, size, random)
  return { data, width, height }
}

function variant(name: string, seed: number, format: Format, edit: (image: Sharp) => Sharp): Promise<Picture> {
  return once(`${name} ${seed} ${format}`, async () => ({
    name: `${name}-${seed}.${format}`,
    contentType: contentTypes[format],
    bytes: await edit(fromPixels(scenePixels(seed))).toBuffer(),
  }))
}

async function pixelsIn(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

async function encode(image: Sharp, format: Format): Promise<Buffer> {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality: 90 }).toBuffer()
    case 'png':
      return image.png().toBuffer()
    case 'webp':
      return image.webp({ quality: 90 }).toBuffer()
    case 'gif':
      return image.gif().toBuffer()
    case 'avif':
      return image.avif({ quality: 70, effort: 0 }).toBuffer()
    case 'tiff':
      return image.tiff({ compression: 'deflate' }).toBuffer()
    case 'bmp':
      return usualBmp(await pixelsIn(image))
    case 'jxl':
      return jxlOf(await pixelsIn(image), { effort: 3, quality: 90 })
  }
}

/** Random colours on a grid, smoothly interpolated. @returns a row of the picture: all channels of one pixel, then those of the next. */
function colourField(random: () => number, cells: number, { width, height }: Size): (y: number) => Float64Array {
  const side = cells + 1
  const grid = Array.from({ length: side * side * 3 }, () => random() * 255)
  const lineOf = (row: number) =>
    Float64Array.from({ length: width * 3 }, (_, i) => {
      const across = (Math.floor(i / 3) / width) * cells
      const x = smooth(across - Math.floor(across))
      const left = (row * side + Math.floor(across)) * 3 + (i % 3)
      return (grid[left] ?? 0) * (1 - x) + (grid[left + 3] ?? 0) * x
    })
  const lines = Array.from({ length: side }, (_, row) => lineOf(row))
  const between = new Float64Array(width * 3)
  return (y) => {
    const row = Math.floor((y / height) * cells)
    const share = smooth((y / height) * cells - row)
    const [upper, lower] = [lines[row], lines[row + 1]]
    for (let i = 0; i < between.length; i++) between[i] = (upper?.[i] ?? 0) * (1 - share) + (lower?.[i] ?? 0) * share
    return between
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t)
}

/** An ellipse or a box, half transparent. */
function drawShape(data: Buffer, { width, height }: Size, random: () => number): void {
  const [centreX, centreY] = [random() * width, random() * height]
  const [radiusX, radiusY] = [(0.05 + random() * 0.2) * width, (0.05 + random() * 0.2) * height]
  const colour = [random() * 255, random() * 255, random() * 255].map((value) => 0.7 * value)
  const isEllipse = random() < 0.5
  for (let y = Math.max(0, Math.ceil(centreY - radiusY)); y < Math.min(height, centreY + radiusY); y++) {
    for (let x = Math.max(0, Math.ceil(centreX - radiusX)); x < Math.min(width, centreX + radiusX); x++) {
      if (isEllipse && ((x - centreX) / radiusX) ** 2 + ((y - centreY) / radiusY) ** 2 > 1) continue
      const pixel = (y * width + x) * 3
      for (let channel = 0; channel < 3; channel++)
        data[pixel + channel] = 0.3 * (data[pixel + channel] ?? 0) + (colour[channel] ?? 0)
    }
  }
}

/** The pixels that a camera in this orientation stores: the inverse of EXIF 2.32, tag 0x0112. */
function storedPixels({ data, width, height }: Pixels, orientation: Orientation): Pixels {
  const isRotated = orientation >= 5
  const stored = isRotated ? { width: height, height: width } : { width, height }
  const out = Buffer.alloc(data.length)
  for (let y = 0; y < stored.height; y++) {
    for (let x = 0; x < stored.width; x++) {
      const [across, down] = isRotated ? [y, x] : [x, y]
      const seenX = [2, 3, 6, 7].includes(orientation) ? width - 1 - across : across
      const seenY = [3, 4, 7, 8].includes(orientation) ? height - 1 - down : down
      const from = (seenY * width + seenX) * 3
      data.copy(out, (y * stored.width + x) * 3, from, from + 3)
    }
  }
  return { data: out, ...stored }
}

function isMargin(position: number, length: number): boolean {
  return position < length * 0.01 || position >= length * 0.99
}
