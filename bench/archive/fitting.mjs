// Pages drawn at random, to choose the constants of frame removal: a picture of any size anywhere on a screen, alone, in a bubble, or among others. They
// resemble no app, so that constants are not fitted to one.

import { catalogueOf, edit, variantsOf } from '../variants/generate.mjs'
import { jpegOf, pictureOf, pipeline, plain, storedPng, throughMessenger } from '../variants/picture.mjs'
import { svg, text } from '../variants/svg.mjs'

const SCREENS = [
  { width: 720, height: 1600 },
  { width: 1080, height: 2340 },
  { width: 1440, height: 3040 },
  { width: 1920, height: 1080 },
  { width: 1366, height: 768 },
]
const WORDS = [
  'and then',
  'seen by many',
  '12:41',
  'more',
  'reply',
  'forwarded',
  'yesterday',
  'what is this',
  'ok',
  '3 comments',
]

const edits = [
  edit('fit_page', 'fitting', async ({ photo, random }) => saved(await page(photo, random, 0.3, 1), random)),
  edit('fit_small', 'fitting', async ({ photo, random }) => saved(await page(photo, random, 0.12, 0.4), random)),
  edit('fit_bubble', 'fitting', async ({ photo, random }) => saved(await page(photo, random, 0.35, 0.85, true), random)),
  edit('fit_sheet', 'fitting', async ({ photo, random, others }) => saved(await sheet(photo, random, others), random), {
    usesOthers: true,
  }),
]

export const CATALOG = catalogueOf(edits)

export const variants = variantsOf(edits)

async function saved(picture, random) {
  const sent = random() < 0.35
  return jpegOf(pipeline(sent ? await throughMessenger(picture) : picture), sent ? 60 : 90)
}

/** One picture, at least `least` and at most `most` of the screen's width, among lines of text. */
async function page(photo, random, least, most, inBubble = false) {
  const screen = random.pick(SCREENS)
  const share = least + (most - least) * random()
  const { width, height } = fitted(photo, share * screen.width, 0.75 * screen.height)
  const left = random.int(0, screen.width - width)
  const top = random.int(Math.round(0.05 * screen.height), Math.max(0, Math.round(0.95 * screen.height) - height))
  const place = { left, top, width, height }
  const light = random() < 0.5
  const margin = inBubble ? random.int(4, 24) : 0
  const bubble = inBubble ? box(place, margin, random.pick(light ? ['#fff', '#d9fdd3'] : ['#1f2c34', '#005c4b'])) : ''
  const radius = random() < 0.5 ? 0 : Math.round(Math.min(width, height) * 0.06 * random())
  return composed(screen, random, light, [
    { input: svg(screen.width, screen.height, lines(screen, place, random, light) + bubble), left: 0, top: 0 },
    { input: await shown(photo, width, height, radius), left, top },
    ...(random() < 0.4 ? [{ input: svg(screen.width, screen.height, stamp(place, random)), left: 0, top: 0 }] : []),
  ])
}

/** Pictures in rows and columns, cut to one shape, with gaps or without. */
async function sheet(photo, random, others) {
  const screen = random.pick(SCREENS)
  const [across, down] = [random.int(2, 4), random.int(1, 4)]
  const gap = random.pick([0, 2, 4, 8, 16])
  const width = Math.floor((screen.width - gap * (across + 1)) / across)
  const height = Math.min(
    Math.round(width * random.pick([1, 1.25, 4 / 3, 0.75])),
    Math.floor((0.9 * screen.height) / down) - gap,
  )
  const slot = random.int(0, across * down - 1)
  const from = random.int(0, Math.max(0, screen.height - down * (height + gap)))
  const layers = []
  for (let i = 0; i < across * down; i++) {
    const source = i === slot ? photo : others[(i + random.int(0, 50)) % others.length]
    const left = gap + (i % across) * (width + gap)
    const top = from + Math.floor(i / across) * (height + gap)
    layers.push({ input: await storedPng(pipeline(source).resize(width, height, { fit: 'cover' })), left, top })
  }
  return composed(screen, random, random() < 0.5, layers)
}

