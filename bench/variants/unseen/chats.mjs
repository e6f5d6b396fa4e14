// Pictures as messengers show them.

import { text } from '../svg.mjs'
import { contained, desktop, painted, phone, shown } from './screen.mjs'
import { avatar, block, bubble, icon, icons, line, navigation, pill, STATUS_HIGH, statusBar } from './widgets.mjs'
import { clock, count, fullName, group, paragraph, person, sentence } from './words.mjs'

/** A wallpaper of little drawings, and a bubble with a narrow rim and sometimes a caption. */
export async function wallpaperChat(photo, random) {
  const at = phone(random)
  const dark = random() < 0.45
  const [ground, doodle, bar, theirs, mine, ink, faint] = dark
    ? ['#0b141a', '#182229', '#202c33', '#202c33', '#005c4b', '#e9edef', '#8696a0']
    : ['#efeae2', '#ddd5c8', '#008069', '#ffffff', '#d9fdd3', '#111b21', '#667781']
  const isMine = random() < 0.4
  const inner = contained(photo, { x: 0, y: 0, w: random.int(230, 268), h: 330 })
  const caption = random() < 0.4 ? sentence(random, 2, 10) : ''
  const said = paragraph(0, 0, { wide: inner.w - 12, size: 13.5, fill: ink, words: caption })
  const under = caption === '' ? 0 : said.high + 8
  const y = random.int(150, 260)
  const x = isMine ? at.wide - 12 - inner.w - 6 : 12
  const box = { ...inner, x: x + 3, y: y + 3 }
  const frame = bubble(x, y, inner.w + 6, inner.h + 6 + under, isMine ? mine : theirs, 9)
  const words = `<g transform="translate(${x + 9} ${y + inner.h + 5})">${said.body}</g>`
  const time = text(
    x + inner.w - 6,
    y + inner.h + under - 3,
    10,
    caption === '' ? '#fff' : faint,
    clock(random),
    'text-anchor="end"',
  )

  const heads =
    avatar(random, 56, STATUS_HIGH + 24, 18) + text(84, STATUS_HIGH + 29, 16, '#fff', fullName(random), 'font-weight="bold"')
  const header =
    block(0, 0, at.wide, STATUS_HIGH + 48, bar) +
    statusBar(random, at.wide, '#fff') +
    icon('back', 12, STATUS_HIGH + 15, 18, '#fff') +
    heads
  const foot =
    bubble(8, at.high - 74, at.wide - 68, 44, dark ? '#202c33' : '#fff', 22) +
    text(52, at.high - 47, 15, faint, 'Message') +
    `<circle cx="${at.wide - 30}" cy="${at.high - 52}" r="22" fill="#00a884"/>` +
    navigation(random, at, ink)
  const [before, after] = [
    messages(random, at.wide, { from: STATUS_HIGH + 58, to: y - 8, theirs, mine, ink, faint }),
    messages(random, at.wide, { from: y + inner.h + under + 16, to: at.high - 84, theirs, mine, ink, faint }),
  ]
  const layers = [doodles(random, at, doodle) + before + after + frame, await shown(photo, at, box, { random, radius: 7 })]
  return painted(at, ground, [...layers, words + time + header + foot])
}

function doodles(random, { wide, high }, colour) {
  const names = ['heart', 'comment', 'share', 'bookmark', 'home', 'search', 'user', 'bin', 'pen', 'up']
  const parts = []
  for (let y = 8; y < high; y += 34) {
    for (let x = 4; x < wide; x += 36) {
      const turn = random.int(0, 359)
      const drawn = icon(random.pick(names), 0, 0, random.int(14, 24), colour, { weight: 1.4 })
      parts.push(
        `<g transform="translate(${x + random.int(-5, 5)} ${y + random.int(-5, 5)}) rotate(${turn} 10 10)">${drawn}</g>`,
      )
    }
  }
  return parts.join('')
}

