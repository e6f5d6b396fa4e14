// Pictures that never matched each other and must not start to: pages, tables, codes, maps, posts of one app; and photographs.

import sharp from 'sharp'
import { textPage } from '../robustness/pages.mjs'
import { pictureOf } from '../variants/picture.mjs'
import { avatar, block, bubble, icon, icons, statusBar } from '../variants/unseen/widgets.mjs'
import { clock, count, fullName, paragraph, sentence } from '../variants/unseen/words.mjs'
import { canvas, drawnGroup, filling, hsl, words } from './draw.mjs'

const UNRELATED_TIMES = 3 // times as many photographs as other groups have pictures

export const controls = [
  control('chats', chat),
  control('text pages', page),
  control('spreadsheets', spreadsheet),
  control('QR codes', code),
  control('maps', map),
  control('charts', chart),
  control('feeds', feed),
  control('news cards', newsCard),
  {
    name: 'unrelated photographs',
    async draw({ photos, size }) {
      const some = photos.slice(0, UNRELATED_TIMES * size)
      return { registered: await Promise.all(some.map(async ({ name, read }) => ({ name, bytes: await read() }))) }
    },
  },
]

function control(name, draw) {
  return drawnGroup(name, ({ random, photos, i, set, seed }) =>
    draw(random, photos[(i + 41) % photos.length], `${seed} ${set} ${i}`),
  )
}

function chat(random) {
  const [w, h] = [1080, 2200]
  const [ground, bar, theirs, mine, ink] =
    random() < 0.5
      ? ['#efeae2', '#008069', '#fff', '#d9fdd3', '#111b21']
      : ['#0b141a', '#202c33', '#202c33', '#005c4b', '#e9edef']
  const parts = []
  for (let y = 270; y < h - 330; ) {
    const isMine = random() < 0.5
    const said = paragraph(0, 0, { wide: 680, size: 38, fill: ink, words: sentence(random, 1, 16) })
    const x = isMine ? w - 800 : 40
    parts.push(
      bubble(x, y, 760, said.high + 60, isMine ? mine : theirs, 26),
      `<g transform="translate(${x + 36} ${y + 18})">${said.body}</g>`,
    )
    y += said.high + 60 + random.pick([12, 12, 36])
  }
  const head = `<g transform="scale(3)">${block(0, 0, 360, 76, bar)}${statusBar(random, 360, '#fff')}${avatar(random, 60, 50, 17)}</g>${words(280, 168, 48, '#fff', fullName(random), { bold: true })}`
  return canvas(w, h, ground, [parts.join('') + head + bubble(30, h - 150, 880, 110, theirs, 55)])
}

function page(_, __, name) {
  return pictureOf(sharp(Buffer.from(textPage(`lookalikes ${name}`))).flatten({ background: '#fff' }))
}

function spreadsheet(random) {
  const [w, h, row] = [1400, 900, 30]
  const widths = Array.from({ length: 11 }, () => random.int(90, 190))
  const parts = [
    block(0, 0, w, 70, '#1d6f42'),
    words(20, 46, 26, '#fff', `${sentence(random, 1, 3)}.xlsx`),
    block(0, 70, w, row, '#e8e8e8'),
  ]
  const isNumber = widths.map(() => random() < 0.6)
  for (let y = 100; y < h; y += row) {
    parts.push(block(0, y, w, 1, '#d4d4d4'))
    if (random() < 0.06) parts.push(block(0, y, w, row, hsl(random.int(0, 359), 60, 88)))
    let x = 50
    for (const [column, wide] of widths.entries()) {
      if (random() < 0.85)
        parts.push(
          isNumber[column]
            ? words(x + wide - 6, y + 21, 16, '#222', String(random.int(1, 99999)), { anchor: 'end' })
            : words(x + 6, y + 21, 16, '#222', sentence(random, 1, 2)),
        )
      x += wide
    }
  }
  let x = 50
  for (const wide of widths) {
    parts.push(block(x, 70, 1, h, '#d4d4d4'))
    x += wide
  }
  return canvas(w, h, '#fff', [parts.join('')])
}

/** Looks like a code and encodes nothing. */
function code(random) {
  const modules = random.pick([25, 29, 33])
  const cells = []
  for (let y = 0; y < modules; y++)
    for (let x = 0; x < modules; x++) if (random() < 0.5) cells.push(block(x, y, 1.02, 1.02, '#000'))
  const finder = (x, y) =>
    block(x - 1, y - 1, 9, 9, '#fff') +
    block(x, y, 7, 7, '#000') +
    block(x + 1, y + 1, 5, 5, '#fff') +
    block(x + 2, y + 2, 3, 3, '#000')
  const eyes = finder(0, 0) + finder(modules - 7, 0) + finder(0, modules - 7)
  const side = 600
  const scale = (side * 0.84) / modules
  return canvas(side, side, '#fff', [
    `<svg width="${side}" height="${side}"><g transform="translate(${side * 0.08} ${side * 0.08}) scale(${scale})"><svg width="${modules}" height="${modules}">${cells.join('')}${eyes}</svg></g></svg>`,
  ])
}

