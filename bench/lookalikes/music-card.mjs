// The card of a song, as an app puts it on a story.

import { bubble } from '../variants/unseen/widgets.mjs'
import { sentence } from '../variants/unseen/words.mjs'
import { canvas, family, filling, hsl, saved, words } from './draw.mjs'

const SIZES = [
  { w: 760, h: 230, cover: { x: 24, y: 24, w: 182, h: 182 }, text: { x: 236, y: 84 } },
  { w: 560, h: 740, cover: { x: 30, y: 30, w: 500, h: 500 }, text: { x: 36, y: 600 } },
  { w: 620, h: 330, cover: { x: 30, y: 30, w: 270, h: 270 }, text: { x: 326, y: 120 } },
]

/** As the elements of `elements.mjs`. */
export const musicCard = { styleOf, alone, ways: ['bare', 'on a page', 'in a post'], post }

async function styleOf(style, number, photo) {
  const size = SIZES[number]
  const { w, h } = size.cover
  const cover = await saved(await canvas(w, h, '#000', [await filling(await photo.open(), { w, h })]), style)
  const isDark = number === 1 || style() < 0.5
  return {
    ...size,
    cover: { ...size.cover, data: cover.toString('base64') },
    ground: '#fff',
    fill: isDark ? hsl(style.int(0, 359), style.int(10, 50), 16) : '#ffffff',
    ink: isDark ? '#fff' : '#111',
    font: family(style),
    song: sentence(style, 1, 2),
    singer: sentence(style, 1, 2),
    radius: style.int(18, 40),
  }
}

function alone({ w, h, cover, text, fill, ink, font, song, singer, radius }) {
  const picture = `<image x="${cover.x}" y="${cover.y}" width="${cover.w}" height="${cover.h}" href="data:image/jpeg;base64,${cover.data}"/>`
  const said =
    words(text.x, text.y, 44, ink, song, { font, bold: true }) + words(text.x, text.y + 54, 34, ink, singer, { font })
  const progress = `<rect x="${text.x}" y="${text.y + 84}" width="${w - text.x - 40}" height="8" rx="4" fill="${ink}" fill-opacity="0.3"/><rect x="${text.x}" y="${text.y + 84}" width="${(w - text.x) / 3}" height="8" rx="4" fill="${ink}"/>`
  return bubble(0, 0, w, h, fill, radius) + picture + said + progress
}

async function post(style, photo, random) {
  const [w, h] = [1080, 1920]
  const scale = 0.7 + 0.5 * random()
  const [x, y] = [random.int(20, w - 20 - Math.round(style.w * scale)), random.int(220, 1700 - Math.round(style.h * scale))]
  const bars = `<rect x="20" y="30" width="${w - 40}" height="6" rx="3" fill="#fff" fill-opacity="0.7"/><circle cx="70" cy="110" r="42" fill="${hsl(random.int(0, 359), 50, 60)}"/>${words(130, 124, 38, '#fff', sentence(random, 1, 1), { bold: true })}`
  const card = `<g transform="translate(${x} ${y}) scale(${scale})"><svg width="${style.w}" height="${style.h}">${alone(style)}</svg></g>`
  return canvas(w, h, '#000', [await filling(photo, { w, h }), bars, card])
}
