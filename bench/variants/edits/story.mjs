// A story as a phone shows it.

import sharp from 'sharp'
import { pipeline, plain, storedPng } from '../picture.mjs'
import { heart, svg, text } from '../svg.mjs'
import { fitted, HIGH, homeBar, screenOf, statusBar, WIDE } from './phone.mjs'
import { userName, words } from './words.mjs'

const TOP = 96
const STORY_HIGH = 1920

/** @param fill what is beside the picture: `blur` of itself, a `solid` colour, or nothing, as it covers the screen. */
export async function story(photo, random, fill) {
  const ground = fill === 'cover' ? [] : [{ input: await backgrounds[fill](photo), left: 0, top: TOP }]
  const picture = fill === 'cover' ? await covering(photo) : await inTheMiddle(photo)
  const signs = progress(random) + header(random) + sticker(random) + footer()
  return screenOf('#000', [...ground, picture, { input: svg(WIDE, HIGH, signs) }])
}

const backgrounds = {
  async blur(photo) {
    const small = await pipeline(photo).resize(108, 192, { fit: 'cover' }).blur(6).toFormat('png').toBuffer()
    return storedPng(sharp(small).resize(WIDE, STORY_HIGH, { kernel: 'cubic' }).linear(0.75, 0))
  },
  async solid(photo) {
    const { dominant } = await pipeline(photo).stats()
    return storedPng(plain(WIDE, STORY_HIGH, { r: dominant.r, g: dominant.g, b: dominant.b }))
  },
}

async function inTheMiddle(photo) {
  const { w, h } = fitted(photo, WIDE, STORY_HIGH)
  const input = await storedPng(pipeline(photo).resize(w, h, { fit: 'fill' }))
  return { input, left: Math.floor((WIDE - w) / 2), top: TOP + Math.floor((STORY_HIGH - h) / 2) }
}

async function covering(photo) {
  const scale = Math.max(WIDE / photo.width, STORY_HIGH / photo.height)
  const [w, h] = [Math.round(photo.width * scale), Math.round(photo.height * scale)]
  const large = await storedPng(pipeline(photo).resize(w, h, { fit: 'fill' }))
  const [left, top] = [Math.floor((w - WIDE) / 2), Math.floor((h - STORY_HIGH) / 2)]
  return { input: await storedPng(sharp(large).extract({ left, top, width: WIDE, height: STORY_HIGH })), left: 0, top: TOP }
}

function progress(random) {
  const parts = random.int(1, 5)
  const current = random.int(0, parts - 1)
  const step = (WIDE - 40) / parts
  const bars = Array.from({ length: parts }, (_, i) => {
    const opacity = i < current ? 0.95 : 0.4
    return `<rect x="${20 + i * step + 4}" y="${TOP + 20}" width="${step - 8}" height="6" rx="3" fill="#fff" fill-opacity="${opacity}"/>`
  })
  return statusBar('#fff', random) + bars.join('')
}

function header(random) {
  const ring = `<circle cx="70" cy="${TOP + 90}" r="42" fill="#c84b8c"/>`
  const face = `<circle cx="70" cy="${TOP + 90}" r="36" fill="${random.pick(['#888', '#5a7', '#a75', '#57a'])}"/>`
  const name = text(130, TOP + 104, 38, '#fff', userName(random), 'font-weight="bold"')
  const age = text(430, TOP + 104, 36, '#ddd', `${random.int(1, 23)}h`)
  return ring + face + name + age + text(990, TOP + 108, 52, '#fff', '&#215;') + text(890, TOP + 100, 48, '#fff', '...')
}

function sticker(random) {
  if (random() >= 0.6) return ''
  const y = TOP + STORY_HIGH * (0.15 + 0.65 * random())
  const said = text(540, y, 54, '#e33', words(random), 'text-anchor="middle"')
  const ground = random.pick(['#000', '#fff'])
  return `<rect x="200" y="${y - 60}" width="680" height="86" rx="14" fill="${ground}" fill-opacity="0.85"/>${said}`
}

function footer() {
  const y = TOP + STORY_HIGH + 60
  const field = `<rect x="40" y="${y}" width="760" height="110" rx="55" fill="none" stroke="#999" stroke-width="3"/>`
  const send = `<path d="M 960 ${y + 25} l 70 25 l -60 45 z" fill="none" stroke="#fff" stroke-width="5"/>`
  return field + text(90, y + 70, 40, '#ccc', 'Send message') + heart(880, y + 58, 34) + send + homeBar('#fff')
}
