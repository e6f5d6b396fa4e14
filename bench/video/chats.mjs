// Chat screens with a clip in a conversation. Colours, sizes, positions and words differ by clip.

import { text } from '../variants/svg.mjs'
import { contained } from '../variants/unseen/screen.mjs'
import { avatar, block, bubble, icon, icons, navigation, pill, STATUS_HIGH, statusBar } from '../variants/unseen/widgets.mjs'
import { clock, count, fullName, group, paragraph, sentence } from '../variants/unseen/words.mjs'
import { layoutOf, palette, phone } from './screens.mjs'

/** A clip in a conversation, on the side of its sender. @returns {import('./screens.mjs').Layout} */
export function chat(random, clip) {
  return random.pick([messenger, channel, thread])(random, clip)
}

function messenger(random, clip) {
  const at = phone(random)
  const { isDark, ground, bar, theirs, mine, ink, faint } = palette(random)
  const isMine = random() < 0.5
  const size = contained(clip, { x: 0, y: 0, w: random.int(205, 285), h: random.int(300, 420) })
  const y = random.int(105, Math.max(106, Math.round(at.high - size.h - 150)))
  const x = isMine ? at.wide - 14 - size.w : random.int(10, 44)
  const box = { x, y, w: size.w, h: size.h }
  const frame = bubble(x - 3, y - 3, size.w + 6, size.h + 6, isMine ? mine : theirs, 12)
  const between = { theirs, mine, ink, wide: at.wide, random }
  const around =
    frame +
    talk({ from: STATUS_HIGH + 62, to: y - 12, ...between }) +
    talk({ from: y + size.h + 14, to: at.high - 86, ...between })
  const head =
    block(0, 0, at.wide, STATUS_HIGH + 52, bar) +
    statusBar(random, at.wide, ink) +
    icon('back', 12, STATUS_HIGH + 16, 20, ink) +
    avatar(random, 60, STATUS_HIGH + 26, 17) +
    text(88, STATUS_HIGH + 31, 15, ink, random() < 0.5 ? fullName(random) : group(random), 'font-weight="bold"')
  const foot =
    bubble(10, at.high - 74, at.wide - 70, 42, isDark ? '#ffffff18' : '#00000010', 21) +
    text(28, at.high - 47, 14, faint, random.pick(['Message', 'Write something', 'Aa'])) +
    `<circle cx="${at.wide - 32}" cy="${at.high - 53}" r="21" fill="${mine}"/>` +
    navigation(random, at, ink)
  return layoutOf(at, { ground, box, radius: random.int(4, 14), around: around + head + foot, over: playing(random, box) })
}

function channel(random, clip) {
  const at = phone(random)
  const { ground, bar, theirs, mine, ink, faint } = palette(random)
  const wide = at.wide - random.int(20, 64)
  const size = contained(clip, { x: 0, y: 0, w: wide, h: at.high - 330 })
  const y = STATUS_HIGH + random.int(84, 130)
  const x = random() < 0.5 ? 10 : at.wide - 10 - size.w
  const box = { x, y, w: size.w, h: size.h }
  const said = paragraph(x + 10, y + size.h + 8, { wide: size.w - 20, size: 13, fill: ink, words: sentence(random, 3, 16) })
  const high = 28 + size.h + said.high + 40
  const card =
    bubble(x, y - 26, size.w, high, theirs, 10) + text(x + 10, y - 8, 12.5, mine, group(random), 'font-weight="bold"')
  const views = text(
    x + size.w - 12,
    y + size.h + said.high + 28,
    10.5,
    faint,
    `${count(random)}  ${clock(random)}`,
    'text-anchor="end"',
  )
  const head =
    block(0, 0, at.wide, STATUS_HIGH + 50, bar) +
    statusBar(random, at.wide, ink) +
    avatar(random, 36, STATUS_HIGH + 25, 16) +
    text(64, STATUS_HIGH + 30, 15, ink, group(random), 'font-weight="bold"')
  const foot =
    block(0, at.high - 60, at.wide, 60, bar) +
    text(at.wide / 2, at.high - 33, 14, mine, 'MUTE', 'text-anchor="middle"') +
    navigation(random, at, ink)
  const next = bubble(x, y - 26 + high + 8, size.w, 400, theirs, 10)
  const around = card + said.body + views + next + head + foot
  return layoutOf(at, { ground, box, radius: 0, around, over: playing(random, box) })
}

/** A thread in which clips are as wide as the page. */
function thread(random, clip) {
  const at = phone(random)
  const { ground, bar, theirs, mine, ink, faint } = palette(random)
  const size = contained(clip, { x: 0, y: 0, w: at.wide, h: at.high - 300 })
  const y = STATUS_HIGH + random.int(90, 170)
  const box = { x: (at.wide - size.w) / 2, y, w: size.w, h: size.h }
  const title = paragraph(14, STATUS_HIGH + 48, { wide: at.wide - 28, size: 15, fill: ink, words: sentence(random, 2, 6) })
  const below = icons(['heart', 'comment', 'repeat', 'share'], {
    from: 30,
    to: at.wide - 60,
    y: y + size.h + 12,
    size: 20,
    colour: faint,
  })
  const replies = talk({ from: y + size.h + 48, to: at.high - 50, theirs, mine: theirs, ink, wide: at.wide, random })
  const head =
    block(0, 0, at.wide, STATUS_HIGH + 40, bar) +
    statusBar(random, at.wide, ink) +
    icon('close', 14, STATUS_HIGH + 10, 18, mine)
  const around = head + title.body + below + replies + navigation(random, at, ink)
  return layoutOf(at, { ground, box, radius: 0, around, over: playing(random, box) })
}

/** The controls that a player draws over a clip. */
function playing(random, { x, y, w, h }) {
  const time = `0:${String(random.int(2, 59)).padStart(2, '0')}`
  const corner = random.pick([
    [x + 6, y + 6],
    [x + 6, y + h - 26],
    [x + w - 52, y + h - 26],
  ])
  const tag = pill(corner[0], corner[1], time, { size: 10, fill: '#00000088', colour: '#fff' }).body
  const done = w * (0.1 + 0.8 * random())
  const line = random() < 0.4 ? block(x, y + h - 3, w, 3, '#ffffff66') + block(x, y + h - 3, done, 3, '#fff') : ''
  return tag + line
}

function talk({ from, to, theirs, mine, ink, wide, random }) {
  const parts = []
  for (let y = from; ; ) {
    const said = paragraph(0, 0, { wide: 210, size: 14, fill: ink, words: sentence(random, 1, 14) })
    if (y + said.high + 16 > to) return parts.join('')
    const isMine = random() < 0.5
    const x = isMine ? wide - 250 : 12
    parts.push(bubble(x, y, 238, said.high + 16, isMine ? mine : theirs, 11))
    parts.push(`<g transform="translate(${x + 10} ${y + 5})">${said.body}</g>`)
    y += said.high + random.pick([20, 24, 34])
  }
}
