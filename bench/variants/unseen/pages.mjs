// Pictures on web pages.

import { text } from '../svg.mjs'
import { contained, desktop, feedHeight, painted, phone, shown } from './screen.mjs'
import { block, bubble, icon, icons, line, navigation, STATUS_HIGH, statusBar, still } from './widgets.mjs'
import { clock, count, fullName, group, paragraph, person, sentence } from './words.mjs'

/** A browser on a phone: address, headline, the picture with margins or without, the article. */
export async function article(photo, random) {
  const at = phone(random)
  const paper = random.pick(['#ffffff', '#ffffff', '#fdf6e9', '#1b1b1d'])
  const dark = paper === '#1b1b1d'
  const [ink, faint, bar] = dark ? ['#e6e6e6', '#9a9a9a', '#2b2b2e'] : ['#1a1a1a', '#6a6a6a', '#eceff1']
  const serif = random() < 0.5 ? 'style="font-family:DejaVu Serif"' : ''
  const top = STATUS_HIGH + 50
  const title = paragraph(16, top + 58, {
    wide: at.wide - 32,
    size: 21,
    fill: ink,
    words: sentence(random, 5, 12),
    leading: 1.2,
    extra: `font-weight="bold" ${serif}`,
  })
  const margin = random.pick([0, 16, 16])
  const wide = at.wide - 2 * margin
  const y = top + 100 + title.high - (random() < 0.3 ? random.int(40, 110) : 0)
  const box = { x: margin, y, w: wide, h: feedHeight(photo, wide, { tallest: 0.7, flattest: 2.2 }) }
  const end = y + box.h
  const address =
    block(0, 0, at.wide, top, bar) +
    statusBar(random, at.wide, ink) +
    bubble(48, STATUS_HIGH + 6, at.wide - 110, 36, dark ? '#3a3a3e' : '#fff', 18) +
    text(
      70,
      STATUS_HIGH + 29,
      13.5,
      ink,
      `${random.pick(['news', 'blog', 'my'])}-${person(random).replaceAll(/\W/g, '')}.example`,
    ) +
    icon('home', 14, STATUS_HIGH + 14, 20, ink) +
    dots3(at.wide - 22, STATUS_HIGH + 24, ink)
  const site =
    text(
      16,
      top + 30,
      17,
      random.pick(['#b00020', '#0b57d0', ink]),
      group(random).toUpperCase(),
      `font-weight="bold" ${serif}`,
    ) + line(top + 44, at.wide, faint)
  const by = text(16, y - 14, 12, faint, `${fullName(random)} · ${random.int(1, 28)} May, ${clock(random)}`)
  const caption = text(16, end + 17, 10.5, faint, `${sentence(random, 4, 7)} (archive)`)
  const story = paragraph(16, end + 28, {
    wide: at.wide - 32,
    size: 15,
    fill: ink,
    words: sentence(random, 110, 160),
    leading: 1.5,
    extra: serif,
  })
  const layer = await shown(photo, at, box, { random })
  const foot = block(0, at.high - 24, at.wide, 24, paper) + navigation(random, at, ink)
  return painted(at, paper, [
    site + title.body + block(0, y - 30, at.wide, 30, paper) + by,
    layer,
    caption + story.body + address + foot,
  ])
}

function dots3(x, y, colour) {
  return [-6, 0, 6].map((d) => `<circle cx="${x}" cy="${y + d}" r="1.8" fill="${colour}"/>`).join('')
}

/** A card of a news site: the headline lies over the lower part of the picture. */
export async function newsCard(photo, random) {
  const at = phone(random)
  const high = feedHeight(photo, at.wide - 24, { tallest: 0.8, flattest: 1.78 })
  const y = STATUS_HIGH + 70 + random.int(0, 160)
  const box = { x: 12, y, w: at.wide - 24, h: high }
  const size = random.int(17, 20)
  const words = sentence(random, 5, 11)
  const head = paragraph(26, 0, {
    wide: at.wide - 56,
    size,
    fill: '#fff',
    words,
    leading: 1.22,
    extra: 'font-weight="bold"',
  })
  const from = y + high - head.high - 40
  const shade = `<defs><linearGradient id="s" x2="0" y2="1"><stop offset="0" stop-color="#000" stop-opacity="0"/><stop offset="0.6" stop-color="#000" stop-opacity="0.72"/><stop offset="1" stop-color="#000" stop-opacity="0.85"/></linearGradient></defs>`
  const over =
    shade +
    block(12, from - 30, at.wide - 24, y + high - from + 30, 'url(#s)', 'rx="12"') +
    bubble(26, from - 12, 74, 20, random.pick(['#c00', '#06c', '#e67e00']), 3) +
    text(34, from + 3, 12, '#fff', 'LIVE NOW') +
    `<g transform="translate(0 ${from + 14})">${head.body}</g>` +
    text(26, y + high - 10, 11, '#ddd', `${random.int(1, 50)} min ago`)
  const rest = (top) =>
    [0, 1, 2, 3, 4]
      .map((i) => {
        const at_ = top + i * 96
        const thumb = `<g transform="translate(${at.wide - 108} ${at_ + 10})">${block(0, 0, 92, 70, `hsl(${random.int(0, 359)},30%,${random.int(30, 70)}%)`, 'rx="8"')}${icon('user', 31, 20, 30, '#fff8')}</g>`
        return (
          thumb +
          paragraph(16, at_ + 8, { wide: at.wide - 140, size: 14, fill: '#222', words: sentence(random, 6, 12) }).body +
          line(at_, at.wide, '#ddd')
        )
      })
      .join('')
  const section = text(16, y - 18, 18, '#222', group(random), 'font-weight="bold"')
  const bar =
    block(0, 0, at.wide, STATUS_HIGH + 52, random.pick(['#ffffff', '#b00020', '#10243f'])) +
    statusBar(random, at.wide, '#888') +
    text(at.wide / 2, STATUS_HIGH + 33, 19, '#888', group(random), 'text-anchor="middle" font-weight="bold"')
  const layer = await shown(photo, at, box, { random, radius: 12 })
  return painted(at, '#f3f4f6', [section + rest(y + high + 14), layer, over + bar + navigation(random, at, '#333')])
}

