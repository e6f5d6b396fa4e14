// Screens that show only the clip: reels, stories, status messages. Colours, sizes, positions and words differ by clip.

import { text } from '../variants/svg.mjs'
import { contained } from '../variants/unseen/screen.mjs'
import { avatar, block, bubble, dots, icon, icons, STATUS_HIGH, statusBar } from '../variants/unseen/widgets.mjs'
import { count, paragraph, person, sentence } from '../variants/unseen/words.mjs'
import { colourOf, layoutOf, phone } from './screens.mjs'

/** A clip that fills a story or a reel and is cropped to it. @returns {import('./screens.mjs').Layout} */
export function filled(random) {
  return random.pick([reel, storyOver])(random)
}

/** A clip that a story or a status shows whole. @returns {import('./screens.mjs').Layout} */
export function fitted(random, clip) {
  return random.pick([storyAround, status])(random, clip)
}

function reel(random) {
  const at = phone(random)
  const bottom = random.int(44, 66)
  const box = { x: 0, y: 0, w: at.wide, h: at.high - bottom }
  const isLeft = random() < 0.2
  const x = isLeft ? 12 : at.wide - 40
  const first = box.h - random.int(280, 330)
  const column = ['heart', 'comment', 'bookmark', 'share']
    .map(
      (name, i) =>
        icon(name, x, first + i * 58, 28, '#fff', { filled: true }) +
        text(x + 14, first + 42 + i * 58, 11, '#fff', count(random), 'text-anchor="middle"'),
    )
    .join('')
  const left = isLeft ? 62 : 14
  const said = paragraph(left, box.h - random.int(52, 84), {
    wide: at.wide - 90,
    size: 13,
    fill: '#fff',
    words: sentence(random, 3, 14),
  })
  const who =
    avatar(random, left + 16, box.h - 112, 16) +
    text(left + 40, box.h - 107, 14, '#fff', person(random), 'font-weight="bold"')
  const tabs = text(
    at.wide / 2,
    STATUS_HIGH + 30,
    16,
    '#fff',
    random.pick(['Following   For you', 'Reels', 'Friends   Explore']),
    'text-anchor="middle" font-weight="bold"',
  )
  const foot =
    block(0, box.h, at.wide, bottom, '#000') +
    icons(['home', 'search', 'add', 'user'], { from: 40, to: at.wide - 40, y: box.h + 10, size: 20, colour: '#fff' })
  const over = statusBar(random, at.wide, '#fff') + tabs + column + who + said.body + shouted(random, at, box)
  return layoutOf(at, { ground: '#000000', box, radius: 0, around: foot, over })
}

function storyOver(random) {
  const at = phone(random)
  const y = random.pick([0, STATUS_HIGH])
  const box = { x: 0, y, w: at.wide, h: Math.min((at.wide * 16) / 9, at.high - y) }
  return layoutOf(at, {
    ground: '#000000',
    box,
    radius: random.pick([0, 10]),
    around: '',
    over: storySigns(random, at) + shouted(random, at, box),
  })
}

function storyAround(random, clip) {
  const at = phone(random)
  const share = random.pick([1, 1, 0.9, 0.8])
  const size = contained(clip, { x: 0, y: 0, w: at.wide * share, h: at.high - 190 })
  const y = 90 + (at.high - 190 - size.h) * (0.3 + 0.4 * random())
  const box = { x: (at.wide - size.w) / 2, y, w: size.w, h: size.h }
  const hue = random.int(0, 359)
  const ground = random() < 0.6 ? 'blur' : colourOf(hue, 0.45, 0.3)
  return layoutOf(at, {
    ground,
    box,
    radius: 0,
    around: '',
    over: storySigns(random, at) + shouted(random, at, { ...box, y: y + size.h - 20 }),
  })
}

function status(random, clip) {
  const at = phone(random)
  const size = contained(clip, { x: 0, y: 0, w: at.wide, h: at.high - 100 })
  const box = { x: (at.wide - size.w) / 2, y: (at.high - size.h) / 2, w: size.w, h: size.h }
  const said = paragraph(30, at.high - 128, { wide: at.wide - 60, size: 14, fill: '#fff', words: sentence(random, 2, 9) })
  const under = bubble(0, at.high - 136, at.wide, said.high + 18, '#00000088', 0) + said.body
  const reply =
    icon('up', at.wide / 2 - 9, at.high - 62, 18, '#fff') +
    text(at.wide / 2, at.high - 26, 13, '#fff', 'Reply', 'text-anchor="middle"')
  const over = storySigns(random, at, false) + (random() < 0.6 ? under : '') + reply
  return layoutOf(at, { ground: '#000000', box, radius: 0, around: '', over })
}

function storySigns(random, at, hasField = true) {
  const parts = random.int(1, 6)
  const step = (at.wide - 16) / parts
  const bars = Array.from({ length: parts }, (_, i) =>
    block(8 + i * step + 1, STATUS_HIGH + 8, step - 2, 2.2, i === 0 ? '#fff' : '#ffffff66', 'rx="1"'),
  )
  const who =
    avatar(random, 30, STATUS_HIGH + 34, 15) +
    text(54, STATUS_HIGH + 39, 14, '#fff', person(random), 'font-weight="bold"') +
    text(190, STATUS_HIGH + 39, 13, '#ddd', `${random.int(1, 23)}h`) +
    dots(at.wide - 60, STATUS_HIGH + 34, '#fff') +
    icon('close', at.wide - 32, STATUS_HIGH + 25, 18, '#fff')
  const y = at.high - 78
  const field = `<rect x="12" y="${y}" width="${at.wide - 110}" height="40" rx="20" fill="none" stroke="#fff" stroke-opacity="0.7"/>`
  const send =
    text(30, y + 25, 13.5, '#eee', 'Send message') +
    icons(['heart', 'share'], { from: at.wide - 72, to: at.wide - 28, y: y + 9, size: 22, colour: '#fff' })
  return statusBar(random, at.wide, '#fff') + bars.join('') + who + (hasField ? field + send : '')
}

/** Text on the picture, in two of three. */
function shouted(random, at, { y, h }) {
  if (random() < 0.34) return ''
  const words = sentence(random, 2, 4)
  const wide = Math.min(at.wide - 40, words.length * 13 + 30)
  const top = Math.min(at.high - 130, y + h * (0.2 + 0.55 * random()))
  const [fill, ink] = random.pick([
    ['#fff', '#111'],
    ['#000', '#fff'],
    ['#e11d48', '#fff'],
    ['#facc15', '#111'],
  ])
  const left = 10 + (at.wide - 20 - wide) * random()
  return (
    bubble(left, top, wide, 36, fill, 8) +
    text(left + wide / 2, top + 24, 19, ink, words, 'text-anchor="middle" font-weight="bold"')
  )
}
