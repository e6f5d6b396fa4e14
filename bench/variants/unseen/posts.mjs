// Posts in the feeds of four sites.

import { text } from '../svg.mjs'
import { feedHeight, painted, phone, shown } from './screen.mjs'
import { avatar, block, dots, icon, icons, line, navigation, pill, STATUS_HIGH, statusBar, still } from './widgets.mjs'
import { count, fullName, group, paragraph, person, sentence } from './words.mjs'

const DARK = { ground: '#000000', ink: '#e7e9ea', faint: '#71767b', edge: '#2f3336' }
const LIGHT = { ground: '#ffffff', ink: '#0f1419', faint: '#536471', edge: '#e4e9ec' }

/** Text above, round corners, counters below, then the next post. */
export async function shortMessage(photo, random, mode) {
  const at = phone(random)
  const { ground, ink, faint, edge } = mode === 'dark' ? DARK : LIGHT
  const left = 62
  const wide = at.wide - left - 14
  const post = (y, words) => {
    const head = avatar(random, 32, y + 24, 20) + text(left, y + 18, 13.5, ink, fullName(random), 'font-weight="bold"')
    const said = paragraph(left, y + 40, { wide, size: 13.5, fill: ink, words })
    const handle = text(left, y + 34, 12, faint, `@${person(random)} · ${random.int(1, 23)}h`)
    return { body: head + handle + said.body + dots(at.wide - 26, y + 14, faint), end: y + 48 + said.high }
  }
  const counters = (y) =>
    ['comment', 'repeat', 'heart', 'bars']
      .map((name, i) => {
        const x = left + (i * wide) / 4
        return icon(name, x, y, 15, faint) + text(x + 20, y + 12, 11, faint, count(random))
      })
      .join('') + icon('share', at.wide - 30, y, 15, faint)

  const top = STATUS_HIGH + 46
  const before = random() < 0.5 ? post(top + random.int(-40, 10), sentence(random, 4, 18)) : { body: '', end: top }
  const beforeEnd = before.body === '' ? top : before.end + 34
  const main = post(beforeEnd + 6, sentence(random, 3, 26))
  const box = { x: left, y: main.end + 4, w: wide, h: feedHeight(photo, wide, { tallest: 0.75, flattest: 2.4 }) }
  const end = box.y + box.h
  const next = post(end + 44, sentence(random, 10, 40))
  const third = post(next.end + 40, sentence(random, 8, 30))
  const bars =
    block(0, 0, at.wide, top, ground) +
    statusBar(random, at.wide, ink) +
    avatar(random, 28, STATUS_HIGH + 20, 13) +
    text(at.wide / 2, STATUS_HIGH + 26, 15, ink, random.pick(['For you', 'Post', 'Home']), 'text-anchor="middle"') +
    line(top, at.wide, edge)
  const feet =
    block(0, at.high - 70, at.wide, 70, ground) +
    line(at.high - 70, at.wide, edge) +
    icons(['home', 'search', 'add', 'user'], { from: 44, to: at.wide - 44, y: at.high - 58, size: 22, colour: ink }) +
    navigation(random, at, ink)
  const under =
    (before.body === '' ? '' : before.body + counters(before.end + 6) + line(beforeEnd, at.wide, edge)) + main.body
  const after =
    counters(end + 12) +
    line(end + 38, at.wide, edge) +
    next.body +
    counters(next.end + 8) +
    line(next.end + 34, at.wide, edge) +
    third.body
  return painted(at, ground, [under, await shown(photo, at, box, { random, radius: 14 }), after, bars + feet])
}