/** A board on a large screen: the picture at the left of a post, the text around it. */
export async function boardThread(photo, random) {
  const at = desktop()
  const [page, post, ink, link] = random.pick([
    ['#eef2ff', '#d6daf0', '#000000', '#34345c'],
    ['#ffffee', '#f0e0d6', '#800000', '#0000ee'],
    ['#1d1f21', '#282a2e', '#c5c8c6', '#81a2be'],
  ])
  const inner = contained(photo, { x: 40, y: 150, w: random.int(250, 560), h: random.int(250, 560) })
  const box = { ...inner, x: 40, y: random.int(120, 200) }
  const name = (x, y) =>
    text(x, y, 14, '#117743', random.pick(['Anonymous', person(random)]), 'font-weight="bold"') +
    text(x + 120, y, 13, ink, `2${random.int(1, 3)}/0${random.int(1, 9)} ${clock(random)} No.${random.int(1e6, 9e6)}`)
  const file = text(40, box.y - 34, 13, link, `File: ${random.int(1e9, 9e9)}.jpg (${random.int(40, 900)} KB)`)
  const said = paragraph(60 + box.w, box.y, { wide: 1000, size: 15, fill: ink, words: sentence(random, 12, 60) })
  let y = Math.max(box.y + box.h, box.y + said.high) + 26
  const replies = []
  while (y < at.high) {
    const wide = random.int(420, 1100)
    const words = paragraph(76, y + 30, { wide: wide - 40, size: 14, fill: ink, words: sentence(random, 6, 50) })
    replies.push(block(56, y, wide, words.high + 46, post) + name(76, y + 22) + words.body)
    y += words.high + 56
  }
  const top =
    block(0, 0, at.wide, 64, page) +
    text(
      at.wide / 2,
      44,
      28,
      ink,
      `/${random.pick(['b', 'pic', 'loc', 'gen'])}/ - ${group(random)}`,
      'text-anchor="middle" font-weight="bold"',
    ) +
    line(66, at.wide, link)
  return painted(at, page, [
    file + name(40, box.y - 14) + said.body + replies.join(''),
    await shown(photo, at, box, { random }),
    top,
  ])
}

/** A still in a video page: bars to 16:9, the controls over it, title and suggestions below. */
export async function videoPage(photo, random) {
  const at = phone(random)
  const dark = random() < 0.5
  const [page, ink, faint] = dark ? ['#0f0f0f', '#f1f1f1', '#aaaaaa'] : ['#ffffff', '#0f0f0f', '#606060']
  const frame = { x: 0, y: STATUS_HIGH, w: at.wide, h: (at.wide * 9) / 16 }
  const end = frame.y + frame.h
  const isPaused = random() < 0.4
  const shade = isPaused ? block(0, frame.y, at.wide, frame.h, '#000', 'fill-opacity="0.35"') : ''
  const play = isPaused ? `<path d="M${at.wide / 2 - 12} ${frame.y + frame.h / 2 - 17}l30 17l-30 17z" fill="#fff"/>` : ''
  const share = random()
  const slider =
    block(0, end - 3, at.wide, 3, '#fff6') +
    block(0, end - 3, at.wide * share, 3, '#f00') +
    `<circle cx="${at.wide * share}" cy="${end - 1.5}" r="5" fill="#f00"/>`
  const title = paragraph(14, end + 12, {
    wide: at.wide - 28,
    size: 17,
    fill: ink,
    words: sentence(random, 4, 14),
    extra: 'font-weight="bold"',
  })
  const y = end + 24 + title.high
  const below =
    title.body +
    text(14, y + 10, 12, faint, `${count(random)} views · ${random.int(1, 11)} months ago`) +
    icons(['up', 'comment', 'share', 'bookmark'], { from: 40, to: at.wide - 40, y: y + 26, size: 20, colour: ink }) +
    line(y + 62, at.wide, faint)
  const suggestions = [0, 1].map((i) => {
    const top = y + 76 + i * 250
    return (
      still(random, 0, top, at.wide, 190) +
      paragraph(14, top + 196, { wide: at.wide - 28, size: 14, fill: ink, words: sentence(random, 5, 9) }).body
    )
  })
  const bars = block(0, 0, at.wide, frame.h + STATUS_HIGH, '#000') + statusBar(random, at.wide, '#fff')
  const layer = await shown(photo, at, contained(photo, frame), { random })
  return painted(at, page, [bars, layer, shade + play + slider + below + suggestions.join('') + navigation(random, at, ink)])
}
