// A picture in a chat, between messages.

import { pipeline, storedPng } from '../picture.mjs'
import { svg, text } from '../svg.mjs'
import { clock, fitted, HIGH, screenOf, statusBar, WIDE } from './phone.mjs'
import { userName, words } from './words.mjs'

const CORNER = 34

export async function chat(photo, random) {
  const colours = random() < 0.5 ? DARK : { ...LIGHT, ground: random.pick(['#dfe7d4', '#e6ebee', '#d9e4c9']) }
  const { w, h } = fitted(photo, 760, 1000)
  const x = random() < 0.4 ? WIDE - 30 - w : 90
  const y = random.int(560, 760)
  const around =
    header(random, colours) +
    messages(random, colours, { from: 260, to: y - 140 }) +
    messages(random, colours, { from: y + h + 30, to: HIGH - 330 }) +
    footer(colours)
  const tag = `<rect x="${x + w - 150}" y="${y + h - 64}" width="130" height="48" rx="24" fill="#000" fill-opacity="0.5"/>`
  const time = tag + text(x + w - 136, y + h - 28, 32, '#fff', clock(random))
  return screenOf(colours.ground, [
    { input: svg(WIDE, HIGH, around) },
    { input: await rounded(photo, w, h), left: x, top: y },
    { input: svg(WIDE, HIGH, time) },
  ])
}

const DARK = { ground: '#0e1621', theirs: '#182533', mine: '#2b5278', ink: '#eee', bar: '#17212b', foot: '#17212b' }
const LIGHT = { theirs: '#ffffff', mine: '#e1ffc7', ink: '#111', bar: '#517da2', foot: '#fff' }

function rounded(photo, width, height) {
  const corners = svg(width, height, `<rect width="${width}" height="${height}" rx="${CORNER}" fill="#fff"/>`)
  const resized = pipeline(photo).resize(width, height, { fit: 'fill' }).ensureAlpha()
  return storedPng(resized.composite([{ input: corners, blend: 'dest-in' }]))
}

function header(random, { bar }) {
  const ground = `<rect width="${WIDE}" height="220" fill="${bar}"/>`
  const signs = `${statusBar('#fff', random)}<circle cx="170" cy="155" r="46" fill="#d98b5f"/>`
  const name = text(240, 150, 42, '#fff', userName(random), 'font-weight="bold"')
  return ground + signs + name + text(240, 195, 30, '#cfd8e0', 'last seen recently') + text(50, 172, 60, '#fff', '&lt;')
}

function messages(random, { theirs, mine, ink }, { from, to }) {
  const parts = []
  for (let y = from; y < to; y += 130) {
    const wide = random.int(260, 700)
    const isMine = random() < 0.5
    const x = isMine ? WIDE - 30 - wide : 90
    parts.push(`<rect x="${x}" y="${y}" width="${wide}" height="100" rx="30" fill="${isMine ? mine : theirs}"/>`)
    parts.push(text(x + 30, y + 62, 38, ink, words(random)))
  }
  return parts.join('')
}

function footer({ foot }) {
  const ground = `<rect y="${HIGH - 190}" width="${WIDE}" height="190" fill="${foot}"/>`
  return `${ground}${text(140, HIGH - 100, 42, '#8a97a3', 'Message')}<circle cx="1000" cy="${HIGH - 115}" r="44" fill="#3a8ee6"/>`
}