function map(random) {
  const [w, h] = [1080, 1600]
  const line = (colour, wide) => {
    const at = () => `${random.int(-100, w + 100)} ${random.int(-100, h + 100)}`
    return `<path d="M${at()} Q${at()} ${at()} T${at()}" fill="none" stroke="${colour}" stroke-width="${wide}"/>`
  }
  const many = (number, draw) => Array.from({ length: number }, draw).join('')
  const parks = many(
    random.int(4, 9),
    () =>
      `<ellipse cx="${random.int(0, w)}" cy="${random.int(0, h)}" rx="${random.int(50, 240)}" ry="${random.int(40, 200)}" fill="#c8e6b9"/>`,
  )
  const water = line('#a5cdf0', random.int(60, 160))
  const streets = many(38, () => line('#ffffff', random.int(8, 18))) + many(4, () => line('#fbd86b', 26))
  const names = many(24, () =>
    words(random.int(0, w - 200), random.int(160, h), random.int(20, 34), '#5c6066', sentence(random, 1, 2)),
  )
  const pin = `<path transform="translate(${random.int(200, 880)} ${random.int(400, 1200)})" d="M0 0c-50 -70 -56 -90 -56 -116a56 56 0 1 1 112 0c0 26 -6 46 -56 116z" fill="#e53935"/>`
  const field = bubble(40, 50, w - 80, 100, '#fff', 50) + words(110, 114, 38, '#444', sentence(random, 1, 3))
  return canvas(w, h, '#edeae4', [parks + water + streets + names + pin + field])
}

function chart(random) {
  const [w, h] = [1000, 640]
  const bars = random.int(5, 16)
  const hue = random.int(0, 359)
  const grid = [1, 2, 3, 4].map((i) => block(90, 80 + i * 100, w - 140, 1.5, '#ddd')).join('')
  const step = (w - 160) / bars
  const level = () => 40 + 360 * random()
  const columns = Array.from({ length: bars }, (_, i) => {
    const high = level()
    return block(100 + i * step, 540 - high, step * 0.66, high, hsl(hue, 60, 52))
  }).join('')
  const line = `<polyline points="${Array.from({ length: bars }, (_, i) => `${100 + (i + 0.33) * step},${540 - level()}`).join(' ')}" fill="none" stroke="${hsl(hue + 160, 70, 42)}" stroke-width="5"/>`
  const kind = random.int(0, 2)
  const title = words(90, 54, 30, '#222', sentence(random, 3, 6), { bold: true })
  const labels = Array.from({ length: bars }, (_, i) =>
    words(100 + (i + 0.33) * step, 574, 17, '#555', String(2010 + i), { anchor: 'middle' }),
  ).join('')
  return canvas(w, h, '#fff', [title + grid + (kind === 1 ? '' : columns) + (kind === 0 ? '' : line) + labels])
}

async function feed(random, photo) {
  const [w, h] = [1080, 2160]
  const picture = await photo.open()
  const dark = random() < 0.4
  const [ground, ink, faint] = dark ? ['#000', '#f2f2f2', '#9a9a9a'] : ['#fff', '#101010', '#777']
  const y = random.int(340, 560)
  const high = Math.min(1250, Math.max(620, (w * picture.height) / picture.width))
  const head = `<g transform="scale(3)">${statusBar(random, 360, ink)}${words(16, 60, 20, ink, 'pictures', { bold: true })}${avatar(random, 30, y / 3 - 24, 15)}</g>${words(160, y - 60, 38, ink, fullName(random), { bold: true })}`
  const under = `<g transform="scale(3)">${icons(['heart', 'comment', 'share'], { from: 26, to: 106, y: (y + high) / 3 + 12, size: 22, colour: ink })}${icon('bookmark', 320, (y + high) / 3 + 12, 22, ink)}</g>${words(44, y + high + 160, 38, ink, `${count(random)} likes`, { bold: true })}`
  const said = paragraph(44, y + high + 180, { wide: w - 90, size: 37, fill: ink, words: sentence(random, 4, 24) }).body
  return canvas(w, h, ground, [
    head,
    await filling(picture, { y, w, h: high }),
    under + said + words(44, h - 60, 32, faint, clock(random)),
  ])
}

async function newsCard(random, photo) {
  const [w, h] = [1080, 1350]
  const hue = random.int(0, 359)
  const high = random.int(620, 860)
  const said = paragraph(60, high + 60, {
    wide: w - 120,
    size: 54,
    fill: '#16181b',
    words: sentence(random, 6, 14),
    extra: 'font-weight="bold"',
  }).body
  const source = words(60, h - 60, 34, '#777', `${fullName(random)} · ${random.int(1, 23)}h`)
  const rule = block(60, high + 36, 120, 10, hsl(hue, 70, 45))
  return canvas(w, h, '#fff', [await filling(await photo.open(), { w, h: high }), rule + said + source])
}
