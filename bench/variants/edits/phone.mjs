// The phone of the screenshots: its size, its status bar, and how a screen becomes a picture.

import sharp from 'sharp'
import { pictureOf, plain, storedPng } from '../picture.mjs'
import { text } from '../svg.mjs'

export const WIDE = 1080
export const HIGH = 2340

export function statusBar(ink, random) {
  const time = text(60, 66, 40, ink, clock(random, 0))
  const battery = `<rect x="930" y="36" width="80" height="34" rx="8" fill="none" stroke="${ink}" stroke-width="4"/>`
  const charge = `<rect x="935" y="41" width="${random.int(12, 70)}" height="24" rx="4" fill="${ink}"/>`
  return `${time}${battery}${charge}<path d="M 860 68 l 34 0 l 0 -34 z" fill="${ink}"/>`
}

/** @param minMinute 10 where minutes need no leading zero. */
export function clock(random, minMinute = 10) {
  return `${random.int(0, 23)}:${String(random.int(minMinute, 59)).padStart(2, '0')}`
}

export function homeBar(ink) {
  return `<rect x="390" y="${HIGH - 24}" width="300" height="9" rx="5" fill="${ink}"/>`
}

export async function screenOf(background, layers) {
  return pictureOf(sharp(await storedPng(plain(WIDE, HIGH, background).composite(layers))))
}

/** The size of a picture that is as large as fits, and where it then lies in the middle of a box. */
export function fitted(picture, wide, high) {
  const scale = Math.min(wide / picture.width, high / picture.height)
  return { w: Math.round(picture.width * scale), h: Math.round(picture.height * scale) }
}
