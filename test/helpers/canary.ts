// A random text in the metadata and pixels of a test's pictures only, and the search for it afterwards.
// Letters and digits only: logs, JSON and UTF-8 keep them unchanged, but not all other bytes.

import { writtenForms } from '../../src/demo/written-forms.js'
import { heic } from './heic.js'
import { flat, longGif, onePixel, tooLarge, unreadable, withJpegComment, withPngText } from './hostile-pictures.js'
import { contentTypes, fromPixels, once, type Picture, type Pixels, randomFrom, scenePixels } from './pictures.js'

/** A form in which the text may have been written, and the bytes that show it. */
export interface Needle {
  readonly form: string
  readonly bytes: Buffer
}

export interface Canary {
  /** 32 letters and digits. It is also in all file names. */
  readonly pattern: Buffer
  /** Pictures that the service accepts: the pattern is in the metadata, and in the lossless ones in the pixels. */
  readonly accepted: readonly Picture[]
  /** Files that it rejects. Of some it reads the first frame only. */
  readonly refused: readonly Picture[]
  readonly needles: readonly Needle[]
}

const PATTERN_BYTES = 32

/**
 * RDB and AOF files split strings into literal runs of at most 32 bytes (LZF). Wherever the split is, some quarter of the
 * pattern is complete on one side of it. 8 random letters and digits do not occur by chance.
 */
const NEEDLE_PARTS = 4

export async function canary(seed: number): Promise<Canary> {
  const text = canaryText(seed)
  const pattern = Buffer.from(text)
  const named = (pictures: readonly Picture[]) =>
    pictures.map((picture) => ({ ...picture, name: `${text}-${picture.name}` }))
  const mark = { mark: text }
  return {
    pattern,
    accepted: named(await Promise.all([canaryJpeg(seed), canaryPng(seed), canaryTiff(seed), canaryWebp(seed)])),
    refused: named([
      ...(await unreadable(mark)),
      ...(await Promise.all([onePixel, flat, longGif, tooLarge].map((make) => make(mark)))),
    ]),
    needles: needlesFor(pattern),
  }
}

/** @returns the forms in which the pattern occurs; empty when it does not. */
export function findCanary(haystack: Buffer, needles: readonly Needle[]): string[] {
  return [...new Set(needles.filter(({ bytes }) => haystack.includes(bytes)).map(({ form }) => form))]
}

