// Documents of one format with random content: cards, receipts, screens of banks. Names and numbers are invented.

import { randomOf } from '../variants/random.mjs'
import { icon, statusBar } from '../variants/unseen/widgets.mjs'
import { clock, fullName, sentence } from '../variants/unseen/words.mjs'
import { canvas, family, hsl, saved, words } from './draw.mjs'
import { person, styleOf } from './people.mjs'

const FORMATS = 3
const GOODS =
  'milk bread rice coffee apples onions soap candles tea sugar noodles eggs oil salt paper batteries flour beans juice cheese pears tape'.split(
    ' ',
  )
const SHOPS = ['MINI MART', 'KEDAI ENAM', 'CORNER FOODS', 'SUPER NINE', 'TOKO BARU', 'DAILY GOODS']

export const documents = [
  group('ID cards', cardFormat, card),
  group('receipts of one shop', shopFormat, receipt),
  group('transfer successful', bankFormat, transfer),
]

function group(name, formatOf, draw) {
  return {
    name,
    async draw({ size, set, seed }) {
      const formats = Array.from({ length: FORMATS }, (_, i) => formatOf(randomOf(`${seed} ${set} ${name} format ${i}`), i))
      const registered = []
      for (let i = 0; i < size; i++) {
        const random = randomOf(`${seed} ${set} ${name} ${i}`)
        const picture = await draw(formats[i % FORMATS], random)
        registered.push({ name: `${name} ${i}`, bytes: await saved(picture, random) })
      }
      return { registered }
    },
  }
}

function digits(random, count) {
  return Array.from({ length: count }, () => random.int(0, 9)).join('')
}

function date(random) {
  return `${String(random.int(1, 28)).padStart(2, '0')}.${String(random.int(1, 12)).padStart(2, '0')}.${random.int(1955, 2031)}`
}

function amount(random) {
  return `${random.int(1, 9)},${digits(random, 3)},${digits(random, 3)}`
}

function cardFormat(style, number) {
  return {
    hue: style.int(0, 359),
    font: family(style),
    isPhotoLeft: style() < 0.6,
    band: 0.14 + 0.08 * style(),
    title: ['IDENTITY CARD', 'DRIVING LICENCE', 'KARTU PENDUDUK'][number],
    labels: ['Surname', 'Given names', 'Date of birth', 'Card no.', 'Valid until'].slice(0, style.int(4, 5)),
    hasCode: style() < 0.6,
    waves: style.int(5, 14),
    people: styleOf(style),
    hasMargin: number === 2,
  }
}

function card(format, random) {
  const [w, h] = [1012, 638]
  const { hue, font, band, isPhotoLeft } = format
  const top = h * band
  const photo = { w: 250, h: 320, x: isPhotoLeft ? 50 : w - 300, y: top + 40 }
  const waves = Array.from({ length: format.waves }, (_, i) => {
    const y = top + (i * (h - top)) / format.waves
    return `<path d="M0 ${y} Q${w / 4} ${y - 60} ${w / 2} ${y} T${w} ${y}" fill="none" stroke="${hsl(hue + 40, 45, 80)}" stroke-width="3"/>`
  }).join('')
  const head = `<rect width="${w}" height="${top}" fill="${hsl(hue, 60, 38)}"/><circle cx="70" cy="${top / 2}" r="${top * 0.34}" fill="${hsl(hue + 45, 80, 62)}"/>${words(130, top * 0.64, top * 0.42, '#fff', format.title, { font, bold: true })}`
  const portrait = `<svg x="${photo.x}" y="${photo.y}" width="${photo.w}" height="${photo.h}"><rect width="100%" height="100%" fill="#dfe6ea"/>${person(format.people, random, -20, 20, 295)}</svg>`
  const left = isPhotoLeft ? 340 : 60
  const values = [fullName(random).split(' ')[1], fullName(random), date(random), digits(random, 9), date(random)]
  const fields = format.labels
    .map((label, i) => {
      const y = top + 62 + i * 68
      return (
        words(left, y, 17, hsl(hue, 25, 40), label, { font }) +
        words(left, y + 30, 28, '#16181c', values[i].toUpperCase(), { font, bold: true })
      )
    })
    .join('')
  const scrawl = Array.from(
    { length: 7 },
    () => `q${random.int(4, 26)} ${random.int(-40, 40)} ${random.int(10, 34)} ${random.int(-12, 12)}`,
  ).join(' ')
  const name = `<path d="M${photo.x + 30} ${h - 90} ${scrawl}" fill="none" stroke="#1a2a6c" stroke-width="3"/>`
  const code = format.hasCode
    ? [0, 1]
        .map((row) => words(50, h - 46 + row * 30, 25, '#222', codeLine(random, row), { font: 'DejaVu Sans Mono' }))
        .join('')
    : ''
  const chip = `<rect x="${w - 120}" y="${h - 190}" width="74" height="58" rx="10" fill="#d9b65b" stroke="#8d7331"/>`
  const body = `<rect width="${w}" height="${h}" fill="${hsl(hue, 35, 93)}"/>${waves}${head}${portrait}${fields}${name}${isPhotoLeft ? chip : ''}${code}`
  if (!format.hasMargin) return canvas(w, h, '#fff', [body])
  const [wide, high] = [w + 2 * random.int(30, 80), h + 2 * random.int(30, 120)]
  const placed = `<svg x="${(wide - w) / 2}" y="${(high - h) / 2}" width="${w}" height="${h}">${body}</svg>`
  return canvas(wide, high, '#fff', [placed])
}