function fitted({ width, height }, maxWidth, maxHeight) {
  const scale = Math.min(maxWidth / width, maxHeight / height)
  return { width: Math.max(16, Math.round(width * scale)), height: Math.max(16, Math.round(height * scale)) }
}

async function shown(photo, width, height, radius) {
  const plainly = pipeline(photo).resize(width, height, { fit: 'fill' })
  if (radius === 0) return storedPng(plainly)
  const mask = svg(width, height, `<rect width="${width}" height="${height}" rx="${radius}" fill="#fff"/>`)
  return storedPng(plainly.ensureAlpha().composite([{ input: mask, blend: 'dest-in' }]))
}

async function composed(screen, random, light, layers) {
  const ground = await background(screen, random, light)
  return pictureOf(ground.composite(layers).png({ compressionLevel: 0 }))
}

/** One colour, a gradient, or a pattern of small signs. */
async function background({ width, height }, random, light) {
  const level = light ? random.int(215, 255) : random.int(0, 40)
  const tint = () => Math.max(0, Math.min(255, level + random.int(-20, 20)))
  const colour = `rgb(${tint()},${tint()},${tint()})`
  const ground = plain(width, height, colour)
  const kind = random()
  if (kind < 0.5) return ground
  const second = `rgb(${tint()},${tint()},${tint()})`
  const gradient = `<linearGradient id="g" x2="${random()}" y2="1"><stop stop-color="${colour}"/><stop offset="1" stop-color="${second}"/></linearGradient>`
  const signs = kind < 0.75 ? '' : pattern(width, height, random, second)
  const body = `<defs>${gradient}</defs><rect width="100%" height="100%" fill="url(#g)"/>${signs}`
  return plain(width, height, colour).composite([{ input: svg(width, height, body) }])
}

function pattern(width, height, random, colour) {
  const step = random.int(50, 120)
  let signs = ''
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      const [cx, cy, r] = [x + random.int(0, step), y + random.int(0, step), random.int(6, 22)]
      signs += `<circle cx="${cx}" cy="${cy}" r="${r}" fill="none" stroke="${colour}" stroke-width="3"/>`
    }
  }
  return signs
}

function box({ left, top, width, height }, margin, fill) {
  return `<rect x="${left - margin}" y="${top - margin}" width="${width + 2 * margin}" height="${height + 2 * margin + 40}" rx="24" fill="${fill}"/>`
}

function stamp({ left, top, width, height }, random) {
  const size = Math.max(10, Math.round(height * 0.06))
  const [x, y] = [left + width * (0.05 + 0.6 * random()), top + height * (0.1 + 0.85 * random())]
  return text(x, y, size, random.pick(['#fff', '#000', '#fc3']), random.pick(WORDS))
}

/** Text and bars above and below, some of them right beside the picture. */
function lines({ width, height }, place, random, light) {
  const fill = light ? '#222' : '#ddd'
  let body = ''
  for (let y = random.int(20, 80); y < height - 20; y += random.int(40, 160)) {
    if (random() < 0.3) continue
    const x = random.int(10, Math.round(width / 2))
    if (random() < 0.25) {
      const bar = random.pick(light ? ['#e4e6ea', '#cfd4d8', '#517da2'] : ['#263238', '#17212b', '#2b5278'])
      body += `<rect x="${x}" y="${y}" width="${random.int(width / 5, width / 1.2)}" height="${random.int(30, 130)}" rx="${random.int(0, 30)}" fill="${bar}"/>`
    }
    body += text(x + 12, y + 26, random.int(18, 40), fill, random.pick(WORDS))
  }
  if (random() < 0.5) body += text(place.left, place.top - 10, 30, fill, random.pick(WORDS))
  return body
}
