// Memes: one template with other words, or with another small picture. The template takes most of each picture.

import { randomOf } from '../variants/random.mjs'
import { bubble } from '../variants/unseen/widgets.mjs'
import { paragraph, sentence } from '../variants/unseen/words.mjs'
import { canvas, filling, saved, words } from './draw.mjs'

const MEMES = 8 // of each template; the first is registered, the others are asked
const WIDE = 800

/** Each returns the height and the layers of one meme of a template. */
const LAYOUTS = [loud, headed, demotivator, beside, labelled, subtitled, stacked, comic, pasted]

export const memes = [
  {
    name: 'memes of many templates',
    async draw({ photos, size, set, seed }) {
      const [registered, asked] = [[], []]
      for (let t = 0; t < size; t++) {
        const style = randomOf(`${seed} ${set} memes template ${t}`)
        const shown = [photos[(2 * t) % photos.length], photos[(2 * t + 1) % photos.length]]
        const template = { style: style.int(0, 1e6), photos: await Promise.all(shown.map((photo) => photo.open())) }
        for (let i = 0; i < MEMES; i++) {
          const random = randomOf(`${seed} ${set} memes ${t} ${i}`)
          const other = photos[(2 * t + 2 + i) % photos.length]
          const { h, layers, ground = '#fff' } = await LAYOUTS[t % LAYOUTS.length](template, random, other)
          const bytes = await saved(await canvas(WIDE, h, ground, layers), random)
          ;(i === 0 ? registered : asked).push({ name: `meme ${t} ${i}`, bytes })
        }
      }
      return { registered, asked }
    },
  },
]

function highOf({ width, height }) {
  return Math.round(WIDE * Math.min(1.4, Math.max(0.6, height / width)))
}

/** Words in white with a black rim, in the middle of `x`. */
function rimmed(x, y, said, size = Math.min(58, 1050 / said.length)) {
  const extra = 'stroke="#000" stroke-width="3" paint-order="stroke"'
  return words(x, y, size, '#fff', said, { anchor: 'middle', bold: true, extra })
}

async function loud({ photos: [photo] }, random) {
  const h = highOf(photo)
  const said = [76, h - 30].map((y) => rimmed(WIDE / 2, y, sentence(random, 2, 4).toUpperCase()))
  return { h, layers: [await filling(photo, { w: WIDE, h }), said.join('')] }
}

async function headed({ photos: [photo] }, random) {
  const h = highOf(photo)
  const said = paragraph(30, 16, { wide: WIDE - 60, size: 42, fill: '#000', words: sentence(random, 5, 14) })
  const y = Math.max(170, Math.round(said.high) + 50)
  return { h: h + y, layers: [said.body, await filling(photo, { y, w: WIDE, h })] }
}

async function demotivator({ photos: [photo] }, random) {
  const high = highOf(photo)
  const rim = `<rect x="56" y="56" width="${WIDE - 112}" height="${high - 108}" fill="none" stroke="#fff" stroke-width="3"/>`
  const said =
    words(WIDE / 2, high + 60, 62, '#fff', sentence(random, 1, 2).toUpperCase(), {
      anchor: 'middle',
      font: 'DejaVu Serif',
    }) + words(WIDE / 2, high + 118, 30, '#fff', sentence(random, 3, 7), { anchor: 'middle' })
  const picture = await filling(photo, { x: 64, y: 64, w: WIDE - 128, h: high - 124 })
  return { h: high + 160, ground: '#000', layers: [picture, rim + said] }
}

/** Two pictures on the left, and what they stand for on the right. */
async function beside({ photos }, random) {
  const half = WIDE / 2
  const boxes = [0, 1].map((row) => ({ x: 0, y: row * 360, w: half, h: 360 }))
  const said = boxes.map(
    ({ y }) => paragraph(half + 24, y + 70, { wide: half - 50, size: 40, fill: '#111', words: sentence(random, 2, 6) }).body,
  )
  const pictures = await Promise.all(boxes.map((box, i) => filling(photos[i], box)))
  return { h: 720, layers: [...pictures, `<rect y="358" width="${WIDE}" height="4"/>${said.join('')}`] }
}

/** Words on three things in the picture. */
async function labelled({ style, photos: [photo] }, random) {
  const h = highOf(photo)
  const places = randomOf(`places ${style}`)
  const at = [0.2, 0.5, 0.8].map((x) => [x * WIDE, h * (0.2 + 0.65 * places())])
  const said = at.map(([x, y]) => rimmed(x, y, sentence(random, 1, 2), 34))
  return { h, layers: [await filling(photo, { w: WIDE, h }), said.join('')] }
}

async function subtitled({ photos: [photo] }, random) {
  const h = highOf(photo)
  return { h, layers: [await filling(photo, { w: WIDE, h }), rimmed(WIDE / 2, h - 46, sentence(random, 3, 7), 38)] }
}

async function stacked({ photos }, random) {
  const boxes = [0, 1].map((row) => ({ y: row * 460, w: WIDE, h: 460 }))
  const said = boxes.map(({ y, h }) => rimmed(WIDE / 2, y + h - 34, sentence(random, 2, 6), 38))
  return { h: 920, layers: [...(await Promise.all(boxes.map((box, i) => filling(photos[i], box)))), said.join('')] }
}

/** Four panels, in which somebody says something. */
async function comic({ photos }, random) {
  const half = WIDE / 2
  const boxes = [0, 1, 2, 3].map((i) => ({ x: (i % 2) * half, y: Math.floor(i / 2) * 420, w: half - 4, h: 416 }))
  const sides = ['left top', 'right top', 'left bottom', 'right bottom']
  const pictures = await Promise.all(boxes.map((box, i) => filling(photos[i % 2], box, sides[i])))
  const said = boxes.map(({ x, y }) => {
    const text = paragraph(x + 36, y + 30, { wide: half - 80, size: 30, fill: '#111', words: sentence(random, 2, 6) })
    return bubble(x + 20, y + 20, half - 44, Math.round(text.high) + 44, '#fff', 30) + text.body
  })
  return { h: 840, layers: [...pictures, said.join('')] }
}

/** Another face, pet or thing in one place. It takes about a tenth of the picture. */
async function pasted({ style, photos: [photo] }, random, other) {
  const h = highOf(photo)
  const places = randomOf(`places ${style}`)
  const side = Math.round(Math.sqrt(0.1 * WIDE * h))
  const box = { x: places.int(20, WIDE - side - 20), y: places.int(20, h - side - 20), w: side, h: side }
  const said = rimmed(WIDE / 2, h - 30, sentence(random, 1, 4), 40)
  return { h, layers: [await filling(photo, { w: WIDE, h }), await filling(await other.open(), box), said] }
}
