// Parts of apps, registered alone or within a post, and innocent posts that contain them.

import { randomOf } from '../variants/random.mjs'
import { block, bubble, icon, statusBar } from '../variants/unseen/widgets.mjs'
import { paragraph, sentence } from '../variants/unseen/words.mjs'
import { canvas, family, filling, hsl, saved, words } from './draw.mjs'
import { musicCard } from './music-card.mjs'

const STYLES = 3
const ROWS = {
  letters: ['QWERTYUIOP', 'ASDFGHJKL', 'ZXCVBNM'],
  lower: ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'],
}

/** `alone` draws the element in `{ w, h }`; `ways` are the ways in which it is registered; `post` draws a post that contains it. */
const ELEMENTS = {
  'breaking banner': { styleOf: bannerStyle, alone: banner, ways: ['bare', 'on a page', 'in a post'], post: bannerPost },
  'headline on a colour': {
    styleOf: headlineStyle,
    alone: headline,
    ways: ['bare', 'on a page', 'in a post'],
    post: headlinePost,
  },
  keyboard: { styleOf: keyboardStyle, alone: keyboard, ways: ['bare'], post: keyboardPost },
  'question sticker': { styleOf: stickerStyle, alone: sticker, ways: ['bare', 'on a page'], post: stickerPost },
  logo: { styleOf: logoStyle, alone: logo, ways: ['bare', 'on a page'], post: logoPost },
  'music card': musicCard,
}

export const elements = Object.entries(ELEMENTS).map(([name, element], number) => ({
  name,
  async draw({ photos, size, set, seed }) {
    const styles = []
    for (let i = 0; i < STYLES; i++)
      styles.push(await element.styleOf(randomOf(`${seed} ${set} ${name} style ${i}`), i, photos.at(-1 - i)))
    const photoOf = (i) => photos[(i + number * 11) % photos.length]
    const asked = []
    for (let i = 0; i < size; i++) {
      const random = randomOf(`${seed} ${set} ${name} ${i}`)
      const picture = await element.post(styles[i % STYLES], await photoOf(i).open(), random)
      asked.push({ name: `${name} ${i}`, origin: photoOf(i).name, bytes: await saved(picture, random) })
    }
    const registered = []
    for (const [i, style] of styles.entries()) {
      for (const way of element.ways) {
        const random = randomOf(`${seed} ${set} ${name} registered ${i} ${way}`)
        const photo = photoOf(size + i) // used in no post, unless there are too few photographs
        const picture = await registeredAs(way, element, style, photo, random)
        registered.push({ name: `${name} ${i} ${way}`, origin: photo.name, bytes: await saved(picture, random) })
      }
    }
    return { registered, asked }
  },
}))

async function registeredAs(way, element, style, photo, random) {
  if (way === 'in a post') return element.post(style, await photo.open(), random)
  const { w, h } = style
  if (way === 'bare') return canvas(w, h, style.ground ?? '#fff', [element.alone(style)])
  const high = Math.max(h * 1.6, w)
  const placed = `<svg x="0" y="${(high - h) / 2}" width="${w}" height="${h}">${element.alone(style)}</svg>`
  return canvas(w, high, random.pick(['#fff', '#000']), [placed])
}

function at(x, y, { w, h }, scale, body) {
  return `<g transform="translate(${x} ${y}) scale(${scale})"><svg width="${w}" height="${h}">${body}</svg></g>`
}

function bannerStyle(style, number) {
  const text = style.pick(['BREAKING NEWS', 'BREAKING', 'LIVE UPDATE'])
  return {
    w: 1080,
    h: style.int(130, 210),
    font: family(style),
    text,
    side: ['bottom', 'top', 'bottom'][number],
    stripe: style() < 0.5,
  }
}

function banner({ w, h, text, font, stripe }) {
  const flash = stripe
    ? `<rect width="${h * 0.9}" height="${h}" fill="#fff"/><circle cx="${h * 0.45}" cy="${h / 2}" r="${h * 0.24}" fill="#c8102e"/>`
    : ''
  const from = stripe ? w / 2 + h * 0.4 : w / 2
  return `<rect width="${w}" height="${h}" fill="#c8102e"/>${flash}${words(from, h * 0.68, h * 0.48, '#fff', text, { font, bold: true, anchor: 'middle' })}`
}

async function bannerPost(style, photo, random) {
  const [w, h] = [1080, random.pick([1080, 1350])]
  const y = style.side === 'top' ? 0 : h - style.h
  return canvas(w, h, '#000', [
    await filling(photo, { y: style.side === 'top' ? style.h : 0, w, h: h - style.h }),
    at(0, y, style, 1, banner(style)),
  ])
}

