// Pictures that fill the screen, or nearly.

import { pictureOf, pipeline } from '../picture.mjs'
import { text } from '../svg.mjs'
import { contained, layerOf, painted, phone, rotated, shown } from './screen.mjs'
import { avatar, block, bubble, icon, icons, navigation, STATUS_HIGH, statusBar } from './widgets.mjs'
import { clock, count, group, paragraph, person, sentence } from './words.mjs'

const NARROW = 0.72 // of width to height: what is taller than this fills the screen and loses its sides

/** A clip's frame: signs at the right, words at the lower left, all over the picture; flat pictures get bars. */
export async function clip(photo, random) {
  const at = phone(random)
  const screenBox = { x: 0, y: 0, w: at.wide, h: at.high - 62 }
  const fills = photo.width / photo.height < NARROW
  const box = fills ? screenBox : contained(photo, screenBox)
  const signs = ['heart', 'comment', 'bookmark', 'share'].map((name, i) => {
    const y = at.high - 420 + i * 66
    return (
      icon(name, at.wide - 46, y, 30, '#fff', { filled: name !== 'share' }) +
      text(at.wide - 31, y + 46, 11.5, '#fff', count(random), 'text-anchor="middle"')
    )
  })
  const said = paragraph(14, at.high - 150, {
    wide: at.wide - 100,
    size: 13.5,
    fill: '#fff',
    words: sentence(random, 4, 20),
  })
  const over =
    statusBar(random, at.wide, '#fff') +
    text(at.wide / 2, STATUS_HIGH + 28, 15.5, '#fff', 'Following   For You', 'text-anchor="middle" font-weight="bold"') +
    icon('search', at.wide - 38, STATUS_HIGH + 13, 22, '#fff') +
    avatar(random, at.wide - 31, at.high - 456, 23) +
    signs.join('') +
    text(14, at.high - 160, 15, '#fff', `@${person(random)}`, 'font-weight="bold"') +
    said.body +
    `<circle cx="${at.wide - 31}" cy="${at.high - 100}" r="21" fill="#222" stroke="#555" stroke-width="8"/>`
  const feet =
    block(0, at.high - 62, at.wide, 62, '#000') +
    icons(['home', 'search', 'add', 'comment', 'user'], {
      from: 36,
      to: at.wide - 36,
      y: at.high - 54,
      size: 22,
      colour: '#fff',
    })
  return painted(at, '#000', [await shown(photo, at, box, { random }), over + feet + navigation(random, at, '#fff')])
}

/** A phone held across: black at both sides, or above and below, thin signs over it. */
export async function galleryAcross(photo, random) {
  const at = rotated(phone(random))
  const bare = random() < 0.5
  const box = contained(photo, { x: 0, y: 0, w: at.wide, h: at.high })
  const shade = block(0, 0, at.wide, 44, '#000', 'fill-opacity="0.45"')
  const signs =
    shade +
    icon('back', 40, 12, 20, '#fff') +
    text(78, 27, 14, '#fff', `${random.int(1, 28)} March  ${clock(random)}`) +
    icons(['heart', 'pen', 'share', 'bin'], { from: at.wide - 200, to: at.wide - 60, y: 12, size: 20, colour: '#fff' })
  return painted(at, random.pick(['#000', '#000', '#fff']), [
    await shown(photo, at, box, { random }),
    (bare ? '' : signs) + (random() < 0.5 ? block(at.wide / 2 - 70, at.high - 8, 140, 3.5, '#ccc', 'rx="1.7"') : ''),
  ])
}

/** Notifications pulled down over a picture that is being looked at. */
export async function shadeOver(photo, random) {
  const at = phone(random)
  const box = contained(photo, { x: 0, y: 0, w: at.wide, h: at.high })
  const under = await painted(at, '#000', [await shown(photo, at, box, { random })])
  const shadeHigh = Math.max(at.high * (0.16 + 0.16 * random()), box.y + box.h * 0.12 * random())
  const [width, height] = [at.width, Math.round(shadeHigh * at.unitPx)]
  const strip = pipeline(under)
    .extract({ left: 0, top: 0, width, height })
    .blur(24 * (at.unitPx / 3))
    .linear(0.45, 18)
  const cards = []
  let y = STATUS_HIGH + 8
  while (y + 66 < shadeHigh) {
    const ground = block(10, y, at.wide - 20, 60, '#f4f4f4', 'rx="16" fill-opacity="0.92"')
    const words =
      text(62, y + 25, 13, '#111', person(random), 'font-weight="bold"') +
      text(62, y + 44, 12.5, '#333', sentence(random, 3, 6))
    cards.push(
      ground +
        avatar(random, 36, y + 30, 16) +
        words +
        text(at.wide - 26, y + 22, 11, '#777', clock(random), 'text-anchor="end"'),
    )
    y += 66
  }
  return painted(at, '#000', [
    layerOf(under),
    layerOf(await pictureOf(strip)),
    statusBar(random, at.wide, '#fff') + cards.join('') + navigation(random, at, '#fff'),
  ])
}

