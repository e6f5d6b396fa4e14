// Screens within pictures: a phone on a desk, and a screenshot of a screenshot.

import sharp from 'sharp'
import { pictureOf, pipeline, plain, storedPng } from '../picture.mjs'
import { svg, text } from '../svg.mjs'
import { photoFeed } from './posts.mjs'
import { contained, painted, phone, shown } from './screen.mjs'
import { block, icons, navigation, statusBar } from './widgets.mjs'
import { clock } from './words.mjs'

/** Somebody's phone, photographed from above: a little turned, on a desk that is out of focus. */
export async function phoneOnDesk(photo, random) {
  const at = { width: 600, height: 1300, unitPx: 600 / 360, wide: 360, high: 780 }
  const box = contained(photo, { x: 0, y: 90, w: at.wide, h: at.high - 180 })
  const signs =
    statusBar(random, at.wide, '#fff') +
    text(at.wide / 2, 56, 14, '#fff', clock(random), 'text-anchor="middle"') +
    icons(['share', 'heart', 'pen', 'bin'], { from: 50, to: at.wide - 50, y: at.high - 60, size: 22, colour: '#fff' }) +
    navigation(random, at, '#fff')
  const screen = await painted(at, '#000', [await shown(photo, at, box, { random, radius: 0 }), signs])
  const rim = 16
  const [w, h] = [at.width + 2 * rim, at.height + 2 * rim]
  const body = svg(
    w,
    h,
    `<rect width="${w}" height="${h}" rx="70" fill="#15161a"/><rect x="3" y="3" width="${w - 6}" height="${h - 6}" rx="67" fill="none" stroke="#5d6068" stroke-width="3"/>`,
  )
  const round = svg(at.width, at.height, `<rect width="${at.width}" height="${at.height}" rx="52" fill="#fff"/>`)
  const glass = await pipeline(screen)
    .ensureAlpha()
    .composite([{ input: round, blend: 'dest-in' }])
    .raw()
    .toBuffer()
  const device = await sharp(body)
    .composite([{ input: glass, raw: { width: at.width, height: at.height, channels: 4 }, left: rim, top: rim }])
    .png({ compressionLevel: 0 })
    .toBuffer()
  const leaning = await sharp(device)
    .rotate((random() - 0.5) * 6, { background: '#0000' })
    .png({ compressionLevel: 0 })
    .toBuffer({ resolveWithObject: true })
  const [width, height] = [random.int(1100, 1500), leaning.info.height + random.int(120, 400)]
  const left = random.int(60, width - leaning.info.width - 60)
  const top = random.int(40, height - leaning.info.height - 40)
  const scene = pipeline(await desk(random, width, height)).composite([
    { input: shadow(width, height, left, top, leaning.info), blend: 'multiply' },
    { input: leaning.data, left, top },
  ])
  const size = random.pick([0.7, 0.85, 1])
  const taken = pipeline(await pictureOf(sharp(await storedPng(scene)).resize(Math.round(width * size))))
  return pictureOf(taken.modulate({ brightness: 0.85 + 0.25 * random() }).blur(0.6 + 0.4 * random()))
}

/** Boards with grain, a cup and a sheet of paper, all blurred. */
async function desk(random, width, height) {
  const hue = random.int(18, 38)
  const boards = Array.from({ length: 9 }, (_, i) => {
    const colour = `hsl(${hue},${random.int(25, 50)}%,${random.int(30, 58)}%)`
    return block(0, (i * height) / 9, width, height / 9 + 1, colour)
  })
  const grain = Array.from({ length: 70 }, () => {
    const y = random.int(0, height)
    return `<path d="M0 ${y}q${width / 2} ${random.int(-40, 40)} ${width} 0" stroke="#3a2412" stroke-opacity="${0.1 + 0.25 * random()}" stroke-width="${random.int(1, 7)}" fill="none"/>`
  })
  const turn = random.int(-30, 30)
  const paper = `<rect x="${random.int(-200, width)}" y="${random.int(0, height)}" width="520" height="700" fill="#eee8dd" transform="rotate(${turn} ${width / 2} ${height / 2})"/>`
  const [x, y, r] = [random.int(0, width), random.int(0, height), random.int(120, 190)]
  const cup = `<circle cx="${x}" cy="${y}" r="${r}" fill="#f4f4f2"/><circle cx="${x}" cy="${y}" r="${r * 0.82}" fill="#3b2314"/>`
  const drawn = await pictureOf(
    plain(width, height, '#7a5a3a').composite([
      { input: svg(width, height, boards.join('') + grain.join('') + paper + cup) },
    ]),
  )
  return pictureOf(pipeline(drawn).blur(random.int(5, 11)))
}

function shadow(width, height, left, top, { width: w, height: h }) {
  const soft = `<defs><filter id="f"><feGaussianBlur stdDeviation="22"/></filter></defs>`
  return svg(
    width,
    height,
    `${soft}<rect x="${left + 26}" y="${top + 34}" width="${w - 20}" height="${h - 20}" rx="80" fill="#000" fill-opacity="0.55" filter="url(#f)"/>`,
  )
}

/** A feed post, kept as a screenshot, opened in a gallery and kept again. */
export async function screenshotTwice(photo, random) {
  const first = await photoFeed(photo, random)
  const kept = await pictureOf(sharp(await pipeline(first).jpeg({ quality: 80 }).toBuffer()))
  const at = phone(random)
  const white = random() < 0.4
  const [ground, ink] = white ? ['#ffffff', '#202124'] : ['#000000', '#ffffff']
  const box = contained(kept, { x: 0, y: 74, w: at.wide, h: at.high - 74 - random.int(90, 190) })
  const signs =
    statusBar(random, at.wide, ink) +
    text(
      at.wide / 2,
      54,
      14,
      ink,
      `${random.pick(['Today', 'Yesterday', 'Friday'])} ${clock(random)}`,
      'text-anchor="middle"',
    ) +
    icons(['share', 'heart', 'pen', 'bin'], { from: 50, to: at.wide - 50, y: at.high - 66, size: 22, colour: ink }) +
    navigation(random, at, ink)
  return painted(at, ground, [await shown(kept, at, box, { random }), signs])
}