function headlineStyle(style) {
  const [w, size] = [1080, style.int(54, 76)]
  const fill = hsl(style.int(0, 359), style.int(50, 80), style.int(22, 45))
  const said = paragraph(60, 50, {
    wide: w - 120,
    size,
    fill: '#fff',
    words: sentence(style, 7, 11),
    extra: 'font-weight="bold"',
  })
  return {
    w,
    h: Math.round(said.high + 120),
    fill,
    body: said.body,
    name: style.pick(['daily', 'herald', 'harian', 'the post']),
  }
}

function headline({ w, h, fill, body }) {
  return `<rect width="${w}" height="${h}" fill="${fill}"/>${body}`
}

async function headlinePost(style, photo, random) {
  const [w, h] = [1080, random.pick([1080, 1350, 1500])]
  const foot = 90
  const picture = await filling(photo, { w, h: h - style.h - foot })
  const below = `<rect y="${h - foot}" width="${w}" height="${foot}" fill="#fff"/>${words(60, h - 32, 36, '#333', style.name, { bold: true })}${words(w - 60, h - 32, 30, '#777', `${random.int(1, 28)}/${random.int(1, 12)}`, { anchor: 'end' })}`
  return canvas(w, h, '#fff', [picture, at(0, h - foot - style.h, style, 1, headline(style)), below])
}

function keyboardStyle(style, number) {
  const dark = number === 1
  return {
    w: 1080,
    h: style.int(700, 860),
    rows: number === 0 ? ROWS.letters : ROWS.lower,
    ground: dark ? '#1c1d1f' : style.pick(['#d1d4da', '#e8eaed']),
    key: dark ? '#5a5b5f' : '#fff',
    ink: dark ? '#fff' : '#111',
    special: dark ? '#3a3b3f' : '#aeb3bd',
    radius: style.int(6, 22),
    hasDigits: number === 2,
  }
}

function keyboard({ w, h, rows, ground, key, ink, special, radius, hasDigits }) {
  const all = [...(hasDigits ? ['1234567890'] : []), ...rows]
  const suggestions = h * 0.13
  const step = (h - suggestions - 30) / (all.length + 1)
  const keyWide = w / 10
  const cap = (x, y, wide, label, fill = key) =>
    `<rect x="${x + 6}" y="${y + 8}" width="${wide - 12}" height="${step - 18}" rx="${radius}" fill="${fill}"/>${words(x + wide / 2, y + step * 0.58, step * 0.34, ink, label, { anchor: 'middle' })}`
  const letters = all.flatMap((row, r) => {
    const left = (w - row.length * keyWide) / 2
    return [...row].map((letter, i) => cap(left + i * keyWide, suggestions + r * step, keyWide, letter))
  })
  const third = suggestions + (all.length - 1) * step
  const last = suggestions + all.length * step
  const shift = cap(0, third, keyWide * 1.4, '⇧', special) + cap(w - keyWide * 1.4, third, keyWide * 1.4, '⌫', special)
  const foot =
    cap(0, last, keyWide * 1.5, '?123', special) +
    cap(keyWide * 1.5, last, keyWide, ',') +
    cap(keyWide * 2.5, last, keyWide * 5, 'space') +
    cap(keyWide * 7.5, last, keyWide, '.') +
    cap(keyWide * 8.5, last, keyWide * 1.5, '↵', special)
  const bar = [1, 2]
    .map(
      (i) =>
        `<rect x="${(i * w) / 3}" y="${suggestions * 0.25}" width="2" height="${suggestions * 0.5}" fill="${special}"/>`,
    )
    .join('')
  return `<rect width="${w}" height="${h}" fill="${ground}"/>${bar}${letters.join('')}${shift}${foot}`
}

async function keyboardPost(style, photo, random) {
  const [w, h] = [1080, 2200]
  const top = h - style.h
  const dark = random() < 0.4
  const [ground, theirs, mine, ink] = dark
    ? ['#0f1316', '#1f2c34', '#0a5c4c', '#e9edef']
    : ['#eee9e1', '#ffffff', '#d9fdd3', '#111b21']
  const isMine = random() < 0.5
  const wide = random.int(520, 760)
  const box = {
    x: isMine ? w - wide - 40 : 40,
    y: random.int(220, 330),
    w: wide,
    h: Math.min(680, (wide * photo.height) / photo.width),
  }
  const said = [0, 1].map((i) => {
    const y = box.y + box.h + 40 + i * 170
    if (y + 150 > top - 120) return ''
    const left = random.pick([40, 260])
    return (
      bubble(left, y, 760, 140, random.pick([theirs, mine]), 28) +
      paragraph(left + 30, y + 20, { wide: 700, size: 38, fill: ink, words: sentence(random, 3, 9) }).body
    )
  })
  const head = `<g transform="scale(3)">${block(0, 0, 360, 64, dark ? '#1f2c34' : '#008069')}${statusBar(random, 360, '#fff')}${icon('back', 14, 36, 18, '#fff')}</g>${words(200, 150, 46, '#fff', sentence(random, 1, 2), { bold: true })}`
  const field =
    bubble(30, top - 110, w - 60, 92, dark ? '#2a3942' : '#fff', 46) + words(90, top - 50, 40, ink, sentence(random, 1, 4))
  return canvas(w, h, ground, [
    said.join(''),
    await filling(photo, box),
    head + field,
    at(0, top, style, 1, keyboard(style)),
  ])
}

