// Drawing functions that all groups use.

import sharp from 'sharp'
import { pictureOf, pipeline } from '../variants/picture.mjs'
import { randomOf } from '../variants/random.mjs'
import { svg } from '../variants/svg.mjs'
import { layerOf, painted, screen } from '../variants/unseen/screen.mjs'

export const SANS = 'DejaVu Sans'
const FAMILIES = [SANS, 'DejaVu Serif', 'DejaVu Sans Mono', 'DejaVu Sans Condensed']

/** Layers are SVG texts or pictures in pixels, from bottom to top. */
export function canvas(width, height, background, layers) {
  return painted(screen(Math.round(width), Math.round(height), 1), background, layers)
}

/** A photograph, cropped to fill a box. */
export async function filling(picture, { x = 0, y = 0, w, h }, position = 'centre') {
  const [width, height] = [Math.round(w), Math.round(h)]
  const cut = await pictureOf(pipeline(picture).resize(width, height, { fit: 'cover', position }))
  return layerOf(cut, Math.round(x), Math.round(y))
}

/** The same, transparent where an SVG drawing of that size is transparent. */
export async function masked(picture, { x = 0, y = 0, w, h }, shape) {
  const { input, raw } = await filling(picture, { w, h })
  const data = await sharp(input, { raw })
    .ensureAlpha()
    .composite([{ input: svg(raw.width, raw.height, shape), blend: 'dest-in' }])
    .raw()
    .toBuffer()
  return { input: data, raw: { ...raw, channels: 4 }, left: Math.round(x), top: Math.round(y) }
}

/** JPEG of quality 75 to 92, as apps and phones save. */
export function saved(picture, random) {
  return pipeline(picture)
    .jpeg({ quality: random.int(75, 92) })
    .toBuffer()
}

export function family(random) {
  return random.pick(FAMILIES)
}

export function words(x, y, size, fill, content, { anchor = 'start', bold = false, font = SANS, extra = '' } = {}) {
  const weight = bold ? 'font-weight="bold"' : ''
  return `<text x="${x}" y="${y}" font-size="${size}" font-family="${font}" fill="${fill}" text-anchor="${anchor}" ${weight} ${extra}>${content}</text>`
}

export function hsl(hue, saturation, lightness) {
  return `hsl(${((hue % 360) + 360) % 360},${saturation}%,${lightness}%)`
}

/** A group of pictures, drawn and registered one by one. @param drawAt draws picture number `i`. */
export function drawnGroup(name, drawAt) {
  return {
    name,
    async draw({ photos, size, set, seed }) {
      const registered = []
      for (let i = 0; i < size; i++) {
        const random = randomOf(`${seed} ${set} ${name} ${i}`)
        const picture = await drawAt({ random, photos, i, set, seed })
        registered.push({ name: `${name} ${i}`, bytes: await saved(picture, random) })
      }
      return { registered }
    },
  }
}

/** The numbers from 0 to below `length`, in random order. */
export function shuffled(length, random) {
  const order = Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = random.int(0, i)
    const kept = order[i]
    order[i] = order[j]
    order[j] = kept
  }
  return order
}