function codeLine(random, row) {
  if (row === 1) return `${digits(random, 7)}M${digits(random, 7)}XXX${'&lt;'.repeat(11)}${digits(random, 2)}`
  return `IDXXX${fullName(random).toUpperCase().replace(' ', '&lt;&lt;')}`.padEnd(34, '_').replaceAll('_', '&lt;')
}

function shopFormat(style, number) {
  return {
    name: SHOPS[(number * 2 + style.int(0, 1)) % SHOPS.length],
    font: style.pick(['DejaVu Sans Mono', 'DejaVu Sans Condensed']),
    wide: style.int(480, 640),
    size: style.int(19, 24),
    address: sentence(style, 3, 4),
    phone: digits(style, 9),
    logo: style.int(0, 2),
    ground: ['#fff', '#f7f5ef', '#fff'][number],
    ends: sentence(style, 3, 5),
    hasMargin: number === 1,
  }
}

function receipt(format, random) {
  const { font, size, wide } = format
  const middle = { anchor: 'middle', font }
  const logo = [
    `<rect x="${wide / 2 - 60}" y="24" width="120" height="44" fill="#222"/>`,
    `<circle cx="${wide / 2}" cy="46" r="30" fill="#222"/>`,
    `<path d="M${wide / 2 - 50} 70l50 -52l50 52z" fill="#222"/>`,
  ][format.logo]
  const rows = []
  let y = 118
  const put = (left, right) => {
    rows.push(words(24, y, size, '#222', left, { font }) + words(wide - 24, y, size, '#222', right, { font, anchor: 'end' }))
    y += size * 1.5
  }
  const rule = () => {
    rows.push(words(wide / 2, y, size, '#222', '-'.repeat(Math.floor(wide / (size * 0.68))), middle))
    y += size * 1.5
  }
  rows.push(words(wide / 2, y, size * 1.7, '#222', format.name, { ...middle, bold: true }))
  rows.push(words(wide / 2, y + size * 1.8, size, '#222', format.address, middle))
  y += size * 3.6
  put(`TEL ${format.phone}`, clock(random))
  put(`NO ${digits(random, 6)}`, date(random))
  rule()
  let total = 0
  for (let i = random.int(4, 11); i > 0; i--) {
    const price = random.int(3, 190) * 50
    total += price
    put(`${random.int(1, 4)} ${random.pick(GOODS).toUpperCase()}`, String(price))
  }
  rule()
  put('TOTAL', String(total))
  put('CASH', String(Math.ceil(total / 5000) * 5000))
  put('CHANGE', String(Math.ceil(total / 5000) * 5000 - total))
  rule()
  rows.push(words(wide / 2, y, size, '#222', format.ends.toUpperCase(), middle))
  y += size
  let bars = ''
  for (let x = wide * 0.18; x < wide * 0.82; ) {
    const bar = random.int(2, 6)
    bars += `<rect x="${x}" y="${y}" width="${bar}" height="64" fill="#222"/>`
    x += bar + random.int(2, 7)
  }
  const high = y + 64 + 40
  const body = logo + rows.join('') + bars
  if (!format.hasMargin) return canvas(wide, high, format.ground, [body])
  const rim = random.int(20, 90)
  const paper = `<rect x="${rim}" y="${rim}" width="${wide}" height="${high}" fill="${format.ground}"/>`
  return canvas(wide + 2 * rim, high + 2 * rim, '#6e5a48', [
    `${paper}<svg x="${rim}" y="${rim}" width="${wide}" height="${high}">${body}</svg>`,
  ])
}