/** As wide as the screen, reactions and three buttons below, the end of another post above. */
export async function friendsFeed(photo, random) {
  const at = phone(random)
  const dark = random() < 0.35
  const [page, card, ink, faint] = dark
    ? ['#18191a', '#242526', '#e4e6eb', '#b0b3b8']
    : ['#c9ccd1', '#ffffff', '#050505', '#65676b']
  const buttons = (y) =>
    ['Like', 'Comment', 'Share']
      .map((name, i) => {
        const x = 34 + (i * at.wide) / 3
        return icon(['heart', 'comment', 'share'][i], x, y + 9, 15, faint) + text(x + 22, y + 21, 12, faint, name)
      })
      .join('')
  const reactions = (y) =>
    ['#1877f2', '#f33e58', '#f7b125']
      .map((c, i) => `<circle cx="${20 + i * 13}" cy="${y + 14}" r="8" fill="${c}"/>`)
      .join('') +
    text(62, y + 18, 12, faint, count(random)) +
    text(at.wide - 14, y + 18, 12, faint, `${random.int(2, 400)} comments`, 'text-anchor="end"') +
    line(y + 30, at.wide, page)

  let y = STATUS_HIGH + 44 + random.int(0, 70)
  const above = block(0, 0, at.wide, y + 66, card) + reactions(y) + buttons(y + 32)
  y += 74
  const said = paragraph(14, y + 58, { wide: at.wide - 28, size: 13.5, fill: ink, words: sentence(random, 2, 30) })
  const box = { x: 0, y: y + 70 + said.high, w: at.wide, h: feedHeight(photo, at.wide, { tallest: 0.8, flattest: 2 }) }
  const end = box.y + box.h
  const head =
    block(0, y, at.wide, end - y + 66, card) +
    avatar(random, 34, y + 32, 20) +
    text(62, y + 28, 13.5, ink, fullName(random), 'font-weight="bold"') +
    text(62, y + 45, 11, faint, `${random.int(1, 23)} h`) +
    dots(at.wide - 52, y + 26, faint) +
    icon('close', at.wide - 26, y + 19, 14, faint) +
    said.body
  const below = reactions(end) + buttons(end + 32) + block(0, end + 74, at.wide, at.high, card)
  const next =
    avatar(random, 34, end + 106, 20) +
    text(62, end + 102, 13.5, ink, group(random), 'font-weight="bold"') +
    still(random, 0, end + 140, at.wide, 260)
  const title =
    block(0, 0, at.wide, STATUS_HIGH + 40, card) +
    statusBar(random, at.wide, ink) +
    text(14, STATUS_HIGH + 28, 21, dark ? '#fff' : '#1877f2', 'friends', 'font-weight="bold"') +
    icons(['add', 'search'], { from: at.wide - 70, to: at.wide - 28, y: STATUS_HIGH + 11, size: 20, colour: ink })
  const feet =
    block(0, at.high - 66, at.wide, 66, card) +
    icons(['home', 'user', 'share', 'bars'], { from: 40, to: at.wide - 40, y: at.high - 56, size: 21, colour: faint })
  return painted(at, page, [
    above + head,
    await shown(photo, at, box, { random }),
    below + next + title + feet + navigation(random, at, ink),
  ])
}

/** A card on a grey page: title first, votes in a pill below. */
export async function forumPost(photo, random) {
  const at = phone(random)
  const dark = random() < 0.5
  const [page, ink, faint, chip] = dark
    ? ['#0e1113', '#eef1f3', '#8ba2ad', '#2a3236']
    : ['#ffffff', '#0e1a1f', '#5c6c74', '#e5ebee']
  const margin = random.pick([0, 12, 14])
  const y = STATUS_HIGH + 54 + random.int(0, 20)
  const title = paragraph(14, y + 44, {
    wide: at.wide - 28,
    size: 16,
    fill: ink,
    words: sentence(random, 3, 16),
    extra: 'font-weight="bold"',
  })
  const wide = at.wide - 2 * margin
  const high = Math.min(wide / (photo.width / photo.height), at.high * 0.62)
  const box = { x: margin, y: y + 56 + title.high, w: wide, h: high }
  const end = box.y + high
  const head =
    avatar(random, 28, y + 22, 14) +
    text(50, y + 20, 12, ink, `r/${group(random).replaceAll(/[^a-z]/gi, '')}`, 'font-weight="bold"') +
    text(50, y + 34, 11, faint, `${person(random)} · ${random.int(1, 12)}d`) +
    dots(at.wide - 28, y + 22, faint) +
    title.body
  const votes = pill(14, end + 12, `▲ ${count(random)} ▼`, { size: 12.5, fill: chip, colour: ink })
  const replies = pill(26 + votes.wide, end + 12, `${random.int(1, 900)} replies`, { size: 12.5, fill: chip, colour: ink })
  const answers = Array.from({ length: 4 }, (_, i) => {
    const top = end + 64 + i * 82
    const said = paragraph(34 + (i % 2) * 16, top + 18, {
      wide: at.wide - 70,
      size: 13,
      fill: ink,
      words: sentence(random, 4, 14),
    })
    return (
      avatar(random, 24 + (i % 2) * 16, top + 6, 8) +
      text(40 + (i % 2) * 16, top + 10, 11.5, faint, person(random)) +
      said.body
    )
  }).join('')
  const bars =
    block(0, 0, at.wide, STATUS_HIGH + 44, page) +
    statusBar(random, at.wide, ink) +
    icon('back', 14, STATUS_HIGH + 12, 20, ink) +
    icons(['search', 'bars'], { from: at.wide - 74, to: at.wide - 30, y: STATUS_HIGH + 12, size: 19, colour: ink }) +
    line(STATUS_HIGH + 44, at.wide, chip)
  const field =
    block(0, at.high - 62, at.wide, 62, page) +
    pill(14, at.high - 54, 'Join the conversation          ', { size: 13, fill: chip, colour: faint }).body
  const layer = await shown(photo, at, box, { random, radius: margin === 0 ? 0 : 16 })
  return painted(at, page, [head, layer, votes.body + replies.body + answers + bars + field + navigation(random, at, ink)])
}

