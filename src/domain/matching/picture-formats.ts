// Which pictures the service decodes, told by a file's first bytes: the same list for workers, page, console and documents.

/** What workers decode, as people know the names. */
export const DECODED_FORMATS = 'JPEG, PNG, WebP, GIF (first frame), AVIF or TIFF'

/** heif: HEIC and whatever else lies in such boxes, apart from AVIF. */
export type PictureFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'avif' | 'heif' | 'bmp' | 'jxl'

const SIGNATURES = [
  { format: 'jpeg', at: 0, hex: 'ffd8ff' },
  { format: 'png', at: 0, hex: '89504e470d0a1a0a' },
  { format: 'gif', at: 0, hex: '474946383761' },
  { format: 'gif', at: 0, hex: '474946383961' },
  { format: 'webp', at: 8, hex: '57454250' },
  { format: 'tiff', at: 0, hex: '49492a00' },
  { format: 'tiff', at: 0, hex: '4d4d002a' },
  { format: 'tiff', at: 0, hex: '49492b00' },
  { format: 'tiff', at: 0, hex: '4d4d002b' },
  { format: 'heif', at: 4, hex: '66747970' },
  { format: 'bmp', at: 0, hex: '424d' },
  { format: 'jxl', at: 0, hex: 'ff0a' },
  { format: 'jxl', at: 0, hex: '0000000c4a584c20' },
] as const satisfies readonly { readonly format: PictureFormat; readonly at: number; readonly hex: string }[]

/** How much of a file `formatOf` looks at. */
export const FORMAT_BYTES = 256

/** @param head the first bytes of a file. @returns `undefined` for what is no picture. */
export function formatOf(head: Uint8Array): PictureFormat | undefined {
  const format = SIGNATURES.find(({ at, hex }) => hexOf(head.subarray(at, at + hex.length / 2)) === hex)?.format
  return format === 'heif' && isAvif(head) ? 'avif' : format
}

/** Does the service decode it? Of `heif` no npm build of libvips reads anything but AVIF. */
export function isDecoded(format: PictureFormat | undefined): boolean {
  return format !== undefined && !['heif', 'bmp', 'jxl'].includes(format)
}

/** Whether the `ftyp` box names AV1 among its brands. */
function isAvif(head: Uint8Array): boolean {
  if (head.length < 12) return false
  const boxBytes = new DataView(head.buffer, head.byteOffset).getUint32(0)
  return /avi[fs]/.test(String.fromCharCode(...head.subarray(8, Math.min(boxBytes, FORMAT_BYTES))))
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
