// Whether a photograph has a short video in it, as motion photos of Samsung and Google have. Only the still is hashed.

import { imageEnd } from './image-end.js'
import { FORMAT_BYTES, formatOf, type MediaFormat, unreadKindOf } from './media-formats.js'

/** A map of brightness, or other data of the camera, may come before the clip. */
const SEARCHED_BYTES = 32 << 20
const FTYP = [0x66, 0x74, 0x79, 0x70]
/** Of a box `ftyp`: its size, its name and one brand. */
const MIN_BOX_BYTES = 12

/** @param bytes a whole file. In HEIC and AVIF the clip is in a box behind the first. */
export function hasClip(bytes: Uint8Array, format: MediaFormat): boolean {
  const from = format === 'jpeg' ? imageEnd([bytes]) : format === 'heif' || format === 'avif' ? FORMAT_BYTES : undefined
  if (from === undefined) return false
  const rest = bytes.subarray(from, from + SEARCHED_BYTES)
  for (let at = rest.indexOf(FTYP[0] ?? 0, 4); at !== -1; at = rest.indexOf(FTYP[0] ?? 0, at + 1)) {
    if (FTYP.every((byte, k) => rest[at + k] === byte) && isVideo(rest.subarray(at - 4, at - 4 + FORMAT_BYTES))) return true
  }
  return false
}

function isVideo(box: Uint8Array): boolean {
  const sizeBytes = box.length < MIN_BOX_BYTES ? 0 : new DataView(box.buffer, box.byteOffset).getUint32(0)
  if (sizeBytes < MIN_BOX_BYTES || sizeBytes > FORMAT_BYTES) return false
  return formatOf(box) === undefined && unreadKindOf(box) === 'video'
}
