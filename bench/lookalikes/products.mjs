// Product pictures of shops: T-shirts laid flat. No two have the same print, few the same cut.

import { pictureOf, pipeline } from '../variants/picture.mjs'
import { randomOf } from '../variants/random.mjs'
import { canvas, family, filling, hsl, saved, words } from './draw.mjs'

const PRINTS = ['none', 'stripes', 'disc', 'words', 'photograph', 'pocket', 'block', 'leaves']

export const products = [
  {
    name: 'T-shirts laid flat',
    async draw({ photos, size, set, seed }) {
      const registered = []
      for (let i = 0; i < size; i++) {
        const random = randomOf(`${seed} ${set} shirt ${i}`)
        const picture = await shirt(photos[(i + 29) % photos.length], random)
        registered.push({ name: `shirt ${i}`, bytes: await saved(picture, random) })
      }
      return { registered }
    },
  },
]

async function shirt(photo, random) {
  const [w, h] = random.pick([
    [800, 800],
    [800, 1000],
    [900, 1000],
  ])
  const span = Math.min(w, h) * (0.6 + 0.28 * random())
  const [left, top] = [(w - span) / 2 + w * 0.08 * (random() - 0.5), (h - span) / 2 + h * 0.08 * (random() - 0.5)]
  const outline = shirtOutline(random)
  const fill = hsl(random.int(0, 359), random.int(5, 70), random.int(12, 92))
  const drawn = await printOf(random, photo)
  const clip = `<clipPath id="c"><path d="${outline.body}"/></clipPath>`
  const frame = (body) => `<g transform="translate(${left} ${top}) scale(${span})">${body}</g>`
  const shadow = `<path d="${outline.body}" fill="#000" fill-opacity="0.18" transform="translate(0.008 0.012)"/>`
  const cloth = `${shadow}<path d="${outline.body}" fill="${fill}" stroke="#000" stroke-opacity="0.25" stroke-width="0.004"/>`
  const seams = `<g fill="none" stroke="#000" stroke-opacity="0.3" stroke-width="0.004"><path d="${outline.collar}"/><path d="${outline.seams}"/></g>`
  const layers = [
    ground(random, w, h),
    frame(`<defs>${clip}</defs>${cloth}<g clip-path="url(#c)">${drawn.body}${foldsOf(random)}</g>${seams}`),
  ]
  if (drawn.photograph !== undefined) {
    const { x, y, side } = drawn
    layers.push(await filling(drawn.photograph, { x: left + x * span, y: top + y * span, w: side * span, h: side * span }))
  }
  return rotated(await grained(await canvas(w, h, '#fff', layers), random), random)
}

/** In a square of 1 × 1; cuts differ in sleeves, waist, length and collar. */
function shirtOutline(random) {
  const [sleeve, drop, waist, long, neck] = [
    0.01 + 0.13 * random(),
    random() < 0.3 ? 0.6 + 0.25 * random() : 0.26 + 0.22 * random(),
    0.22 + 0.05 * random(),
    0.9 + 0.08 * random(),
    0.1 + 0.04 * random(),
  ]
  const isV = random() < 0.25
  const collarLow = isV ? 0.2 : 0.1 + 0.04 * random()
  const collar = isV ? `L0.5 ${collarLow} L${0.5 + neck} 0.04` : `Q0.5 ${collarLow + 0.06} ${0.5 + neck} 0.04`
  const body = `M${0.5 - neck} 0.04 ${collar} L0.76 0.09 L${1 - sleeve} ${drop} L${0.86 - sleeve} ${drop + 0.07} L${1 - waist} 0.3 L${1 - waist + 0.02 * random()} ${long} H${waist} L${waist} 0.3 L${0.14 + sleeve} ${drop + 0.07} L${sleeve} ${drop} L0.24 0.09Z`
  return {
    body,
    collar: `M${0.5 - neck - 0.015} 0.05 ${isV ? `L0.5 ${collarLow + 0.025} L${0.515 + neck} 0.05` : `Q0.5 ${collarLow + 0.09} ${0.515 + neck} 0.05`}`,
    seams: `M0.25 0.1 Q0.29 0.2 ${waist} 0.3 M0.75 0.1 Q0.71 0.2 ${1 - waist} 0.3 M${waist} ${long - 0.03} H${1 - waist}`,
  }
}

