// Innocent pictures with mostly the same content: a template, a wallpaper, a game, a program that draws faces, a chat.

import { randomOf } from '../variants/random.mjs'
import { bubble, icon, statusBar } from '../variants/unseen/widgets.mjs'
import { clock, fullName, paragraph, sentence } from '../variants/unseen/words.mjs'
import { canvas, filling, hsl, saved, words } from './draw.mjs'
import { person, styleOf } from './people.mjs'

const STYLES = 3

export const templates = [
  group('meme template', memeStyle, meme),
  group('lock screens', lockStyle, lockScreen),
  group('match-3 game', gameStyle, game),
  group('drawn faces', facesStyle, faces),
  group('chat layout, other photos', chatStyle, chat),
]

/** `styleOf` draws what a third of the pictures shares, `draw` the rest. */
function group(name, styleOf, draw) {
  return {
    name,
    async draw({ photos, size, set, seed }) {
      const styles = []
      for (let i = 0; i < STYLES; i++)
        styles.push(await styleOf(randomOf(`${seed} ${set} ${name} style ${i}`), photos[(i * 5 + 3) % photos.length], i))
      const registered = []
      for (let i = 0; i < size; i++) {
        const random = randomOf(`${seed} ${set} ${name} ${i}`)
        const photo = photos[(STYLES * 5 + 4 + i) % photos.length]
        const picture = await draw(styles[i % STYLES], random, photo)
        registered.push({ name: `${name} ${i}`, bytes: await saved(picture, random) })
      }
      return { registered }
    },
  }
}

/** Text over a photograph, above it, or beside two of its parts. */
async function memeStyle(_, photo, kind) {
  return { kind, photo: await photo.open() }
}

async function meme({ kind, photo }, random) {
  const w = 800
  const h = Math.round((w * photo.height) / photo.width)
  const loud = (y, said) =>
    words(w / 2, y, Math.min(58, 1050 / said.length), '#fff', said.toUpperCase(), {
      anchor: 'middle',
      bold: true,
      extra: 'stroke="#000" stroke-width="3"',
    })
  if (kind === 0) {
    const said = loud(76, sentence(random, 2, 4)) + loud(h - 30, sentence(random, 2, 4))
    return canvas(w, h, '#000', [await filling(photo, { w, h }), said])
  }
  if (kind === 1) {
    const said = paragraph(30, 16, { wide: w - 60, size: 42, fill: '#000', words: sentence(random, 5, 14) })
    const top = Math.max(170, Math.round(said.high) + 50)
    return canvas(w, h + top, '#fff', [said.body, await filling(photo, { y: top, w, h })])
  }
  const half = w / 2
  const boxes = [0, 1].map((row) => ({ x: 0, y: row * 360, w: half, h: 360 }))
  const layers = [await filling(photo, boxes[0], 'left top'), await filling(photo, boxes[1], 'right top')]
  const said = boxes.map(
    ({ y }) => paragraph(half + 24, y + 70, { wide: half - 50, size: 40, fill: '#111', words: sentence(random, 2, 6) }).body,
  )
  return canvas(w, 720, '#fff', [
    ...layers,
    `<rect x="${half}" y="358" width="${half}" height="4" fill="#111"/>${said.join('')}`,
  ])
}

async function lockStyle(style, photo) {
  return {
    photo: await photo.open(),
    high: style.pick([1600, 2340]),
    hasRound: style() < 0.5,
    y: style.int(210, 330),
    size: style.int(150, 230),
  }
}

async function lockScreen({ photo, high, hasRound, y, size }, random) {
  const w = 1080
  const day = `${random.pick(['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])}, ${random.int(1, 28)} ${random.pick(['March', 'June', 'July', 'October'])}`
  const face =
    words(w / 2, y + size, size, '#fff', clock(random), { anchor: 'middle' }) +
    words(w / 2, y + size + 90, 46, '#fff', day, { anchor: 'middle' })
  const cards = Array.from({ length: random.int(0, 4) }, (_, i) => {
    const top = y + size + 190 + i * 220
    const app = `<rect x="84" y="${top + 40}" width="90" height="90" rx="22" fill="${hsl(random.int(0, 359), 70, 50)}"/>`
    return `<rect x="50" y="${top}" width="980" height="196" rx="44" fill="#f5f5f7" fill-opacity="0.86"/>${app}${words(210, top + 78, 38, '#111', fullName(random), { bold: true })}${words(210, top + 138, 35, '#333', sentence(random, 3, 6))}`
  }).join('')
  const buttons = hasRound
    ? [150, 930].map((x) => `<circle cx="${x}" cy="${high - 170}" r="70" fill="#000" fill-opacity="0.4"/>`).join('')
    : words(w / 2, high - 90, 36, '#fff', 'Swipe up to unlock', { anchor: 'middle' })
  const status = `<g transform="scale(3)">${statusBar(random, 360, '#fff')}</g>`
  return canvas(w, high, '#000', [await filling(photo, { w, h: high }), status + face + cards + buttons])
}

/** Only the board changes, a third to a half of the screen; scenery, figure and tools are the same. */
async function gameStyle(style, photo, number) {
  const hue = style.int(0, 359)
  return {
    scenery: await photo.open(),
    figure: person(styleOf(style), style, 30, 40, 300),
    high: style.pick([1920, 2160]),
    across: [7, 8, 9][number],
    down: style.int(6, 8),
    gems: Array.from({ length: 6 }, (_, i) => ({
      shape: (i + number) % 6,
      fill: hsl(hue + i * 60, style.int(65, 90), style.int(45, 60)),
    })),
    top: style.int(480, 620),
    cells: style() < 0.5,
  }
}