/** A snap: the picture fills the screen as far as it can, and a band of words lies across it. */
export async function snap(photo, random) {
  const at = phone(random)
  const area = { x: 0, y: STATUS_HIGH, w: at.wide, h: at.high - STATUS_HIGH - 76 }
  const fills = photo.width / photo.height < NARROW
  const box = fills ? area : contained(photo, area)
  const y = box.y + box.h * (0.3 + 0.4 * random())
  const band =
    block(0, y, at.wide, 34, '#000', 'fill-opacity="0.6"') +
    text(at.wide / 2, y + 23, 16, '#fff', sentence(random, 2, 5), 'text-anchor="middle"')
  const head =
    statusBar(random, at.wide, '#fff') +
    avatar(random, 34, STATUS_HIGH + 30, 17) +
    text(60, STATUS_HIGH + 28, 13.5, '#fff', person(random), 'font-weight="bold"') +
    text(60, STATUS_HIGH + 43, 11, '#ddd', `${random.int(1, 59)}m ago`) +
    icon('close', at.wide - 36, STATUS_HIGH + 20, 18, '#fff')
  const foot =
    bubble(16, at.high - 66, at.wide - 80, 40, '#222', 20) +
    text(36, at.high - 41, 14, '#bbb', 'Send a chat') +
    icon('share', at.wide - 46, at.high - 57, 24, '#fff')
  return painted(at, '#000', [await shown(photo, at, box, { random, radius: 10 }), band + head + foot])
}

/** White or coloured words on black above and below, edged letters over the picture: a macro as it goes round. */
export async function macro(photo, random) {
  const [width, margin] = [random.pick([600, 750, 1080]), random.pick([0, 12, 36])]
  const inner = width - 2 * margin
  const high = Math.round(inner / (photo.width / photo.height))
  const [above, below] = [0.16, 0.2].map((share) => Math.round(width * (share + 0.08 * random())))
  const at = { width, height: above + high + below, unitPx: 1, wide: width, high: above + high + below }
  const size = width / 12
  const loud = 'text-anchor="middle" style="font-family:DejaVu Sans Condensed" font-weight="bold"'
  const words = (least, most) => sentence(random, least, most).toUpperCase()
  const colour = random.pick(['#ffffff', '#ffffff', '#ffe14d'])
  const lines =
    text(width / 2, above * 0.62, size, colour, words(2, 3), loud) +
    text(width / 2, above + high + below * 0.45, size, colour, words(2, 3), loud) +
    text(width / 2, above + high + below * 0.8, size * 0.5, colour, words(3, 5), loud)
  const edged =
    random() < 0.4
      ? text(
          width / 2,
          above + high - size * 0.4,
          size,
          '#fff',
          words(1, 3),
          `${loud} stroke="#000" stroke-width="${size / 14}"`,
        )
      : ''
  const rim =
    random() < 0.4
      ? `<rect x="${margin - 4}" y="${above - 4}" width="${inner + 8}" height="${high + 8}" fill="none" stroke="#fff" stroke-width="2"/>`
      : ''
  return painted(at, '#000', [await shown(photo, at, { x: margin, y: above, w: inner, h: high }), rim + lines + edged])
}

/** Nine squares of a profile, one of them cut from the photograph. */
export async function profileGrid(photo, random, others) {
  const at = phone(random)
  const dark = random() < 0.4
  const [ground, ink, faint] = dark ? ['#000000', '#f5f5f5', '#a8a8a8'] : ['#ffffff', '#000000', '#737373']
  const gap = random.pick([1, 2])
  const side = (at.wide - 2 * gap) / 3
  const tall = random.pick([1, 1, 1.25])
  const top = random.int(300, 340)
  const slot = random.int(0, 8)
  const cells = await Promise.all(
    Array.from({ length: 9 }, (_, i) => {
      const box = { x: (i % 3) * (side + gap), y: top + Math.floor(i / 3) * (side * tall + gap), w: side, h: side * tall }
      return shown(i === slot ? photo : others[i % others.length], at, box)
    }),
  )
  const numbers = ['posts', 'followers', 'following'].map((name, i) => {
    return (
      text(160 + i * 76, 118, 15, ink, count(random), 'text-anchor="middle" font-weight="bold"') +
      text(160 + i * 76, 136, 11.5, ink, name, 'text-anchor="middle"')
    )
  })
  const buttons = [14, at.wide / 2 + 3].map((x, i) => {
    const name = text(x + at.wide / 4 - 8, 256, 13, ink, ['Follow', 'Message'][i], 'text-anchor="middle"')
    return bubble(x, 236, at.wide / 2 - 17, 30, dark ? '#363636' : '#efefef', 8) + name
  })
  const head =
    statusBar(random, at.wide, ink) +
    text(44, STATUS_HIGH + 32, 17, ink, person(random), 'font-weight="bold"') +
    icon('back', 14, STATUS_HIGH + 16, 20, ink) +
    avatar(random, 58, 122, 42) +
    numbers.join('') +
    paragraph(14, 172, { wide: at.wide - 28, size: 13, fill: ink, words: `${group(random)} ${sentence(random, 3, 10)}` })
      .body +
    buttons.join('') +
    icons(['bars', 'add', 'user'], { from: 60, to: at.wide - 60, y: top - 28, size: 20, colour: faint })
  const feet =
    block(0, at.high - 62, at.wide, 62, ground) +
    icons(['home', 'search', 'add', 'share', 'user'], { from: 36, to: at.wide - 36, y: at.high - 54, size: 22, colour: ink })
  return painted(at, ground, [...cells, head + feet + navigation(random, at, ink)])
}