/** Bubbles of text between two heights; none that would not fit. */
function messages(random, wide, { from, to, theirs, mine, ink, faint, left = 0, size = 14 }) {
  const parts = []
  let y = from
  for (;;) {
    const words = sentence(random, 1, 16)
    const said = paragraph(0, 0, { wide: Math.min(wide * 0.66, 380), size, fill: ink, words })
    const high = said.high + 16
    if (y + high > to) return parts.join('')
    const w = Math.min(Math.min(wide * 0.66, 380), words.length * size * 0.6) + 58
    const isMine = random() < 0.5
    const x = left + (isMine ? wide - 12 - w : 12)
    parts.push(bubble(x, y, w, high, isMine ? mine : theirs, 9))
    parts.push(`<g transform="translate(${x + 10} ${y + 4})">${said.body}</g>`)
    parts.push(text(x + w - 8, y + high - 6, 10, faint, clock(random), 'text-anchor="end"'))
    y += high + random.pick([3, 3, 9])
  }
}

/** Forwarded into a channel: from whom above, reactions and views below. */
export async function channelPost(photo, random) {
  const at = phone(random)
  const dark = random() < 0.5
  const [ground, bar, card, ink, link, faint, chip] = dark
    ? ['#0f0f0f', '#212d3b', '#182533', '#ffffff', '#6ab3f3', '#7d8b99', '#2b3f52']
    : ['#c5d8b4', '#ffffff', '#ffffff', '#000000', '#2481cc', '#8a9399', '#e3f0fa']
  const wide = Math.min(at.wide - 62, 290)
  const high = Math.min(wide / (photo.width / photo.height), 380)
  const y = STATUS_HIGH + 64 + random.int(20, 120)
  const forwarded = random() < 0.7 ? 42 : 24
  const box = { x: 9, y: y + forwarded, w: wide, h: high }
  const said = paragraph(20, box.y + high + 4, { wide: wide - 24, size: 13.5, fill: ink, words: sentence(random, 1, 30) })
  const rows = box.y + high + said.high + 14
  let x = 20
  const reactions = ['#e0245e', '#ffcc33', '#1877f2', '#46a35e'].slice(0, random.int(1, 4)).map((colour) => {
    const { body, wide: taken } = pill(x, rows, count(random), { size: 11, fill: chip, colour: link, before: 18 })
    const face = `<circle cx="${x + 14}" cy="${rows + 11.5}" r="7.5" fill="${colour}"/>`
    x += taken + 6
    return body + face
  })
  const end = rows + 48
  const head =
    text(20, y + 17, 12.5, link, forwarded === 42 ? 'Forwarded from' : group(random)) +
    (forwarded === 42 ? text(20, y + 33, 12.5, link, group(random), 'font-weight="bold"') : '')
  const foot = text(wide, end - 8, 10.5, faint, `${count(random)} views  ${clock(random)}`, 'text-anchor="end"')
  const side = `<circle cx="${wide + 30}" cy="${end - 18}" r="15" fill="#0006"/>${icon('share', wide + 22, end - 26, 16, '#fff')}`
  const next =
    bubble(9, end + 8, wide, 300, card, 14) +
    paragraph(20, end + 16, { wide: wide - 24, size: 13.5, fill: ink, words: sentence(random, 20, 50) }).body
  const header =
    block(0, 0, at.wide, STATUS_HIGH + 52, bar) +
    statusBar(random, at.wide, ink) +
    icon('back', 14, STATUS_HIGH + 16, 18, ink) +
    avatar(random, 62, STATUS_HIGH + 26, 18) +
    text(90, STATUS_HIGH + 23, 15, ink, group(random), 'font-weight="bold"') +
    text(90, STATUS_HIGH + 40, 12, faint, `${count(random)} subscribers`)
  const mute =
    block(0, at.high - 66, at.wide, 66, bar) +
    text(at.wide / 2, at.high - 36, 14, link, random.pick(['MUTE', 'JOIN']), 'text-anchor="middle"')
  return painted(at, ground, [
    bubble(9, y, wide, end - y, card, 14) + head,
    await shown(photo, at, box, { random }),
    said.body + reactions.join('') + foot + side + next + header + mute + navigation(random, at, ink),
  ])
}