async function game({ scenery, figure, high: h, across, down, gems, top, cells }, random) {
  const [w, side] = [1080, 1020 / across]
  const head = `${figure}<rect x="370" y="70" width="670" height="160" rx="40" fill="#3a2460" fill-opacity="0.85"/>${words(410, 170, 60, '#fff', `Level ${random.int(2, 900)}`, { bold: true })}${words(1000, 170, 60, '#ffe066', String(random.int(100, 99999)), { bold: true, anchor: 'end' })}`
  const board = `<rect x="18" y="${top - 12}" width="1044" height="${down * side + 24}" rx="28" fill="#1d1238" fill-opacity="0.8"/>`
  const parts = []
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      const [x, y] = [30 + column * side, top + row * side]
      if (cells && (row + column) % 2 === 0)
        parts.push(`<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="#fff" fill-opacity="0.09"/>`)
      parts.push(gem(random.pick(gems), x + side / 2, y + side / 2, side * 0.4))
    }
  }
  const tools = [0, 1, 2, 3]
    .map(
      (i) =>
        `<circle cx="${180 + i * 240}" cy="${h - 120}" r="78" fill="#fff" fill-opacity="0.25"/>${gem(gems[i], 180 + i * 240, h - 120, 46)}`,
    )
    .join('')
  return canvas(w, h, '#000', [await filling(scenery, { w, h }), head + board + parts.join('') + tools])
}

function gem({ shape, fill }, x, y, r) {
  const paint = `fill="${fill}" stroke="#fff" stroke-opacity="0.5" stroke-width="5"`
  const polygon = (corners, turn = 0) =>
    `<polygon points="${Array.from({ length: corners }, (_, i) => {
      const angle = turn + (2 * Math.PI * i) / corners
      return `${x + r * Math.cos(angle)},${y + r * Math.sin(angle)}`
    }).join(' ')}" ${paint}/>`
  const body = [
    `<circle cx="${x}" cy="${y}" r="${r}" ${paint}/>`,
    `<rect x="${x - r * 0.85}" y="${y - r * 0.85}" width="${r * 1.7}" height="${r * 1.7}" rx="${r * 0.25}" ${paint}/>`,
    polygon(4),
    polygon(3, -Math.PI / 2),
    polygon(6),
    `<ellipse cx="${x}" cy="${y}" rx="${r * 0.62}" ry="${r}" ${paint}/>`,
  ][shape]
  return `${body}<ellipse cx="${x - r * 0.25}" cy="${y - r * 0.35}" rx="${r * 0.28}" ry="${r * 0.16}" fill="#fff" fill-opacity="0.65"/>`
}

function facesStyle(style) {
  return { ...styleOf(style), hue: style.int(0, 359), side: style.pick([512, 768, 1024]), isPlain: style() < 0.5 }
}

function faces(style, random) {
  const { side } = style
  const hue = style.isPlain ? style.hue : random.int(0, 359)
  const ground = `<rect width="${side}" height="${side}" fill="${hsl(hue, 45, 82)}"/>`
  const tilt = `<g transform="rotate(${random.int(-5, 5)} ${side / 2} ${side / 2})">${person(style, random, 0, 0, side)}</g>`
  return canvas(side, side, '#fff', [ground + tilt])
}

function chatStyle(style, _, number) {
  const dark = number === 1
  return {
    ...(dark
      ? { ground: '#0b141a', bar: '#202c33', theirs: '#202c33', ink: '#e9edef' }
      : {
          ground: style.pick(['#efeae2', '#dfe7ec']),
          bar: style.pick(['#008069', '#517da2']),
          theirs: '#fff',
          ink: '#111b21',
        }),
    high: style.pick([1920, 2200, 2340]),
    box: { x: 40, y: style.int(380, 620), w: style.int(620, 760), h: style.int(620, 860) },
    name: fullName(style),
    said: [sentence(style, 3, 7), sentence(style, 2, 8)],
  }
}

/** The same messages in the same sizes, another photograph. */
async function chat({ ground, bar, theirs, ink, high, box, name, said }, random, photo) {
  const head = `<g transform="scale(3)"><rect width="360" height="76" fill="${bar}"/>${statusBar(random, 360, '#fff')}${icon('back', 14, 42, 18, '#fff')}</g><circle cx="190" cy="154" r="52" fill="#c7ced3"/>${words(280, 168, 48, '#fff', name, { bold: true })}`
  const line = (y, content) => bubble(40, y, 760, 110, theirs, 26) + words(76, y + 66, 38, ink, content)
  const rim = bubble(box.x - 8, box.y - 8, box.w + 16, box.h + 16, theirs, 22)
  const time = words(box.x + box.w - 20, box.y + box.h - 20, 30, '#fff', clock(random), { anchor: 'end' })
  const field = `${bubble(30, high - 150, 880, 110, theirs, 55)}<circle cx="990" cy="${high - 95}" r="58" fill="#00a884"/>`
  const text = line(box.y - 140, said[0]) + line(box.y + box.h + 40, said[1])
  return canvas(1080, high, ground, [head + text + rim, await filling(await photo.open(), box), time + field])
}
