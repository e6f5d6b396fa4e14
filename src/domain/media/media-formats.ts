// Media formats that the service and the page recognise by their first bytes. Workers, page, console, messages and documents derive from this
// table.

import { namesOf } from '../../../packages/core/src/own-value.js'

interface Row {
  /** Common name, as shown to people. */
  readonly name: string
  readonly mimeType: string
  /** The worker's decoder for it (`workers/media/decode.ts`). */
  readonly decoder: 'libvips' | 'libheif' | 'bmp' | 'jxl'
  /** Whether every browser can open it. Then a file that a browser fails to open is damaged. */
  readonly isOpenedByAll: boolean
}

/** In the order in which they are listed to people. */
export const MEDIA_FORMATS = {
  jpeg: { name: 'JPEG', mimeType: 'image/jpeg', decoder: 'libvips', isOpenedByAll: true },
  png: { name: 'PNG', mimeType: 'image/png', decoder: 'libvips', isOpenedByAll: true },
  webp: { name: 'WebP', mimeType: 'image/webp', decoder: 'libvips', isOpenedByAll: true },
  gif: { name: 'GIF', mimeType: 'image/gif', decoder: 'libvips', isOpenedByAll: true },
  avif: { name: 'AVIF', mimeType: 'image/avif', decoder: 'libvips', isOpenedByAll: false },
  tiff: { name: 'TIFF', mimeType: 'image/tiff', decoder: 'libvips', isOpenedByAll: false },
  /** HEIC, and any other HEIF file whose brands do not name AV1. The decoder refuses those without an HEVC image. */
  heif: { name: 'HEIC', mimeType: 'image/heic', decoder: 'libheif', isOpenedByAll: false },
  bmp: { name: 'BMP', mimeType: 'image/bmp', decoder: 'bmp', isOpenedByAll: true },
  jxl: { name: 'JPEG XL', mimeType: 'image/jxl', decoder: 'jxl', isOpenedByAll: false },
} as const satisfies Readonly<Record<string, Row>>

export type MediaFormat = keyof typeof MEDIA_FORMATS
export type DecoderName = (typeof MEDIA_FORMATS)[MediaFormat]['decoder']
/** The formats that a decoder opens. */
export type FormatOf<Name extends DecoderName> = {
  [Format in MediaFormat]: (typeof MEDIA_FORMATS)[Format]['decoder'] extends Name ? Format : never
}[MediaFormat]

interface Signature {
  readonly at: number
  readonly hex: string
  /** Must match the brands in the `ftyp` box. */
  readonly brands?: RegExp
}

const FTYP = { at: 4, hex: '66747970' } as const

/** In the order in which they are tried. The first match counts. */
const SIGNATURES: Readonly<Record<MediaFormat, readonly Signature[]>> = {
  jpeg: [{ at: 0, hex: 'ffd8ff' }],
  png: [{ at: 0, hex: '89504e470d0a1a0a' }],
  gif: [
    { at: 0, hex: '474946383761' },
    { at: 0, hex: '474946383961' },
  ],
  webp: [{ at: 8, hex: '57454250' }],
  tiff: [
    { at: 0, hex: '49492a00' },
    { at: 0, hex: '4d4d002a' },
    { at: 0, hex: '49492b00' },
    { at: 0, hex: '4d4d002b' },
  ],
  avif: [{ ...FTYP, brands: /avi[fs]|^mif3(?!he[iv])/ }],
  heif: [{ ...FTYP, brands: /hei[cmsx]|hev[cmsx]|mif[123]|msf1|avc[is]|vvi[cs]|j2ki|jpe?gs?/ }],
  bmp: [{ at: 0, hex: '424d' }],
  jxl: [
    { at: 0, hex: 'ff0a' },
    { at: 0, hex: '0000000c4a584c20' },
  ],
}
const BY_SIGNATURE = namesOf(SIGNATURES)

/**
 * Kinds of other files that people choose instead of a picture, in the order in which they are tried. The page says what to do with them.
 * - `picture`: in a format that is not read.
 * - `video`: containers of videos. Some of them are read elsewhere (`video-limits.ts`).
 * - `drawing`: vector graphics, such as an animated sticker.
 * - `document`: may contain pictures.
 */
export const UNREAD_KINDS = ['picture', 'video', 'drawing', 'document'] as const
export type UnreadKind = (typeof UNREAD_KINDS)[number]

