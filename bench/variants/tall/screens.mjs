// Stories, reels and status views that fill a tall phone: the picture is cropped to the screen, and words and icons lie on it.

import sharp from 'sharp'
import { words } from '../edits/words.mjs'
import { pictureOf, pipeline, storedPng } from '../picture.mjs'
import { svg, text } from '../svg.mjs'
import { block, icon, icons, statusBar } from '../unseen/widgets.mjs'

const WIDE = 1080
/** Height over width of phones: 9:16 to 9:22. */
const TALLEST = [16 / 9, 18 / 9, 19.5 / 9, 20 / 9, 21 / 9, 22 / 9]
/** The widgets are drawn in units of a screen 390 wide. */
const UNIT = WIDE / 390

export async function fullStory(photo, random) {
  const { high, picture } = await filled(photo, random)
  const bars = random.int(1, 6)
  const step = 370 / bars
  const progress = Array.from({ length: bars }, (_, i) =>
    block(10 + i * step + 1, 12, step - 3, 2.4, '#fff', `fill-opacity="${i === 0 ? 1 : 0.5}"`),
  )
  const name = `<circle cx="30" cy="40" r="16" fill="#d86"/>${text(54, 45, 14, '#fff', words(random))}`
  const bottom = high / UNIT - 62
  const field = `<rect x="16" y="${bottom}" width="270" height="42" rx="21" fill="#000" fill-opacity="0.25" stroke="#fff"/>${text(34, bottom + 26, 14, '#fff', 'Reply')}`
  const signs = icons(['heart', 'share'], { from: 318, to: 362, y: bottom + 10, size: 24, colour: '#fff' })
  return drawn(picture, high, progress.join('') + name + field + signs + sticker(random, high / UNIT))
}

export async function reel(photo, random) {
  const { high, picture } = await filled(photo, random)
  const units = high / UNIT
  const column = ['heart', 'comment', 'share', 'bookmark', 'repeat'].map((name, i) => {
    const y = units - 330 + 62 * i
    return icon(name, 342, y, 30, '#fff', { filled: i === 0 }) + text(344, y + 46, 12, '#fff', `${random.int(1, 99)}k`)
  })
  const shade = `<defs><linearGradient id="s" x2="0" y2="1"><stop stop-opacity="0"/><stop offset="1" stop-opacity="0.6"/></linearGradient></defs><rect y="${units * 0.7}" width="390" height="${units * 0.3}" fill="url(#s)"/>`
  const caption =
    text(16, units - 96, 15, '#fff', words(random), 'font-weight="bold"') + text(16, units - 70, 14, '#fff', words(random))
  const tabs =
    block(0, units - 46, 390, 46, '#000') +
    icons(['home', 'search', 'add', 'user'], { from: 40, to: 350, y: units - 36, size: 24, colour: '#fff' })
  return drawn(picture, high, shade + column.join('') + caption + tabs + statusBar(random, 390, '#fff'))
}

export async function status(photo, random) {
  const { high, picture } = await filled(photo, random)
  const units = high / UNIT
  const top =
    block(0, 0, 390, 92, '#000', 'fill-opacity="0.45"') +
    icon('back', 14, 48, 24, '#fff') +
    text(60, 62, 17, '#fff', words(random))
  const lines = random.int(1, 3)
  const said = Array.from({ length: lines }, (_, i) =>
    text(195, units - 84 - 24 * (lines - 1 - i), 17, '#fff', words(random), 'text-anchor="middle"'),
  )
  const box = block(0, units - 104 - 24 * lines, 390, 40 + 24 * lines, '#000', 'fill-opacity="0.5"')
  const reply = icon('up', 186, units - 50, 18, '#fff') + text(195, units - 14, 14, '#fff', 'Reply', 'text-anchor="middle"')
  return drawn(picture, high, statusBar(random, 390, '#fff') + top + box + said.join('') + reply)
}

/** Larger than the screen, as a finger left it. */
export async function zoomed(photo, random) {
  const { high, picture } = await filled(photo, random, 1.05 + 0.35 * random(), 0.25)
  return drawn(picture, high, random() < 0.5 ? statusBar(random, 390, '#fff') : icon('close', 350, 40, 22, '#fff'))
}

/** The whole picture on black, with a notification across its top or beyond. */
export async function notified(photo, random) {
  const high = Math.round(WIDE * random.pick(TALLEST))
  const scale = Math.min(WIDE / photo.width, high / photo.height)
  const [w, h] = [Math.round(photo.width * scale), Math.round(photo.height * scale)]
  const [left, top] = [Math.floor((WIDE - w) / 2), Math.floor((high - h) / 2)]
  const fitted = await storedPng(pipeline(photo).resize(w, h, { fit: 'fill' }))
  const y = Math.max(30, top / UNIT - 20 + 30 * random())
  const dark = random() < 0.5
  const banner =
    block(10, y, 370, 74, dark ? '#222' : '#f4f4f6', 'rx="18"') +
    block(24, y + 18, 38, 38, '#3a7', 'rx="9"') +
    text(74, y + 32, 15, dark ? '#fff' : '#111', words(random), 'font-weight="bold"') +
    text(74, y + 54, 14, dark ? '#ddd' : '#333', words(random))
  const screen = sharp({ create: { width: WIDE, height: high, channels: 3, background: '#000' } })
  const layers = [
    { input: fitted, left, top },
    { input: overlay(high, statusBar(random, 390, '#fff') + banner), left: 0, top: 0 },
  ]
  return pictureOf(sharp(await storedPng(screen.composite(layers))))
}

function sticker(random, units) {
  if (random() < 0.4) return ''
  const y = units * (0.3 + 0.45 * random())
  return (
    block(80, y - 26, 230, 40, random.pick(['#fff', '#000']), 'rx="10" fill-opacity="0.85"') +
    text(195, y + 1, 20, '#d33', words(random), 'text-anchor="middle"')
  )
}

/** The picture, as large as covers a phone's screen, or `scale` times that, moved from the middle by up to `shift` of what is cut off. */
async function filled(photo, random, scale = 1, shift = 0) {
  const high = Math.round(WIDE * random.pick(TALLEST))
  const covering = scale * Math.max(WIDE / photo.width, high / photo.height)
  const [w, h] = [Math.ceil(photo.width * covering), Math.ceil(photo.height * covering)]
  const at = (spare) => Math.round(spare * (0.5 + shift * (2 * random() - 1)))
  const large = await storedPng(pipeline(photo).resize(w, h, { fit: 'fill' }))
  const cut = { left: at(w - WIDE), top: at(h - high), width: WIDE, height: high }
  return { high, picture: await pictureOf(sharp(large).extract(cut)) }
}

async function drawn(picture, high, signs) {
  const layers = [{ input: overlay(high, signs), left: 0, top: 0 }]
  return pictureOf(sharp(await storedPng(pipeline(picture).composite(layers))))
}

function overlay(high, signs) {
  return svg(WIDE, high, `<g transform="scale(${UNIT})">${signs}</g>`)
}
