// Default avatars that apps draw for accounts without a photograph: letters, initials, icons. No two of a format are the same.

import { randomOf } from '../variants/random.mjs'
import { icon } from '../variants/unseen/widgets.mjs'
import { canvas, family, hsl, saved, shuffled, words } from './draw.mjs'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const SIGNS = ['heart', 'comment', 'share', 'bookmark', 'home', 'search', 'add', 'user', 'bin', 'pen', 'up', 'bars']

export const avatars = [
  { name: 'letter avatars', draw: (context) => drawn(context, 'letter avatars', letter) },
  { name: 'flat icons', draw: (context) => drawn(context, 'flat icons', sign) },
]

async function drawn({ size, set, seed }, name, draw) {
  const style = randomOf(`${seed} ${set} ${name}`)
  const formats = [0, 1, 2].map((kind) => ({
    kind,
    side: style.pick([240, 400, 512, 640]),
    font: family(style),
    letters: shuffled(LETTERS.length, style),
    signs: shuffled(SIGNS.length, style),
    ground: style.pick(['#fff', '#f2f3f5', '#111']),
  }))
  const registered = []
  for (let i = 0; i < size; i++) {
    const random = randomOf(`${seed} ${set} ${name} ${i}`)
    const picture = await draw(formats[i % 3], Math.floor(i / 3), random)
    registered.push({ name: `${name} ${i}`, bytes: await saved(picture, random) })
  }
  return { registered }
}

/** White on a square; in a circle; two initials in a circle. */
function letter({ kind, side, font, letters, ground }, number, random) {
  const first = LETTERS[letters[number % LETTERS.length]]
  const second = kind === 2 ? LETTERS[letters[(number * 7 + 3) % LETTERS.length]] : ''
  const fill = hsl(random.int(0, 359), random.int(40, 75), random.int(34, 56))
  const size = side * (kind === 2 ? 0.4 : 0.56)
  const disc =
    kind === 0
      ? `<rect width="${side}" height="${side}" fill="${fill}"/>`
      : `<circle cx="${side / 2}" cy="${side / 2}" r="${side / 2}" fill="${fill}"/>`
  const glyph = words(side / 2, side / 2 + size * 0.36, size, '#fff', first + second, {
    anchor: 'middle',
    font,
    bold: kind > 0,
  })
  return canvas(side, side, ground, [disc + glyph])
}

function sign({ kind, side, signs, ground }, number, random) {
  const fill = hsl(random.int(0, 359), random.int(35, 80), random.int(35, 60))
  const shape = [
    `<rect width="${side}" height="${side}" fill="${fill}"/>`,
    `<circle cx="${side / 2}" cy="${side / 2}" r="${side / 2}" fill="${fill}"/>`,
    `<rect x="${side * 0.06}" y="${side * 0.06}" width="${side * 0.88}" height="${side * 0.88}" rx="${side * 0.2}" fill="${fill}"/>`,
  ][kind]
  const across = side * 0.5
  const name = SIGNS[signs[number % SIGNS.length]]
  const drawn = icon(name, (side - across) / 2, (side - across) / 2, across, '#fff', { weight: kind === 1 ? 3.2 : 2.2 })
  return canvas(side, side, ground, [shape + drawn])
}
