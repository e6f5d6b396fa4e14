// Screens to lay out: sizes in pixels, and units that are the same on each, as apps count them.

import sharp from 'sharp'
import { pictureOf, pipeline, plain } from '../picture.mjs'
import { svg } from '../svg.mjs'

const PHONES = [
  [720, 1600],
  [1080, 2400],
  [1170, 2532],
  [1440, 3200],
]
const PHONE_UNITS = 360 // wide, as Android's

/** A phone held upright. `wide` and `high` are units, of which each has `unitPx` pixels. */
export function phone(random) {
  const [width, height] = random.pick(PHONES)
  return screen(width, height, width / PHONE_UNITS)
}

/** The same phone turned. */
export function rotated({ width, height, unitPx }) {
  return screen(height, width, unitPx)
}

export function desktop() {
  return screen(1920, 1080, 1)
}

export function screen(width, height, unitPx) {
  return { width, height, unitPx, wide: width / unitPx, high: height / unitPx }
}

/** The size a picture has in a box, in whole; `pad` around it in the middle. */
export function contained(picture, box) {
  const scale = Math.min(box.w / picture.width, box.h / picture.height)
  const [w, h] = [picture.width * scale, picture.height * scale]
  return { x: box.x + (box.w - w) / 2, y: box.y + (box.h - h) / 2, w, h }
}

/** The height that a feed gives a picture `wide` units wide: sites cut what is taller or flatter than they allow. */
export function feedHeight(picture, wide, { tallest, flattest }) {
  return wide / Math.min(flattest, Math.max(tallest, picture.width / picture.height))
}

/**
 * A picture as a layer: cut to the shape of the box where it differs, resampled as the device likes, its corners round.
 * @param {any} picture
 * @param {any} device
 * @param {any} box in units
 * @param {{ random?: any, radius?: number }} [look]
 */
export async function shown(picture, { unitPx }, box, { random, radius = 0 } = {}) {
  const [left, top] = [Math.round(box.x * unitPx), Math.round(box.y * unitPx)]
  const [width, height] = [Math.round(box.w * unitPx), Math.round(box.h * unitPx)]
  const kernel = random?.pick(['linear', 'cubic', 'lanczos3']) ?? 'lanczos3'
  const resized = pipeline(picture).resize(width, height, { fit: 'cover', kernel })
  if (radius === 0) return layerOf(await pictureOf(resized), left, top)
  const corners = svg(width, height, `<rect width="${width}" height="${height}" rx="${radius * unitPx}" fill="#fff"/>`)
  const data = await resized
    .ensureAlpha()
    .composite([{ input: corners, blend: 'dest-in' }])
    .raw()
    .toBuffer()
  return { input: data, raw: { width, height, channels: 4 }, left, top }
}

/** A picture of the right size as a layer. */
export function layerOf({ data, width, height }, left = 0, top = 0) {
  return { input: data, raw: { width, height, channels: 3 }, left, top }
}

/** @param layers drawings in units, as texts, and pictures in pixels, the undermost first. @returns the screen as a picture. */
export async function painted({ width, height, unitPx }, background, layers) {
  const all = layers.map((layer) =>
    typeof layer === 'string' ? { input: svg(width, height, `<g transform="scale(${unitPx})">${layer}</g>`) } : layer,
  )
  return pictureOf(sharp(await plain(width, height, background).raw().toBuffer(), rawOf(width, height)).composite(all))
}

function rawOf(width, height) {
  return { raw: { width, height, channels: 3 } }
}
