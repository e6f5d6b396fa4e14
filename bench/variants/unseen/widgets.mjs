// What apps have around pictures, in units: bars, icons, avatars, bubbles.

import { text } from '../svg.mjs'
import { clock } from './words.mjs'

export const STATUS_HIGH = 28

const ICONS = {
  heart: 'M10 17C3 12 1 9 1 6a4 4 0 0 1 9-2 4 4 0 0 1 9 2c0 3-2 6-9 11z',
  comment: 'M10 2a8 8 0 1 1-4 15l-4 1 1-4A8 8 0 0 1 10 2z',
  share: 'M2 3l16 7-16 7 3-7z',
  repeat: 'M3 9V6h12l-3-3M17 11v3H5l3 3',
  bookmark: 'M5 2h10v16l-5-4-5 4z',
  home: 'M2 10l8-7 8 7v8h-5v-5H7v5H2z',
  search: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM12 13l6 6',
  add: 'M10 3v14M3 10h14',
  user: 'M10 3a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM2 19c1-5 15-5 16 0',
  back: 'M18 10H3M9 3l-7 7 7 7',
  bars: 'M4 17V9M10 17V3M16 17v-6',
  bin: 'M3 5h14M6 5v13h8V5M8 2h4',
  pen: 'M3 17l1-4L14 3l3 3L7 16z',
  up: 'M10 2l7 8h-4v8H7v-8H3z',
  close: 'M4 4l12 12M16 4L4 16',
}

/** @param name one of `ICONS`. */
export function icon(name, x, y, size, colour, { filled = false, weight = 1.8 } = {}) {
  const paint = filled ? `fill="${colour}"` : `fill="none" stroke="${colour}" stroke-width="${weight}"`
  return `<path transform="translate(${x} ${y}) scale(${size / 20})" d="${ICONS[name]}" ${paint} stroke-linejoin="round" stroke-linecap="round"/>`
}

export function icons(names, { from, to, y, size, colour }) {
  const step = (to - from) / Math.max(1, names.length - 1)
  return names.map((name, i) => icon(name, from + i * step - size / 2, y, size, colour)).join('')
}

export function dots(x, y, colour) {
  return [0, 5, 10].map((d) => `<circle cx="${x + d}" cy="${y}" r="1.6" fill="${colour}"/>`).join('')
}

export function block(x, y, w, h, fill, rest = '') {
  return `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${fill}" ${rest}/>`
}

export function line(y, wide, colour) {
  return block(0, y, wide, 0.7, colour)
}

/** Clock, reception, battery: what differs from phone to phone. */
export function statusBar(random, wide, colour) {
  const charge = random.int(3, 18)
  const right = wide - 36
  const battery = `<rect x="${right}" y="9" width="20" height="10" rx="2.5" fill="none" stroke="${colour}"/>${block(right + 1.5, 10.5, Math.min(17, charge), 7, colour)}`
  const reception = [0, 1, 2, 3].map((i) => block(right - 26 + i * 4.5, 17 - i * 2.4, 3, 2 + i * 2.4, colour)).join('')
  const notices = Array.from({ length: random.int(0, 3) }, (_, i) => {
    return `<circle cx="${66 + i * 14}" cy="14" r="4" fill="${colour}" fill-opacity="0.8"/>`
  }).join('')
  return text(16, 19, 12.5, colour, clock(random)) + notices + battery + reception
}

/** The line or the three signs at the lower edge. */
export function navigation(random, { wide, high }, colour) {
  const y = high - 12
  if (random() < 0.6) return block(wide / 2 - 54, y + 2, 108, 3.5, colour, 'rx="1.75"')
  const x = [wide * 0.22, wide * 0.5, wide * 0.78]
  const triangle = `<path d="M${x[0] + 5} ${y - 6}v12l-10-6z" fill="none" stroke="${colour}" stroke-width="1.5"/>`
  const ring = `<circle cx="${x[1]}" cy="${y}" r="6" fill="none" stroke="${colour}" stroke-width="1.5"/>`
  return `${triangle}${ring}<rect x="${x[2] - 5}" y="${y - 5}" width="10" height="10" fill="none" stroke="${colour}" stroke-width="1.5"/>`
}

/** A small portrait that shows nobody: two colours, head and shoulders. */
export function avatar(random, cx, cy, r) {
  const hue = random.int(0, 359)
  const mark = random.int(0, 1e9)
  const shape = `<circle cx="${cx}" cy="${cy - r * 0.15}" r="${r * 0.36}"/><ellipse cx="${cx}" cy="${cy + r * 0.75}" rx="${r * 0.62}" ry="${r * 0.5}"/>`
  return `<clipPath id="a${mark}"><circle cx="${cx}" cy="${cy}" r="${r}"/></clipPath><g clip-path="url(#a${mark})"><circle cx="${cx}" cy="${cy}" r="${r}" fill="hsl(${hue},45%,62%)"/><g fill="hsl(${hue + random.int(90, 200)},40%,${random.int(25, 88)}%)">${shape}</g></g>`
}

export function bubble(x, y, w, h, fill, radius = 12) {
  return block(x, y, w, h, fill, `rx="${radius}"`)
}

/** Words with a round ground, as wide as they need, after some room `before` them. @returns what to draw, and its width. */
export function pill(x, y, words, { size = 11, fill, colour, before = 0 }) {
  const wide = words.length * size * 0.62 + size * 1.6 + before
  return {
    body: bubble(x, y, wide, size * 2.1, fill, size) + text(x + size * 0.8 + before, y + size * 1.42, size, colour, words),
    wide,
  }
}

/** What stands for pictures that are not the one looked for: a drawing of two colours. */
export function still(random, x, y, w, h) {
  const hue = random.int(0, 359)
  const [cx, cy, r] = [w * random(), h * random(), Math.min(w, h) * (0.2 + 0.3 * random())]
  const ground = block(0, 0, w, h, `hsl(${hue},${random.int(10, 40)}%,${random.int(25, 75)}%)`)
  const moon = `<circle cx="${cx}" cy="${cy}" r="${r}" fill="hsl(${hue + random.int(40, 180)},35%,${random.int(30, 75)}%)"/>`
  return `<svg x="${x}" y="${y}" width="${w}" height="${h}">${ground}${moon}</svg>`
}