/** A reply to a story: a small card in a chat, with the answer beneath. */
export async function storyReply(photo, random) {
  const at = phone(random)
  const dark = random() < 0.55
  const [ground, ink, faint, theirs, mine] = dark
    ? ['#000000', '#f5f5f5', '#a8a8a8', '#262626', '#3797f0']
    : ['#ffffff', '#000000', '#737373', '#efefef', '#4a5df9']
  const isMine = random() < 0.5
  const wide = random.int(112, 150)
  const high = Math.min((wide * 16) / 9, Math.max(wide * 0.75, wide / (photo.width / photo.height)))
  const y = random.int(180, 320)
  const x = isMine ? at.wide - 24 - wide : 52
  const note = text(isMine ? at.wide - 16 : 52, y - 10, 11.5, faint, 'Replied to a story', isMine ? 'text-anchor="end"' : '')
  const rule = block(isMine ? at.wide - 16 : 42, y, 3, high, dark ? '#363636' : '#dbdbdb', 'rx="1.5"')
  const colours = { theirs, mine, ink, faint: 'none' }
  const around =
    messages(random, at.wide, { from: STATUS_HIGH + 70, to: y - 30, ...colours }) +
    messages(random, at.wide, { from: y + high + 10, to: at.high - 90, ...colours })
  const header =
    statusBar(random, at.wide, ink) +
    icon('back', 14, STATUS_HIGH + 18, 20, ink) +
    avatar(random, 62, STATUS_HIGH + 28, 16) +
    text(88, STATUS_HIGH + 33, 14.5, ink, person(random), 'font-weight="bold"') +
    line(STATUS_HIGH + 58, at.wide, theirs)
  const field =
    bubble(12, at.high - 76, at.wide - 24, 44, theirs, 22) +
    `<circle cx="36" cy="${at.high - 54}" r="17" fill="${mine}"/>` +
    text(64, at.high - 49, 14, faint, 'Message…')
  const layer = await shown(photo, at, { x, y, w: wide, h: high }, { random, radius: 14 })
  return painted(at, ground, [around + header + note + rule, layer, field + navigation(random, at, ink)])
}

/** A window on a large screen: chats at the left, the talk with the picture at the right. */
export async function desktopChat(photo, random) {
  const at = desktop()
  const dark = random() < 0.5
  const [ground, side, chosen, theirs, mine, ink, faint] = dark
    ? ['#0e1621', '#17212b', '#2b5278', '#182533', '#2b5278', '#f5f5f5', '#7f91a4']
    : ['#e7ebf0', '#ffffff', '#419fd9', '#ffffff', '#effdde', '#111111', '#8f9498']
  const list = random.int(300, 420)
  const picked = random.int(0, 8)
  const chats = Array.from({ length: 14 }, (_, i) => {
    const y = 64 + i * 72
    const ground = i === picked ? block(0, y, list, 72, chosen) : ''
    const colour = i === picked ? '#fff' : ink
    const name = text(84, y + 30, 15, colour, fullName(random), 'font-weight="bold"')
    const last = text(84, y + 53, 14, i === picked ? '#fff' : faint, sentence(random, 3, 5))
    return ground + avatar(random, 42, y + 36, 26) + name + last + text(list - 52, y + 28, 12, faint, clock(random))
  }).join('')
  const wide = at.wide - list
  const inner = contained(photo, { x: 0, y: 0, w: 430, h: 480 })
  const y = random.int(180, 330)
  const isMine = random() < 0.4
  const x = list + (isMine ? Math.min(wide - 20, 760) - inner.w : 20)
  const colours = { theirs, mine, ink, faint, left: list, size: 14 }
  const talkWide = Math.min(wide, 780)
  const talk =
    messages(random, talkWide, { from: 72, to: y - 10, ...colours }) +
    messages(random, talkWide, { from: y + inner.h + 10, to: at.high - 74, ...colours })
  const bars =
    block(list, 0, wide, 58, side) +
    text(list + 20, 26, 15, ink, fullName(random), 'font-weight="bold"') +
    text(list + 20, 46, 13, faint, 'last seen recently') +
    icons(['search', 'bars'], { from: at.wide - 90, to: at.wide - 36, y: 19, size: 20, colour: faint }) +
    block(list, at.high - 62, wide, 62, side) +
    text(list + 70, at.high - 26, 15, faint, 'Write a message…')
  const left =
    block(0, 0, list, at.high, side) +
    chats +
    pill(70, 16, 'Search                ', { size: 14, fill: ground, colour: faint }).body
  const layer = await shown(photo, at, { ...inner, x, y }, { random, radius: 10 })
  const time = pill(x + inner.w - 58, y + inner.h - 32, clock(random), { size: 11, fill: '#0009', colour: '#fff' })
  return painted(at, ground, [talk + left + bars, layer, time.body])
}
