// Different photographs in the same shapes and devices.

import { randomOf } from '../variants/random.mjs'
import { canvas, filling, hsl, masked, saved } from './draw.mjs'

const COPIES = 15

/** Name of each group, and `draw(photograph, format, style)`: three formats each; `style` varies them by set and seed. */
const MASKS = {
  'circle on white': (photo, format) => circle(photo, '#fff', format),
  'circle on black': (photo, format) => circle(photo, '#000', format),
  'heart mask': heart,
  'rounded corners 23 %': (photo, format) => rounded(photo, 0.23, format),
  'rounded corners 16 %': (photo, format) => rounded(photo, 0.16, format),
  'rounded corners 8 %': (photo, format) => rounded(photo, 0.08, format),
  'phone frames': phoneFrame,
  'laptop and tablet frames': screenFrame,
}

export const masks = Object.entries(MASKS).map(([name, draw], group) => ({
  name,
  async draw({ photos, size, set, seed }) {
    const registered = []
    const copies = []
    for (let i = 0; i < size; i++) {
      const photo = photos[(i + group * 7) % photos.length]
      const random = randomOf(`${seed} ${set} ${name} ${i}`)
      const style = randomOf(`${seed} ${set} ${name} format ${i % 3}`)
      const bytes = await saved(await draw(await photo.open(), i % 3, style), random)
      registered.push({ name: `${name} ${i}`, origin: photo.name, bytes })
      if (i < COPIES) copies.push({ original: await photo.read(), copy: bytes })
    }
    return { registered, copies }
  },
}))

/** Inscribed; with a small margin; with a larger one. */
async function circle(photo, ground, format) {
  const side = [720, 640, 900][format]
  const diameter = side * [1, 0.95, 0.86][format]
  const at = (side - diameter) / 2
  const shape = `<circle cx="${diameter / 2}" cy="${diameter / 2}" r="${diameter / 2}"/>`
  return canvas(side, side, ground, [await masked(photo, { x: at, y: at, w: diameter, h: diameter }, shape)])
}

async function heart(photo, format) {
  const side = [800, 700, 900][format]
  const span = side * [1, 0.94, 0.85][format]
  const at = (side - span) / 2
  const [w, h] = [span, span]
  const lobe = (sign) => {
    const x = (share) => w * (0.5 + sign * share)
    return `C ${x(0.12)} ${h * 0.04} ${x(0.5)} ${h * 0.02} ${x(0.5)} ${h * 0.34} C ${x(0.5)} ${h * 0.62} ${x(0.2)} ${h * 0.76} ${x(0)} ${h * 0.97}`
  }
  const shape = [-1, 1].map((sign) => `<path d="M ${w / 2} ${h * 0.24} ${lobe(sign)} Z"/>`).join('')
  return canvas(side, side, ['#fff', '#fff', '#000'][format], [await masked(photo, { x: at, y: at, w, h }, shape)])
}

/** @param share the radius, as a share of the shorter side. */
async function rounded(photo, share, format) {
  const [w, h] = [
    [800, 800],
    [720, 960],
    [800, 800],
  ][format]
  const shape = `<rect width="${w}" height="${h}" rx="${share * Math.min(w, h)}"/>`
  return canvas(w, h, ['#fff', '#fff', '#000'][format], [await masked(photo, { w, h }, shape)])
}

/** A device around a screenshot, as in presentations: a dark case on a plain or shaded background. */
async function phoneFrame(photo, format, style) {
  const [width, height] = [
    [900, 1600],
    [1080, 1350],
    [1080, 1920],
  ][format]
  const h = height * ([0.84, 0.88, 0.76][format] + 0.05 * style())
  const w = h * (0.46 + 0.03 * style())
  const [x, y] = [(width - w) / 2, (height - h) / 2]
  const rim = w * 0.035
  const hue = style.int(0, 359)
  const ground =
    format === 0
      ? '<rect width="100%" height="100%" fill="#f4f4f6"/>'
      : `<defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="${hsl(hue, 70, 72)}"/><stop offset="1" stop-color="${hsl(hue + 50, 65, 48)}"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/>`
  const buttons = `<rect x="${x + w - 3}" y="${y + h * 0.24}" width="9" height="${h * 0.09}" rx="4" fill="#222"/><rect x="${x - 6}" y="${y + h * 0.2}" width="9" height="${h * 0.06}" rx="4" fill="#222"/>`
  const shell = `${buttons}<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${w * 0.13}" fill="#111" stroke="#555" stroke-width="3"/>`
  const inner = { x: x + rim, y: y + rim, w: w - 2 * rim, h: h - 2 * rim }
  const shape = `<rect width="${inner.w}" height="${inner.h}" rx="${w * 0.1}"/>`
  const notch = [
    `<rect x="${x + w * 0.36}" y="${y + rim + 14}" width="${w * 0.28}" height="${w * 0.075}" rx="${w * 0.04}" fill="#000"/>`,
    `<circle cx="${x + w / 2}" cy="${y + rim + 24}" r="${w * 0.025}" fill="#000"/>`,
    `<path d="M${x + w * 0.27} ${y + rim - 2}h${w * 0.46}q-10 ${w * 0.08} -40 ${w * 0.08}h-${w * 0.46 - 80}q-30 0 -40 -${w * 0.08}z" fill="#111"/>`,
  ][format]
  return canvas(width, height, '#fff', [ground + shell, await masked(photo, inner, shape), notch])
}

async function screenFrame(photo, format, style) {
  const [width, height] = [1400, 1000]
  const ground = [
    ['#ffffff', '#f2f4f7'],
    ['#e9ecf1', '#d9e2ea'],
    ['#20242c', '#3b2f4a'],
  ][format][style.int(0, 1)]
  if (format === 2) {
    const box = { x: 190, y: 130, w: 1020, h: 740 }
    const shell = `<rect x="150" y="90" width="1100" height="820" rx="46" fill="#0b0b0d" stroke="#6d727a" stroke-width="4"/><circle cx="170" cy="500" r="7" fill="#333"/>`
    return canvas(width, height, ground, [shell, await filling(photo, box)])
  }
  const box = { x: 250, y: 110, w: 900, h: 563 }
  const lid =
    '<rect x="226" y="84" width="948" height="620" rx="24" fill="#16181b"/><circle cx="700" cy="97" r="4" fill="#444"/>'
  const base = [
    '<path d="M120 704h1160l40 46q4 16 -20 16H100q-24 0 -20 -16z" fill="#b9bec6"/><path d="M600 704h200l-14 18H614z" fill="#8c929b"/>',
    '<path d="M640 704h120l14 130h150v20H476v-20h150z" fill="#a5abb4"/>',
  ][format]
  return canvas(width, height, ground, [lid + base, await filling(photo, box)])
}
