// A picture in the phone's gallery, above a strip of others.

import { pipeline, storedPng } from '../picture.mjs'
import { svg, text } from '../svg.mjs'
import { clock, fitted, HIGH, homeBar, screenOf, statusBar, WIDE } from './phone.mjs'

const STRIP = 9
const THUMBNAIL = 108

/** @returns the screen, and where on it the picture lies. */
export async function gallery(photo, random, others) {
  const { w, h } = fitted(photo, WIDE, 1750)
  const [x, y] = [Math.floor((WIDE - w) / 2), Math.max(230, Math.floor((HIGH - h) / 2) - 40)]
  const isWhite = random() < 0.25
  const [ground, ink] = isWhite ? ['#fff', '#111'] : ['#000', '#fff']
  const layers = [{ input: await storedPng(pipeline(photo).resize(w, h, { fit: 'fill' })), left: x, top: y }]
  for (let i = 0; i < STRIP; i++) {
    const other = others[(i + random.int(0, 50)) % others.length]
    const input = await pipeline(other).resize(THUMBNAIL, THUMBNAIL, { fit: 'cover' }).png().toBuffer()
    layers.push({ input, left: 10 + i * (THUMBNAIL + 10), top: HIGH - 330 })
  }
  layers.push({ input: svg(WIDE, HIGH, signs(random, ink)) })
  return { screen: await screenOf(ground, layers), rect: { x, y, w, h } }
}

/** The screenshot of a gallery, cut back to the picture by hand: each side is off by up to 2.5 %. */
export async function cutByHand(photo, random, others) {
  const { screen, rect } = await gallery(photo, random, others)
  const slip = () => (random() - 0.5) * 0.05
  const left = Math.max(0, Math.round(rect.x + slip() * rect.w))
  const top = Math.max(0, Math.round(rect.y + slip() * rect.h))
  const right = Math.min(screen.width, Math.round(rect.x + rect.w + slip() * rect.w))
  const bottom = Math.min(screen.height, Math.round(rect.y + rect.h + slip() * rect.h))
  return pipeline(screen).extract({ left, top, width: right - left, height: bottom - top })
}

function signs(random, ink) {
  const day = ['Today', 'Yesterday', '14 March', 'Monday']
  const status = statusBar(ink, random)
  const when =
    text(540, 160, 40, ink, random.pick(day), 'text-anchor="middle"') +
    text(540, 205, 32, '#999', clock(random), 'text-anchor="middle"')
  const buttons = [120, 400, 680, 960].map((x) => {
    return `<circle cx="${x}" cy="${HIGH - 120}" r="38" fill="none" stroke="${ink}" stroke-width="6"/>`
  })
  return status + text(40, 180, 60, ink, '&lt;') + when + buttons.join('') + homeBar(ink)
}
