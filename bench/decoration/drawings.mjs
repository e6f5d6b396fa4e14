// Draws app interfaces, stickers and captions. No icon of an app and no emoji of a font is copied.

const SIDE_PX = 480
const ICON_PX = 52
const WORDS = ['Like', 'Reply', 'Share', 'Send', 'Follow', 'Today', '12:34', 'Message', 'Close', 'Kirim', 'Suka', '5 min']
const FAMILIES = ['sans-serif', 'serif', 'monospace']
const FACES = [
  '<circle cx="24" cy="24" r="21" fill="#ffcc33"/><circle cx="17" cy="19" r="3"/><circle cx="31" cy="19" r="3"/><path d="M13 28 q11 13 22 0" fill="none" stroke="#000" stroke-width="3"/>',
  '<circle cx="24" cy="24" r="21" fill="#ffcc33"/><path d="M12 19 q4 -5 8 0 M28 19 q4 -5 8 0" fill="none" stroke="#000" stroke-width="3"/><path d="M12 27 h24 q-2 13 -12 13 t-12 -13" fill="#733"/>',
  '<circle cx="24" cy="24" r="21" fill="#ffcc33"/><path d="M9 17 l8 6 l-8 4 M39 17 l-8 6 l8 4" fill="#e33"/><ellipse cx="24" cy="35" rx="6" ry="4"/>',
  '<path d="M24 42 C4 28 4 8 15 8 C21 8 24 14 24 16 C24 14 27 8 33 8 C44 8 44 28 24 42 Z" fill="#e22"/>',
  '<path d="M24 3 l6 14 15 1 -11 10 3 15 -13 -8 -13 8 3 -15 -11 -10 15 -1 Z" fill="#fb3"/>',
  '<path d="M24 4 C33 16 38 22 38 31 a14 14 0 0 1 -28 0 C10 25 17 22 17 14 q5 4 6 9 q3 -8 1 -19 Z" fill="#f63"/>',
]
const ICONS = [
  '<path d="M30 8 L12 24 L30 40" fill="none" stroke-width="5"/>',
  '<circle cx="20" cy="20" r="13" fill="none" stroke-width="5"/><path d="M30 30 L43 43" stroke-width="6"/>',
  '<path d="M6 12 h36 M6 24 h36 M6 36 h36" stroke-width="5"/>',
  '<circle cx="24" cy="9" r="4"/><circle cx="24" cy="24" r="4"/><circle cx="24" cy="39" r="4"/>',
  '<path d="M24 41 C5 28 5 9 15 9 C21 9 24 14 24 16 C24 14 27 9 33 9 C43 9 43 28 24 41 Z" fill="none" stroke-width="4"/>',
  '<path d="M6 8 h36 v24 h-20 l-9 9 v-9 h-7 Z" fill="none" stroke-width="4"/>',
  '<path d="M5 24 L44 5 L33 43 L23 29 Z M23 29 L44 5" fill="none" stroke-width="4"/>',
  '<path d="M11 6 h26 v37 l-13 -11 -13 11 Z" fill="none" stroke-width="4"/>',
  '<rect x="4" y="15" width="36" height="19" rx="4" fill="none" stroke-width="3"/><rect x="41" y="20" width="4" height="9"/><rect x="8" y="19" width="20" height="11"/>',
  '<path d="M5 20 q19 -17 38 0 M12 28 q12 -10 24 0 M18 35 q6 -5 12 0" fill="none" stroke-width="4"/>',
  '<path d="M6 40 v-6 h5 v6 Z M15 40 v-12 h5 v12 Z M24 40 v-19 h5 v19 Z M33 40 v-27 h5 v27 Z"/>',
  '<circle cx="24" cy="17" r="9"/><path d="M7 44 q0 -18 17 -18 t17 18 Z"/>',
  '<path d="M9 9 L39 39 M39 9 L9 39" stroke-width="5"/>',
  '<path d="M24 6 v28 M12 24 l12 12 12 -12 M8 43 h32" fill="none" stroke-width="5"/>',
]

/** A sheet is of the kind that its number leaves. */
const KINDS = [iconSheet, chatSheet, barsSheet]

/** @returns an SVG. The same number gives the same one. */
export function drawing(sheet) {
  const next = randomFrom(sheet + 1)
  const isLight = sheet % 2 === 0
  const [ink, paper] = isLight ? ['#222', '#fff'] : ['#eee', '#181818']
  const style = { ink, paper, isLight, scale: 0.55 + 0.25 * (Math.floor(sheet / KINDS.length) % 5) }
  const body = KINDS[sheet % KINDS.length](next, style)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE_PX}" height="${SIDE_PX}"><rect width="100%" height="100%" fill="${paper}"/>${body}</svg>`
}

