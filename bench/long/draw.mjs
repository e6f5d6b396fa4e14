// Draws long screenshots: a chat, a feed, a comic strip, a web page.

import { canvas, filling, hsl, masked, saved, words } from '../lookalikes/draw.mjs'
import { clock, fullName, paragraph, sentence } from '../variants/unseen/words.mjs'

export const WIDTH_PX = 1080
const END_PX = 60

/**
 * @param photos as `photographs` gives them; taken in turn from the one with index `first`.
 * @returns the file, its length, and where each photograph is.
 */
export async function drawLong(kind, random, photos, { first, lengthPx, photoShare = 0.22 }) {
  const { background, item } = KINDS[kind]
  const layers = []
  const places = []
  const put = async (photo, box, shape) => {
    layers.push(await (shape === undefined ? filling(photo, box) : masked(photo, box, shape)))
    places.push(placeOf(photo.name, box))
  }
  const next = async () => {
    const { name, open } = photos[(first + places.length) % photos.length]
    return { ...(await open()), name }
  }
  for (let top = random.int(0, 60); ; ) {
    const drawn = await item(random, top, { next, photoShare })
    if (top + drawn.high > lengthPx - END_PX) break
    layers.push(drawn.body)
    for (const { photo, box, shape } of drawn.photos ?? []) await put(photo, box, shape)
    top += drawn.high
  }
  const picture = await canvas(WIDTH_PX, lengthPx, background, layers)
  return { bytes: await saved(picture, random), lengthPx, places }
}

function placeOf(name, { x, y, w, h }) {
  return { name, left: Math.round(x), top: Math.round(y), width: Math.round(w), height: Math.round(h) }
}

const rounded = (w, h) => `<rect width="${w}" height="${h}" rx="20" fill="#fff"/>`

const KINDS = {
  chat: {
    background: '#efe7de',
    async item(random, top, { next, photoShare }) {
      const isMine = random() < 0.5
      const fill = isMine ? '#d9fdd3' : '#fff'
      const hour = (x, y) => words(x, y, 28, '#667', clock(random))
      if (random() < photoShare) {
        const w = random.pick([640, 700, 760])
        const h = Math.round(w * random.pick([0.75, 1, 1.25, 1.33]))
        const x = isMine ? WIDTH_PX - w - 30 : 30
        const box = `<rect x="${x - 8}" y="${top}" width="${w + 16}" height="${h + 64}" rx="26" fill="${fill}"/>`
        const photos = [{ photo: await next(), box: { x, y: top + 8, w, h }, shape: rounded(w, h) }]
        return { body: box + hour(x + w - 100, top + h + 48), photos, high: h + 90 }
      }
      const said = paragraph(0, 0, { wide: 760, size: 42, fill: '#111', words: sentence(random, 1, 24) })
      const [w, h] = [840, said.high + 70]
      const x = isMine ? WIDTH_PX - w - 30 : 30
      const box = `<rect x="${x}" y="${top}" width="${w}" height="${h}" rx="26" fill="${fill}"/>`
      const body = `${box}<g transform="translate(${x + 30} ${top + 14})">${said.body}</g>${hour(x + w - 110, top + h - 14)}`
      return { body, high: h + random.pick([10, 10, 34]) }
    },
  },
  feed: {
    background: '#fff',
    async item(random, top, { next }) {
      const h = random.pick([1080, 1350, 720, 810])
      const head = `<circle cx="80" cy="${top + 70}" r="44" fill="${hsl(random.int(0, 359), 50, 60)}"/>${words(150, top + 64, 38, '#111', fullName(random), { bold: true })}`
      const icons = [60, 160, 260]
        .map((x) => `<circle cx="${x}" cy="${top + 210 + h}" r="28" fill="none" stroke="#222" stroke-width="6"/>`)
        .join('')
      const said = paragraph(40, top + 260 + h, { wide: 1000, size: 36, fill: '#111', words: sentence(random, 4, 30) })
      const photos = [{ photo: await next(), box: { x: 0, y: top + 150, w: WIDTH_PX, h } }]
      return { body: head + icons + said.body, photos, high: 150 + h + 110 + said.high + 60 }
    },
  },
  comic: {
    background: '#fff',
    async item(random, top, { next }) {
      const h = random.int(420, 900)
      const left = random.int(360, 620)
      const boxes =
        random() < 0.5
          ? [{ x: 30, w: WIDTH_PX - 60 }]
          : [
              { x: 30, w: left },
              { x: left + 60, w: WIDTH_PX - 90 - left },
            ]
      const photos = []
      for (const box of boxes) photos.push({ photo: await next(), box: { ...box, y: top, h } })
      return { body: '', photos, high: h + random.pick([30, 30, 160]) }
    },
  },
  page: {
    background: '#fff',
    async item(random, top, { next }) {
      const title = words(60, top + 70, 60, '#123', sentence(random, 3, 5), { bold: true })
      const said = paragraph(60, top + 100, { wide: 960, size: 38, fill: '#222', words: sentence(random, 20, 90) })
      const h = random.pick([540, 640, 720])
      const box = { x: 60, y: top + 130 + said.high, w: WIDTH_PX - 120, h }
      const caption = words(60, box.y + h + 40, 28, '#777', sentence(random, 4, 8))
      return { body: title + said.body + caption, photos: [{ photo: await next(), box }], high: 130 + said.high + h + 90 }
    },
  },
}

export const KIND_NAMES = Object.keys(KINDS)
