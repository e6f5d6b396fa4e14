// Converts a HEIF file in the short form (`mini`) to one with a `meta` box, which libvips needs. Chromium 156 shows such AVIF files.

import { boxesIn, TooManyBoxes } from './heif-boxes.js'
import { box, fullBox, heifFileOf, u16, u32 } from './heif-file.js'
import { type MiniPicture, miniPicture } from './mini-box.js'

/** Configuration box and brand of each item type. */
const CODECS = new Map([
  ['av01', { config: 'av1C', brand: 'avif' }],
  ['hvc1', { config: 'hvcC', brand: 'heic' }],
])
const MINOR_BRAND_AT = 12

/**
 * Keeps the picture, its transparency, colours and orientation. Leaves out a gain map and metadata.
 * @returns a new file, for the caller to overwrite; `undefined` for a file in another form, and for one that ends within its picture.
 */
export function usualHeif(file: Buffer): Buffer | undefined {
  const mini = miniIn(file)
  const picture = mini === undefined ? undefined : miniPicture(mini)
  if (picture === undefined) return undefined
  const brand = file.toString('latin1', MINOR_BRAND_AT, MINOR_BRAND_AT + 4)
  const item = picture.codec?.item ?? (brand === 'avif' ? 'av01' : /^hei[cx]$/.test(brand) ? 'hvc1' : '')
  const codec = CODECS.get(item)
  if (codec === undefined || (picture.codec?.config ?? codec.config) !== codec.config) return undefined
  const { main, alpha } = picture
  const items = [{ kind: item, properties: propertiesOf(picture, codec.config), data: [main.data] }]
  if (alpha === undefined) return heifFileOf(codec.brand, items)
  const references = [box('auxl', u16(2), u16(1), u16(1))]
  if (alpha.isPremultiplied) references.push(box('prem', u16(1), u16(1), u16(2)))
  const ofAlpha = { kind: item, properties: alphaProperties(picture, alpha.config, codec.config), data: [alpha.data] }
  return heifFileOf(codec.brand, [...items, ofAlpha], references)
}

function miniIn(file: Buffer): Buffer | undefined {
  if (file.toString('latin1', 4, 8) !== 'ftyp') return undefined
  try {
    const boxes = boxesIn(file, 0, file.length)
    const mini = boxes.find(({ type }) => type === 'mini' || type === 'meta')
    return mini?.type === 'mini' ? file.subarray(mini.from, mini.to) : undefined
  } catch (error) {
    if (error instanceof RangeError || error instanceof TooManyBoxes) return undefined // the decoder decides about the file
    throw error
  }
}

function propertiesOf({ width, height, channels, bits, colours, profile, main, orientation }: MiniPicture, config: string) {
  const { primaries, transfer, matrix, isFull } = colours
  return [
    box(config, main.config),
    fullBox('ispe', 0, u32(width), u32(height)),
    fullBox('pixi', 0, Buffer.from([channels, ...Array<number>(channels).fill(bits)])),
    box('colr', Buffer.from('nclx'), u16(primaries), u16(transfer), u16(matrix), Buffer.from([isFull ? 0x80 : 0])),
    ...(profile === undefined ? [] : [box('colr', Buffer.from('prof'), profile)]),
    ...turns(orientation),
  ]
}

function alphaProperties({ width, height, bits, orientation }: MiniPicture, own: Buffer, config: string) {
  return [
    box(config, own),
    fullBox('ispe', 0, u32(width), u32(height)),
    fullBox('pixi', 0, Buffer.from([1, bits])),
    fullBox('auxC', 0, Buffer.from('urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0')),
    ...turns(orientation),
  ]
}

/** For each EXIF orientation: quarter turns counter-clockwise (`irot`), and then the axis of mirroring (`imir`). */
const TURNS: Readonly<Record<number, readonly [quarters: number, axis?: number]>> = {
  2: [0, 1],
  3: [2],
  4: [0, 0],
  5: [1, 0],
  6: [3],
  7: [3, 0],
  8: [1],
}

function turns(orientation: number): Buffer[] {
  const [quarters = 0, axis] = TURNS[orientation] ?? []
  return [
    ...(quarters === 0 ? [] : [box('irot', Buffer.from([quarters]))]),
    ...(axis === undefined ? [] : [box('imir', Buffer.from([axis]))]),
  ]
}