/** The scene with the pattern in EXIF, GPS, XMP, IPTC and a comment, as a phone and three programs would write them. */
export function canaryJpeg(seed: number): Promise<Picture> {
  return once(`canary jpeg ${seed}`, async () => {
    const text = canaryText(seed)
    const jpeg = await fromPixels(scenePixels(seed))
      .withExif({
        IFD0: { ImageDescription: text, Artist: text, Copyright: text, Make: text, Model: text, Software: text },
        IFD2: { UserComment: text, LensModel: text },
        IFD3: {
          GPSLatitudeRef: 'N',
          GPSLatitude: '3/1 8/1 0/1',
          GPSLongitudeRef: 'E',
          GPSLongitude: '101/1 41/1 0/1',
          GPSAreaInformation: text,
        },
      })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>${text}</dc:creator></rdf:Description>
        </rdf:RDF></x:xmpmeta>`)
      .jpeg({ quality: 90 })
      .toBuffer()
    const bytes = Buffer.concat([withIptc(withJpegComment(jpeg, text), text), Buffer.from(text)])
    return { name: 'canary.jpg', contentType: contentTypes.jpeg, bytes }
  })
}

/** Uncompressed, so that the file shows the pattern of the pixels. */
export function canaryPng(seed: number): Promise<Picture> {
  return once(`canary png ${seed}`, async () => {
    const png = await fromPixels(canaryPixels(seed)).png({ compressionLevel: 0, adaptiveFiltering: false }).toBuffer()
    return { name: 'canary.png', contentType: contentTypes.png, bytes: withPngText(png, canaryText(seed)) }
  })
}

export function canaryTiff(seed: number): Promise<Picture> {
  return once(`canary tiff ${seed}`, async () => {
    const tiff = await fromPixels(canaryPixels(seed)).tiff({ compression: 'none' }).toBuffer()
    return {
      name: 'canary.tiff',
      contentType: contentTypes.tiff,
      bytes: Buffer.concat([tiff, Buffer.from(canaryText(seed))]),
    }
  })
}

/** Lossless compression: the pattern of the pixels appears only in the decoder's memory. */
export function canaryWebp(seed: number): Promise<Picture> {
  return once(`canary webp ${seed}`, async () => {
    const webp = fromPixels(canaryPixels(seed)).withExif({ IFD0: { ImageDescription: canaryText(seed) } })
    return { name: 'canary.webp', contentType: contentTypes.webp, bytes: await webp.webp({ lossless: true }).toBuffer() }
  })
}

/** HEIC with the text in an additional box. No code here encodes HEVC, so the other needles are parts of its data and of decoded rows. */
export async function canaryHeic(
  seed: number,
  decode: (file: Buffer) => Promise<{ readonly data: Buffer }>, // a parameter, because loading the decoder blocks formats of libvips that only tests read
): Promise<{ readonly picture: Picture; readonly needles: readonly Needle[] }> {
  const file = heic('tiles')
  const text = Buffer.from(canaryText(seed))
  const bytes = Buffer.concat([file, Buffer.from([0, 0, 0, 8 + text.length]), Buffer.from('free'), text])
  const { data } = await decode(file)
  const partsOf = (whole: Buffer) =>
    [0.2, 0.35, 0.5, 0.65, 0.8].map((at) => whole.subarray(Math.floor(at * whole.length)).subarray(0, PATTERN_BYTES))
  const needles = [
    ...partsOf(file).map((part) => ({ form: 'data of HEIC', bytes: part })),
    ...partsOf(data).map((part) => ({ form: 'pixels of HEIC', bytes: part })),
  ]
  return { picture: { name: `${text}-canary.heic`, contentType: 'image/heic', bytes }, needles }
}

/**
 * The scene with the pattern as runs of grey pixels in every eighth row. Grey, so that a luma plane has its bytes, RGB has each
 * of them three times, and RGBA has a 255 after these.
 */
export function canaryPixels(seed: number): Pixels {
  const { data, width, height } = scenePixels(seed)
  const random = randomFrom(seed)
  const run = grey(Buffer.from(canaryText(seed)))
  for (let y = 0; y < height; y += 8) run.copy(data, (y * width + Math.floor(random() * (width - PATTERN_BYTES))) * 3)
  return { data, width, height }
}

function canaryText(seed: number): string {
  const random = randomFrom(seed ^ 0xca4a)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length: PATTERN_BYTES }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
}

function needlesFor(pattern: Buffer): Needle[] {
  const forms = { bytes: pattern, 'rgb pixels': grey(pattern), 'rgba pixels': opaque(pattern) }
  return Object.entries(forms).flatMap(([form, bytes]) => [
    ...inParts(bytes).map((part) => ({ form, bytes: part })),
    ...writtenForms(bytes.subarray(0, bytes.length / 2)).map((written) => ({
      form: `${form}, ${written.form}`,
      bytes: Buffer.from(written.text),
    })),
  ])
}

function inParts(bytes: Buffer): Buffer[] {
  const partBytes = bytes.length / (NEEDLE_PARTS * Math.ceil(bytes.length / PATTERN_BYTES))
  return Array.from({ length: bytes.length / partBytes }, (_, part) =>
    bytes.subarray(part * partBytes, (part + 1) * partBytes),
  )
}

function grey(values: Buffer): Buffer {
  return Buffer.from([...values].flatMap((value) => [value, value, value]))
}

function opaque(values: Buffer): Buffer {
  return Buffer.from([...values].flatMap((value) => [value, value, value, 255]))
}

/** An APP13 segment in Photoshop's format, with one IPTC caption (record 2, data set 120). */
function withIptc(jpeg: Buffer, text: string): Buffer {
  const caption = Buffer.concat([Buffer.from([0x1c, 2, 120, 0, text.length]), Buffer.from(text)])
  const resource = Buffer.concat([
    Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0', 'latin1'),
    Buffer.from([caption.length]),
    caption,
  ])
  const head = Buffer.alloc(4)
  head.writeUInt16BE(0xffed)
  head.writeUInt16BE(2 + resource.length, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, resource, jpeg.subarray(2)])
}