async function printOf(random, photo) {
  const kind = random.pick(PRINTS)
  const colour = () => hsl(random.int(0, 359), random.int(30, 85), random.int(20, 88))
  if (kind === 'stripes') {
    const step = 0.03 + 0.08 * random()
    const paint = colour()
    return {
      body: Array.from(
        { length: Math.ceil(1 / step) },
        (_, i) => `<rect y="${i * step}" width="1" height="${step * 0.5}" fill="${paint}"/>`,
      ).join(''),
    }
  }
  if (kind === 'disc')
    return {
      body: `<circle cx="0.5" cy="${0.36 + 0.1 * random()}" r="${0.08 + 0.1 * random()}" fill="${colour()}"/><circle cx="${0.46 + 0.08 * random()}" cy="0.42" r="${0.03 + 0.06 * random()}" fill="${colour()}"/>`,
    }
  if (kind === 'words') {
    const paint = colour()
    const font = family(random)
    return {
      body: ['NORTH', 'good days', 'No. 9', 'SURF', 'hello', 'ROUTE 7']
        .slice(random.int(0, 3))
        .slice(0, 2)
        .map((word, i) => words(0.5, 0.38 + i * 0.11, 0.09, paint, word, { anchor: 'middle', bold: true, font }))
        .join(''),
    }
  }
  if (kind === 'photograph')
    return { body: '', photograph: await photo.open(), x: 0.34, y: 0.28 + 0.05 * random(), side: 0.32 }
  if (kind === 'pocket')
    return {
      body: `<rect x="0.56" y="0.32" width="0.13" height="0.15" fill="${colour()}" stroke="#000" stroke-opacity="0.3" stroke-width="0.003"/>`,
    }
  if (kind === 'block') return { body: `<rect y="${0.3 + 0.2 * random()}" width="1" height="1" fill="${colour()}"/>` }
  if (kind === 'leaves') {
    const paint = colour()
    return {
      body: Array.from(
        { length: random.int(15, 45) },
        () =>
          `<ellipse transform="translate(${random()} ${random()}) rotate(${random.int(0, 179)})" rx="${0.03 + 0.03 * random()}" ry="0.016" fill="${paint}"/>`,
      ).join(''),
    }
  }
  return { body: '' }
}

function foldsOf(random) {
  return Array.from({ length: random.int(6, 13) }, () => {
    const [x, y] = [0.2 + 0.6 * random(), 0.15 + 0.75 * random()]
    const dark = random() < 0.6
    return `<path d="M${x} ${y} q${0.2 * (random() - 0.5)} ${0.15 * random()} ${0.24 * (random() - 0.5)} ${0.3 * random()}" fill="none" stroke="${dark ? '#000' : '#fff'}" stroke-opacity="${0.05 + 0.12 * random()}" stroke-width="${0.01 + 0.03 * random()}" stroke-linecap="round"/>`
  }).join('')
}

/** Backgrounds: white, cloth, planks. */
function ground(random, w, h) {
  const kind = random.int(0, 3)
  if (kind < 2) return `<rect width="${w}" height="${h}" fill="${random.pick(['#ffffff', '#f6f6f4', '#ececec'])}"/>`
  const hue = random.int(20, 45)
  if (kind === 2) return `<rect width="${w}" height="${h}" fill="${hsl(random.int(0, 359), 12, random.int(60, 85))}"/>`
  const wide = random.int(90, 170)
  return Array.from(
    { length: Math.ceil(w / wide) },
    (_, i) => `<rect x="${i * wide}" width="${wide - 3}" height="${h}" fill="${hsl(hue, 35, random.int(50, 62))}"/>`,
  ).join('')
}

async function grained(picture, random) {
  const data = Buffer.from(picture.data.map((level) => Math.max(0, Math.min(255, level + (random() - 0.5) * 14))))
  return { ...picture, data }
}

/** Rotated slightly in most cases; empty corners are cropped. */
async function rotated(picture, random) {
  const whole = await pictureOf(pipeline(picture).rotate((random() - 0.5) * 14, { background: '#f4f4f4' }))
  const [width, height] = [Math.round(picture.width * 0.88), Math.round(picture.height * 0.88)]
  const [left, top] = [Math.floor((whole.width - width) / 2), Math.floor((whole.height - height) / 2)]
  return pictureOf(pipeline(whole).extract({ left, top, width, height }))
}