function stickerStyle(style, number) {
  return {
    w: 640,
    h: 400,
    hue: style.int(0, 359),
    font: family(style),
    says: ['Ask me a question', 'Ask me anything', 'Tanya aku'][number],
    field: style.pick(['Type something…', 'Answer…', 'Your question']),
    radius: style.int(20, 60),
    isDarkHead: style() < 0.5,
    ground: '#fff',
  }
}

function sticker({ w, h, hue, font, says, field, radius, isDarkHead }) {
  const head = isDarkHead ? '#1c1c22' : hsl(hue, 75, 55)
  const face = `<circle cx="${w / 2}" cy="66" r="48" fill="${hsl(hue + 180, 60, 70)}" stroke="#fff" stroke-width="8"/>`
  return `<rect y="40" width="${w}" height="${h - 40}" rx="${radius}" fill="#fff"/><path d="M0 ${h * 0.52}V${40 + radius}q0 -${radius} ${radius} -${radius}H${w - radius}q${radius} 0 ${radius} ${radius}V${h * 0.52}z" fill="${head}"/>${face}${words(w / 2, 176, 44, '#fff', says, { anchor: 'middle', bold: true, font })}<rect x="44" y="${h * 0.62}" width="${w - 88}" height="96" rx="20" fill="#eceef2"/>${words(w / 2, h * 0.62 + 62, 36, '#8a8f98', field, { anchor: 'middle', font })}`
}

async function stickerPost(style, photo, random) {
  const [w, h] = [1080, 1920]
  const scale = 0.75 + 0.5 * random()
  const [x, y] = [random.int(20, w - 20 - Math.round(style.w * scale)), random.int(260, 1400 - Math.round(style.h * scale))]
  const bars = `<rect x="20" y="30" width="${w - 40}" height="6" rx="3" fill="#fff" fill-opacity="0.7"/><circle cx="70" cy="110" r="42" fill="${hsl(random.int(0, 359), 50, 60)}"/>${words(130, 124, 38, '#fff', sentence(random, 1, 1), { bold: true })}`
  return canvas(w, h, '#000', [await filling(photo, { w, h }), bars, at(x, y, style, scale, sticker(style))])
}

function logoStyle(style, number) {
  const spikes = Array.from({ length: style.int(5, 9) }, () => style.int(110, 190))
  return {
    w: 480,
    h: 480,
    hue: style.int(0, 359),
    font: family(style),
    name: style.pick(['NOVA', 'KITA', 'ORBIT', 'TV7', 'PLUSH']),
    spikes,
    kind: number,
    ground: '#fff',
  }
}

function logo({ hue, font, name, spikes, kind }) {
  const points = spikes.flatMap((far, i) => {
    const angle = (2 * Math.PI * i) / spikes.length
    const between = angle + Math.PI / spikes.length
    return [
      `${240 + far * Math.cos(angle)},${200 + far * Math.sin(angle)}`,
      `${240 + 70 * Math.cos(between)},${200 + 70 * Math.sin(between)}`,
    ]
  })
  const ground = [
    '<circle cx="240" cy="240" r="236" fill="#fff"/>',
    `<rect width="480" height="480" rx="70" fill="${hsl(hue + 200, 60, 22)}"/>`,
    `<rect width="480" height="480" fill="${hsl(hue, 30, 94)}"/>`,
  ][kind]
  return `${ground}<polygon points="${points.join(' ')}" fill="${hsl(hue, 75, 50)}"/><circle cx="240" cy="200" r="48" fill="${hsl(hue + 120, 70, 60)}"/>${words(240, 440, 92, kind === 1 ? '#fff' : '#151515', name, { anchor: 'middle', bold: true, font })}`
}

async function logoPost(style, photo, random) {
  const [w, h] = [1080, random.pick([1080, 1350])]
  const scale = (w * (0.16 + 0.14 * random())) / style.w
  const far = style.w * scale
  const [x, y] = [random.pick([30, w - 30 - far]), random.pick([30, h - 30 - far])]
  return canvas(w, h, '#000', [await filling(photo, { w, h }), at(x, y, style, scale, logo(style))])
}