/** Cut to 4:5 at the tallest; who posted above, the row of signs and the caption below. */
export async function photoFeed(photo, random) {
  const at = phone(random)
  const dark = random() < 0.4
  const [ground, ink, faint] = dark ? ['#000000', '#f5f5f5', '#a8a8a8'] : ['#ffffff', '#000000', '#737373']
  const top = STATUS_HIGH + 46
  const stories = random() < 0.5 ? 104 : 0
  const y = top + stories
  const box = { x: 0, y: y + 56, w: at.wide, h: feedHeight(photo, at.wide, { tallest: 0.8, flattest: 1.91 }) }
  const end = box.y + box.h
  const rings = Array.from({ length: 5 }, (_, i) => {
    const x = 46 + i * 84
    const ring = `<circle cx="${x}" cy="${top + 42}" r="35" fill="none" stroke="#d62976" stroke-width="2.4"/>`
    return ring + avatar(random, x, top + 42, 31) + text(x, top + 94, 10.5, ink, person(random), 'text-anchor="middle"')
  }).join('')
  const head =
    avatar(random, 30, y + 28, 17) +
    text(56, y + 26, 13, ink, person(random), 'font-weight="bold"') +
    text(56, y + 41, 11, ink, group(random)) +
    dots(at.wide - 28, y + 28, ink)
  const caption = paragraph(14, end + 72, {
    wide: at.wide - 28,
    size: 13,
    fill: ink,
    words: `${person(random)} ${sentence(random, 2, 22)}`,
  })
  const below =
    icons(['heart', 'comment', 'share'], { from: 26, to: 106, y: end + 14, size: 22, colour: ink }) +
    icon('bookmark', at.wide - 36, end + 14, 22, ink) +
    text(14, end + 62, 13, ink, `${count(random)} likes`, 'font-weight="bold"') +
    caption.body +
    text(14, end + 92 + caption.high, 12.5, faint, `View all ${random.int(2, 300)} comments`) +
    avatar(random, 30, end + 124 + caption.high, 16) +
    text(56, end + 128 + caption.high, 13, ink, person(random), 'font-weight="bold"') +
    still(random, 0, end + 150 + caption.high, at.wide, at.wide)
  const title =
    statusBar(random, at.wide, ink) +
    text(16, STATUS_HIGH + 32, 21, ink, 'fotogram', 'font-style="italic" style="font-family:DejaVu Serif"') +
    icons(['heart', 'comment'], { from: at.wide - 76, to: at.wide - 28, y: STATUS_HIGH + 14, size: 22, colour: ink })
  const feet =
    block(0, at.high - 72, at.wide, 72, ground) +
    line(at.high - 72, at.wide, faint) +
    icons(['home', 'search', 'add', 'share', 'user'], { from: 36, to: at.wide - 36, y: at.high - 60, size: 23, colour: ink })
  const layers = [title + (stories > 0 ? rings : '') + head, await shown(photo, at, box, { random })]
  if (random() < 0.4) {
    const place = pill(at.wide - 52, box.y + 12, `1/${random.int(2, 9)}`, { size: 11, fill: '#121212b0', colour: '#fff' })
    layers.push(place.body)
  }
  return painted(at, ground, [...layers, below + feet + navigation(random, at, ink)])
}