const UNREAD_SIGNATURES: Readonly<Record<UnreadKind, readonly Signature[]>> = {
  picture: [
    { at: 0, hex: '0000000c6a502020' }, // JPEG 2000
    { at: 0, hex: 'ff4fff51' },
    { ...FTYP, brands: /^crx / }, // raw pictures of cameras
    { at: 0, hex: '46554a4946494c4d' },
    { at: 0, hex: '49495500' },
    { at: 0, hex: '4949524f' },
    { at: 0, hex: '38425053' }, // Photoshop
    { at: 0, hex: '762f3101' }, // OpenEXR
    { at: 0, hex: '716f6966' }, // QOI
    ...['00000100', '00000200', '69636e73'].map((hex) => ({ at: 0, hex })), // icons
    ...['4949bc01', '49491a00', '464f5662', '004d524d'].map((hex) => ({ at: 0, hex })), // JPEG XR; older cameras
    ...['44445320', '67696d70', '425047fb', '233f5241'].map((hex) => ({ at: 0, hex })), // DDS, GIMP, BPG, Radiance
    ...['1', '2', '3', '4', '5', '6', '7'].map((kind) => ({ at: 0, hex: `503${kind}0a` })), // PBM, PGM, PPM, PAM
  ],
  video: [
    { ...FTYP, brands: /^(?!M4[AB] )/ }, // MP4, QuickTime, 3GP; not sound
    ...['6d6f6f76', '6d646174', '77696465', '66726565', '736b6970'].map((hex) => ({ at: 4, hex })), // QuickTime without a brand
    { at: 0, hex: '1a45dfa3' }, // Matroska, WebM
    { at: 8, hex: '41564920' }, // AVI
    { at: 0, hex: '3026b2758e66cf11' }, // ASF: WMV
    { at: 0, hex: '464c5601' }, // Flash
    { at: 0, hex: '4f676753' }, // Ogg
    { at: 0, hex: '000001ba' }, // MPEG
    { at: 0, hex: '000001b3' },
    { at: 0, hex: '4740' }, // MPEG transport stream
    { at: 4, hex: '4740' }, // the same of camcorders, with a time before each packet
  ],
  drawing: [
    { at: 0, hex: '1f8b' }, // Telegram's stickers are packed
    { at: 0, hex: '3c737667' }, // SVG
    { at: 0, hex: '3c3f786d6c' },
  ],
  document: [
    { at: 0, hex: '25504446' }, // PDF
    { at: 0, hex: '504b0304' }, // ZIP, and documents of office programs
    { at: 0, hex: 'd0cf11e0' },
    { at: 0, hex: '526172211a07' }, // RAR
    { at: 0, hex: '377abcaf271c' }, // 7z
  ],
}

/** @param head the first bytes of a file for which `formatOf` found no format. */
export function unreadKindOf(head: Uint8Array): UnreadKind | undefined {
  return UNREAD_KINDS.find((kind) => UNREAD_SIGNATURES[kind].some((signature) => fits(head, signature)))
}

/** How many bytes at the start of a file `formatOf` needs. */
export const FORMAT_BYTES = 256

/**
 * @param head the first bytes of a file.
 * @returns `undefined` if the format is not in the table.
 */
export function formatOf(head: Uint8Array): MediaFormat | undefined {
  return BY_SIGNATURE.find((format) => SIGNATURES[format].some((signature) => fits(head, signature)))
}

/** The formats that an operator has switched off. @param heic the setting TABIR_HEIC. */
export function unreadWith({ heic }: { readonly heic: 'on' | 'off' }): readonly MediaFormat[] {
  return heic === 'on' ? [] : ['heif']
}

/** Switches formats off in this process. Call it once at startup, before anything is decoded or described. */
export function leaveUnread(formats: readonly MediaFormat[]): void {
  unread = formats
}

let unread: readonly MediaFormat[] = []

/** @returns whether the service reads this format: it is known and not switched off. */
export function isDecoded(format: MediaFormat | undefined): format is MediaFormat {
  return format !== undefined && !unread.includes(format)
}

/** The names of the formats that this process reads, for messages: `A, B or C`. */
export function decodedFormats(): string {
  return listed(namesOf(MEDIA_FORMATS).filter(isDecoded))
}

/** The same with the default settings, for documents. */
export const DECODED_FORMATS = decodedFormats()

function listed(formats: readonly MediaFormat[]): string {
  const names = formats.map((format) => MEDIA_FORMATS[format].name)
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function fits(head: Uint8Array, { at, hex, brands }: Signature): boolean {
  return hexOf(head.subarray(at, at + hex.length / 2)) === hex && (brands === undefined || brands.test(brandsIn(head)))
}

/** The content of the `ftyp` box at the start of the file. */
function brandsIn(head: Uint8Array): string {
  if (head.length < 12) return ''
  const boxBytes = new DataView(head.buffer, head.byteOffset).getUint32(0)
  return String.fromCharCode(...head.subarray(8, Math.min(boxBytes, FORMAT_BYTES)))
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
