// What the first bytes of a file tell: is it a picture, and how large? Asked before a browser is made to decode it.

import { imageSize } from 'image-size'

/** `common`: what every browser opens. `other`: what some open. `undefined`: no picture. */
export type Kind = 'common' | 'other' | undefined

const SIGNATURES = [
  { kind: 'common', at: 0, hex: 'ffd8ff' },
  { kind: 'common', at: 0, hex: '89504e470d0a1a0a' },
  { kind: 'common', at: 0, hex: '47494638' },
  { kind: 'common', at: 8, hex: '57454250' },
  { kind: 'common', at: 0, hex: '424d' },
  { kind: 'other', at: 4, hex: '66747970' },
  { kind: 'other', at: 0, hex: '49492a00' },
  { kind: 'other', at: 0, hex: '4d4d002a' },
  { kind: 'other', at: 0, hex: 'ff0a' },
  { kind: 'other', at: 0, hex: '0000000c4a584c20' },
] as const

export function kindOf(head: Uint8Array): Kind {
  return SIGNATURES.find(({ at, hex }) => {
    for (let i = 0; i < hex.length / 2; i++)
      if (head[at + i] !== Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)) return false
    return true
  })?.kind
}

/** How much of a file is read for this: an EXIF block with a preview in it comes before a JPEG's size. */
export const HEAD_BYTES = 512 * 1024

/** @returns the sides in pixels, or `undefined` when the head does not say. */
export function sidesOf(head: Uint8Array): { readonly width: number; readonly height: number } | undefined {
  try {
    return imageSize(head)
  } catch {
    return undefined
  }
}