/** Rows of icons, faces and words. */
function iconSheet(next, { ink, scale }) {
  const step = ICON_PX * scale + 10
  const parts = []
  for (let y = 12; y < SIDE_PX - step; y += step) {
    for (let x = 12; x < SIDE_PX - step; x += step) {
      const kind = next() % 3
      const turn = kind === 0 ? (next() % 5) * 8 - 16 : 0 // stickers are turned, chrome is not
      const place = `translate(${x} ${y}) scale(${scale.toFixed(2)}) rotate(${turn} 24 24)`
      parts.push(kind === 0 ? face(next, place) : kind === 1 ? icon(next, place, ink) : word(next, place, ink, 22))
    }
  }
  return parts.join('')
}

/** Bubbles with words in them, heads beside them, ticks below. */
function chatSheet(next, { ink, isLight, scale }) {
  const [theirs, ours] = isLight ? ['#eceff1', '#d9fdd3'] : ['#202c33', '#005c4b']
  const parts = []
  for (let y = 14; y < SIDE_PX - 50 * scale; y += 58 * scale) {
    const isOurs = next() % 2 === 0
    const width = 150 + (next() % 160)
    const x = isOurs ? SIDE_PX - width - 14 : 14 + 46 * scale
    parts.push(
      `<rect x="${x}" y="${y}" width="${width}" height="${44 * scale}" rx="${(6 + (next() % 16)) * scale}" fill="${isOurs ? ours : theirs}"/>`,
    )
    for (let at = 10; at < width - 60 * scale; at += 64 * scale)
      parts.push(word(next, `translate(${x + at} ${y}) scale(${scale.toFixed(2)})`, ink, 17))
    parts.push(
      `<text x="${x + width - 34 * scale}" y="${y + 40 * scale}" font-size="${9 * scale}" fill="${ink}">12:${10 + (next() % 50)}</text>`,
    )
    if (!isOurs) parts.push(icon(next, `translate(8 ${y}) scale(${(0.8 * scale).toFixed(2)})`, ink))
  }
  return parts.join('')
}

/** Bars of a phone, buttons, fields to write in. */
function barsSheet(next, { ink, isLight, scale }) {
  const panel = isLight ? '#f0f2f5' : '#2a2a2e'
  const parts = []
  for (let y = 0; y < SIDE_PX - 40; y += 60 * scale) {
    const kind = next() % 3
    if (kind === 0) {
      parts.push(`<rect y="${y}" width="100%" height="${50 * scale}" fill="${panel}"/>`)
      for (let x = 12; x < SIDE_PX - 40; x += (60 + (next() % 60)) * scale)
        parts.push(icon(next, `translate(${x} ${y + 6}) scale(${(0.75 * scale).toFixed(2)})`, ink))
    } else if (kind === 1) {
      for (let x = 12; x < SIDE_PX - 90 * scale; x += 120 * scale) {
        const fill = ['#1877f2', '#e1306c', '#25d366', panel][next() % 4]
        parts.push(
          `<rect x="${x}" y="${y + 6}" width="${104 * scale}" height="${38 * scale}" rx="${(4 + (next() % 15)) * scale}" fill="${fill}"/>`,
        )
        parts.push(
          word(next, `translate(${x + 14 * scale} ${y}) scale(${scale.toFixed(2)})`, fill === panel ? ink : '#fff', 18),
        )
      }
    } else {
      parts.push(
        `<rect x="14" y="${y + 6}" width="${SIDE_PX - 100 * scale}" height="${40 * scale}" rx="${20 * scale}" fill="none" stroke="${ink}" stroke-width="1.5"/>`,
      )
      parts.push(face(next, `translate(${SIDE_PX - 76 * scale} ${y + 3}) scale(${(0.8 * scale).toFixed(2)})`))
      parts.push(word(next, `translate(34 ${y}) scale(${scale.toFixed(2)})`, ink, 16))
    }
  }
  return parts.join('')
}

function face(next, place) {
  return `<g transform="${place}">${FACES[next() % FACES.length]}</g>`
}

function icon(next, place, ink) {
  return `<g transform="${place}" fill="${ink}" stroke="${ink}">${ICONS[next() % ICONS.length]}</g>`
}

function word(next, place, ink, sizePx) {
  const family = FAMILIES[next() % FAMILIES.length]
  return `<text transform="${place}" y="32" font-size="${sizePx}" font-family="${family}" fill="${ink}">${WORDS[next() % WORDS.length]}</text>`
}

/** Numerical Recipes' generator. */
function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 16
  }
}
