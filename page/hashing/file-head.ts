// What the head of a file tells before a browser is made to decode it: how large a picture is, and whether a JPEG is in CMYK.

import { imageSize } from 'image-size'
import { createByteReader } from '../../src/domain/media/byte-reader.js'
import { MAX_WHOLE_PIXELS } from '../../src/domain/media/decoding-limits.js'
import { jpegMarkers, START_OF_SCAN } from '../../src/domain/media/jpeg-markers.js'
import { headOf } from './cannot-open.js'
import type { ChosenFile } from './opened.js'
import type { Sides } from './source.js'

/** How much of a file is read for this: an EXIF block with a preview in it comes before a JPEG's size. */
export const HEAD_BYTES = 512 * 1024

/** As stored in the file, in pixels. */
interface StoredSides {
  readonly width: number
  readonly height: number
  /** As EXIF numbers it, where a JPEG says so. */
  readonly orientation?: number
}

/** @returns `undefined` when the head does not say. */
export function sidesOf(head: Uint8Array): StoredSides | undefined {
  try {
    return imageSize(head)
  } catch {
    return undefined
  }
}

// JPEG files in CMYK: Chromium applies their profile to colours from which black was already subtracted, as no other program does.

const PROFILE_SEGMENT = 0xe2
const PROFILE_NAME = 'ICC_PROFILE\0'
/** After its name, a segment has a number and how many there are. Byte 16 of a profile begins the name of its colours. */
const COLOURS_AT = 4 + PROFILE_NAME.length + 2 + 16
/** Of baseline, extended and progressive files in Huffman coding. Browsers read no others. */
const FRAMES = [0xc0, 0xc1, 0xc2]
const COMPONENTS_AT = 9

/** @returns the file without its CMYK profile, as the service hashes it first; the same file if it has none. */
export async function withoutCmykProfile(chosen: ChosenFile): Promise<ChosenFile> {
  const { file, head } = chosen
  if (!profileSegments(head).some(({ at }) => textAt(head, at + COLOURS_AT, 4) === 'CMYK')) return chosen
  const bytes = new Uint8Array(await file.arrayBuffer())
  const parts: Blob[] = []
  let from = 0
  for (const { at, to } of profileSegments(bytes)) {
    parts.push(file.slice(from, at))
    from = to
  }
  bytes.fill(0)
  const plain = new Blob([...parts, file.slice(from)])
  return { ...chosen, file: plain, head: (await headOf(plain, HEAD_BYTES)) ?? head }
}

/** Whether a JPEG is in CMYK and small enough that the service decodes it at its full size. */
export function isCmykDecodedWhole(head: Uint8Array, { width, height }: Sides): boolean {
  if (width * height > MAX_WHOLE_PIXELS) return false
  for (const { code, at } of jpegMarkers(createByteReader([head]))) {
    if (FRAMES.includes(code)) return head[at + COMPONENTS_AT] === 4
    if (code === START_OF_SCAN) return false
  }
  return false
}

function profileSegments(bytes: Uint8Array): { readonly at: number; readonly to: number }[] {
  const found: { readonly at: number; readonly to: number }[] = []
  for (const { code, at } of jpegMarkers(createByteReader([bytes]))) {
    if (code === START_OF_SCAN) break
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    const isProfile = code === PROFILE_SEGMENT && textAt(bytes, at + 4, PROFILE_NAME.length) === PROFILE_NAME
    if (isProfile) found.push({ at, to: at + 2 + length })
  }
  return found
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
