// Random texts around pictures, from lists; no person wrote them.

import { text } from '../svg.mjs'

const FIRST = ['mara', 'jonas', 'elif', 'tomek', 'ines', 'kofi', 'lena', 'pavel', 'noor', 'sanna', 'duc', 'amaia']
const LAST = ['river', 'north', 'bakes', 'travels', 'photo', 'daily', 'runs', '_92', '.x', 'fan', '_off', '77']
const GROUPS = [
  'City news',
  'Weekend hikes',
  'Class of 09',
  'Deals and more',
  'Funny stuff',
  'Best of',
  'Neighbours',
  'Album',
]
const WORDS =
  'the a of and to in we was so this that for today never again who saw it with my friends from last summer look at them really nice what do you think about it please share before gone more soon link below old new first time back there city house party night everyone knows'.split(
    ' ',
  )
const WIDTH_OF_CHARACTER = { plain: 0.56, bold: 0.66 } // of the font size, about, in DejaVu Sans

export function person(random) {
  return random.pick(FIRST) + random.pick(LAST)
}

export function fullName(random) {
  return [FIRST, FIRST].map((names) => capital(random.pick(names))).join(' ')
}

export function group(random) {
  return random.pick(GROUPS)
}

export function clock(random) {
  return `${random.int(0, 23)}:${String(random.int(0, 59)).padStart(2, '0')}`
}

export function count(random) {
  return random.pick([String(random.int(1, 999)), `${random.int(1, 99)}.${random.int(0, 9)}K`])
}

export function sentence(random, least, most) {
  return capital(Array.from({ length: random.int(least, most) }, () => random.pick(WORDS)).join(' '))
}

/**
 * A text broken into lines.
 * @returns what to draw, and how high it is in the units of `size`.
 */
export function paragraph(x, y, { wide, size, fill, words, leading = 1.35, extra = '' }) {
  const width = WIDTH_OF_CHARACTER[extra.includes('bold') ? 'bold' : 'plain']
  const lines = broken(words, Math.floor(wide / (size * width)))
  const body = lines.map((line, i) => text(x, y + size + i * size * leading, size, fill, line, extra)).join('')
  return { body, high: lines.length * size * leading }
}

function broken(words, longest) {
  const lines = ['']
  for (const word of words.split(' ')) {
    const last = lines.at(-1)
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= longest) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
