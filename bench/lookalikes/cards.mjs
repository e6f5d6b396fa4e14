// Cards of one design, and photographs in one frame. Drawn after all constants had been chosen, to look for false matches.

import { bubble } from '../variants/unseen/widgets.mjs'
import { fullName, sentence } from '../variants/unseen/words.mjs'
import { canvas, drawnGroup, filling, words } from './draw.mjs'

export const cards = [
  group('bank cards', bankCard),
  group('weather cards', weatherCard),
  group('polaroids on one table', polaroid),
]

function group(name, draw) {
  return drawnGroup(name, ({ random, photos, i }) => draw(random, photos[(i + 17) % photos.length], photos[11]))
}

function gradient(from, to, diagonal = 0) {
  return `<defs><linearGradient id="g" x2="${diagonal}" y2="1"><stop stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/>`
}

function bankCard(random) {
  const four = () => String(random.int(0, 9999)).padStart(4, '0')
  const number = `${four()} ${four()} ${four()} ${four()}`
  const chip = '<rect x="80" y="220" width="120" height="90" rx="14" fill="#e6c35c"/>'
  const rings = '<circle cx="860" cy="540" r="50" fill="#eb001b"/><circle cx="920" cy="540" r="50" fill="#f79e1b"/>'
  const said = [
    words(80, 130, 56, '#fff', 'MYBANK', { bold: true }),
    words(80, 420, 62, '#fff', number, { font: 'DejaVu Sans Mono' }),
    words(80, 560, 40, '#fff', fullName(random).toUpperCase()),
    words(640, 500, 30, '#fff', `VALID ${random.int(1, 12)}/${random.int(26, 32)}`),
  ]
  const arc = '<circle cx="760" cy="200" r="320" fill="#fff" fill-opacity="0.08"/>'
  return canvas(1012, 638, '#fff', [gradient('#1f1c7a', '#d31a8a', 1) + arc + chip + said.join('') + rings])
}

function weatherCard(random) {
  const [w, h] = [1080, 2200]
  const degrees = () => `${random.int(-9, 39)}°`
  const sky =
    '<circle cx="820" cy="420" r="150" fill="#ffd94a"/><path d="M520 620a120 120 0 0 1 230-50a100 100 0 0 1 150 110a80 80 0 0 1-30 150h-350a110 110 0 0 1 0-210z" fill="#fff"/>'
  const panel = (y, high) => bubble(50, y, 980, high, '#ffffff40', 40)
  const hours = Array.from({ length: 6 }, (_, i) => {
    const x = 130 + i * 165
    const disc = `<circle cx="${x}" cy="1115" r="40" fill="${random.pick(['#ffd94a', '#fff', '#8aa'])}"/>`
    const at = { anchor: 'middle' }
    return words(x, 1030, 34, '#fff', `${8 + i * 2}:00`, at) + disc + words(x, 1230, 42, '#fff', degrees(), at)
  })
  const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].map((day, i) => {
    const y = 1430 + i * 115
    const bar = bubble(450, y - 22, random.int(100, 380), 16, '#ffd94a', 8)
    return words(100, y, 40, '#fff', day) + bar + words(960, y, 40, '#fff', degrees(), { anchor: 'end' })
  })
  const head =
    words(80, 300, 60, '#fff', sentence(random, 1, 1)) +
    words(80, 520, 220, '#fff', degrees()) +
    words(80, 640, 44, '#fff', sentence(random, 1, 2))
  const all = sky + head + panel(950, 330) + hours.join('') + panel(1330, 760) + days.join('')
  return canvas(w, h, '#fff', [gradient('#2f80ed', '#9bd0ff') + all])
}

async function polaroid(random, photo, table) {
  const [w, h] = [1000, 1100]
  const card = '<rect x="170" y="90" width="660" height="800" fill="#fbfbf7" stroke="#ccc"/>'
  const said = words(500, 810, 48, '#333', sentence(random, 2, 3), { anchor: 'middle', font: 'DejaVu Serif' })
  const ground = await filling(await table.open(), { w, h })
  return canvas(w, h, '#000', [ground, card, await filling(await photo.open(), { x: 210, y: 130, w: 580, h: 580 }), said])
}
