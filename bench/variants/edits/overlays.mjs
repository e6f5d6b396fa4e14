// Words and stickers laid over the picture.

import { edit } from '../generate.mjs'
import { jpegOf, pictureOf, pipeline } from '../picture.mjs'
import { heart, smiley, svg, text } from '../svg.mjs'
import { words } from './words.mjs'

const TWO_STICKERS_FROM = 0.12 // of the picture's area

export const overlays = [
  edit('watermark_small', 'light', async ({ photo, random }) => jpegOf(pipeline(await watermarked(photo, random)))),
  stickers('emoji_5', 'medium', 0.05),
  stickers('emoji_10', 'medium', 0.1),
  stickers('emoji_20', 'heavy', 0.2),
  caption('caption_top', () => ({ from: 0, high: 0.12, ground: '#fff', opacity: 1, ink: '#000' })),
  caption('caption_bottom', () => ({ from: 0.88, high: 0.12, ground: '#000', opacity: 1, ink: '#fff' })),
  caption('caption_middle', (random) => {
    return { from: 0.35 + 0.4 * random(), high: 0.09, ground: '#000', opacity: 0.6, ink: '#fff' }
  }),
]

/** @param body in the picture's pixels. */
export function drawnOver(picture, body) {
  return pictureOf(pipeline(picture).composite([{ input: svg(picture.width, picture.height, body) }]))
}

function watermarked(photo, random) {
  const size = Math.round(Math.min(photo.width, photo.height) * 0.06)
  const x = random() < 0.5 ? size * 0.5 : photo.width * 0.5
  const y = random() < 0.5 ? size * 1.2 : photo.height - size * 0.6
  const edge = 'fill-opacity="0.75" stroke="#000" stroke-width="0.6"'
  return drawnOver(photo, text(x, y, size, '#fff', '@leaks_channel', edge))
}

/** One or two stickers that cover about that share of the picture. */
function stickers(id, group, area) {
  return edit(id, group, async ({ photo, random }) => {
    const { width, height } = photo
    const number = area > TWO_STICKERS_FROM ? 2 : 1
    const radius = Math.sqrt(((area / number) * width * height) / Math.PI)
    const drawn = Array.from({ length: number }, () => {
      const [x, y] = [width * (0.25 + 0.5 * random()), height * (0.2 + 0.5 * random())]
      return random() < 0.65 ? smiley(x, y, radius) : heart(x, y, radius * 1.05)
    })
    return jpegOf(pipeline(await drawnOver(photo, drawn.join(''))))
  })
}

/** @param bandOf where the band lies, as shares of the height, and how it looks. */
function caption(id, bandOf) {
  return edit(id, 'medium', async ({ photo, random }) => {
    const { from, high, ground, opacity, ink } = bandOf(random)
    const [y, height] = [photo.height * from, photo.height * high]
    const band = `<rect x="0" y="${y}" width="${photo.width}" height="${height}" fill="${ground}" fill-opacity="${opacity}"/>`
    const said = text(photo.width / 2, y + height * 0.68, height * 0.5, ink, words(random), 'text-anchor="middle"')
    return jpegOf(pipeline(await drawnOver(photo, band + said)))
  })
}