function bankFormat(style, number) {
  return {
    hue: style.int(0, 359),
    kind: number,
    font: style.pick(['DejaVu Sans', 'DejaVu Sans Condensed']),
    wide: 720,
    high: style.pick([1280, 1480, 1600]),
    name: style.pick(['Bank Satu', 'North Pay', 'Kilat', 'OneWallet', 'Plainbank']),
    labels: ['To', 'From', 'Reference', 'Date', 'Method', 'Fee'].slice(0, style.int(4, 6)),
    isDark: style() < 0.25,
  }
}

function transfer(format, random) {
  const { hue, wide, high, font, kind, isDark } = format
  const [ground, ink, faint, sheet] = isDark
    ? ['#101418', '#eceff2', '#8b949e', '#1b2127']
    : ['#f3f5f8', '#15191e', '#6b7480', '#ffffff']
  const middle = { anchor: 'middle', font }
  const main = hsl(hue, 65, 42)
  const top = kind === 0 ? `<rect width="${wide}" height="430" fill="${main}"/>` : ''
  const bar = `<g transform="scale(2)">${statusBar(random, wide / 2, kind === 0 ? '#fff' : ink)}</g>`
  const title = words(wide / 2, 110, 30, kind === 0 ? '#fff' : ink, format.name, { ...middle, bold: true })
  const tick = `<circle cx="${wide / 2}" cy="220" r="62" fill="${kind === 0 ? '#fff' : '#23a55a'}"/><path d="M${wide / 2 - 28} 222l20 22l38 -44" fill="none" stroke="${kind === 0 ? main : '#fff'}" stroke-width="12" stroke-linecap="round"/>`
  const says = words(wide / 2, 340, 34, kind === 0 ? '#fff' : ink, 'Transfer successful', { ...middle, bold: true })
  const sum = words(wide / 2, 396, 44, kind === 0 ? '#fff' : main, `${random.pick(['Rp', '$', 'RM'])} ${amount(random)}`, {
    ...middle,
    bold: true,
  })
  const values = [
    fullName(random),
    fullName(random),
    digits(random, 12),
    `${date(random)} ${clock(random)}`,
    random.pick(['Balance', 'Instant', 'QR', 'Card']),
    '0',
  ]
  const rows = format.labels
    .map((label, i) => {
      const y = 530 + i * 92
      return (
        words(70, y, 25, faint, label, { font }) +
        words(wide - 70, y, 25, ink, values[i], { font, anchor: 'end', bold: true }) +
        `<rect x="70" y="${y + 32}" width="${wide - 140}" height="1.5" fill="${faint}" fill-opacity="0.4"/>`
      )
    })
    .join('')
  const sheetHigh = 60 + format.labels.length * 92
  const panel = `<rect x="36" y="466" width="${wide - 72}" height="${sheetHigh}" rx="24" fill="${sheet}"/>`
  const button = `<rect x="60" y="${high - 170}" width="${wide - 120}" height="92" rx="46" fill="${main}"/>${words(wide / 2, high - 112, 30, '#fff', 'Done', { ...middle, bold: true })}`
  const share =
    icon('share', wide / 2 - 100, high - 236, 30, main) +
    words(wide / 2 - 54, high - 212, 25, main, 'Share receipt', { font })
  return canvas(wide, high, ground, [top + bar + title + tick + says + sum + panel + rows + share + button])
}
