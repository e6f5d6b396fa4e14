// Drawings over frames, other than screens of apps: captions, stickers, and the moiré that a camera records from a screen.

import { heart, smiley, svg, text } from '../variants/svg.mjs'
import { block } from '../variants/unseen/widgets.mjs'
import { sentence } from '../variants/unseen/words.mjs'

const GROUNDS = [
  ['#ffffff', '#111111'],
  ['#111111', '#ffffff'],
  ['#facc15', '#1c1917'],
  ['#1d4ed8', '#ffffff'],
]

/** A bar of text, of that size in pixels. */
export function caption(random, width, height) {
  const [ground, ink] = random.pick(GROUNDS)
  const size = Math.round(height * 0.42)
  const words = sentence(random, 2, Math.max(2, Math.floor(width / (size * 3.4))))
  const said = text(width / 2, height * 0.64, size, ink, words, 'text-anchor="middle" font-weight="bold"')
  return svg(width, height, block(0, 0, width, height, ground) + said)
}

export function sticker(random, sizePx) {
  const r = sizePx / 2
  const turn = `transform="rotate(${random.int(-25, 25)} ${r} ${r})"`
  const drawn = random.pick([
    () => smiley(r, r, r * 0.95),
    () => heart(r, r * 1.05, r * 0.8),
    () =>
      `<circle cx="${r}" cy="${r}" r="${r * 0.95}" fill="#e11d48"/>${text(r, r * 1.25, r * 0.75, '#fff', `${random.int(18, 99)}`, 'text-anchor="middle" font-weight="bold"')}`,
    () => `<path d="M${r} 0L${sizePx} ${sizePx}L0 ${r * 0.8}L${sizePx} ${r * 0.8}L0 ${sizePx}Z" fill="#f59e0b"/>`,
  ])()
  return svg(sizePx, sizePx, `<g ${turn}>${drawn}</g>`)
}

/** Moiré: two sets of soft stripes at a small angle; and a reflection. */
export function moire(random, width, height) {
  const stripes = (id, alpha) => {
    const turn = random.int(0, 179)
    const period = 3 + 14 * random()
    const stops = `<stop offset="0" stop-color="#fff" stop-opacity="0"/><stop offset="0.5" stop-color="#fff" stop-opacity="${alpha}"/><stop offset="1" stop-color="#000" stop-opacity="${alpha}"/>`
    return `<linearGradient id="${id}" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="${period}" y2="0" gradientTransform="rotate(${turn})" spreadMethod="reflect">${stops}</linearGradient>${block(0, 0, width, height, `url(#${id})`)}`
  }
  const [cx, cy] = [width * random(), height * random() * 0.6]
  const light = `<radialGradient id="light"><stop offset="0" stop-color="#fff" stop-opacity="0.28"/><stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient><ellipse cx="${cx}" cy="${cy}" rx="${width * 0.3}" ry="${height * 0.25}" fill="url(#light)"/>`
  return svg(width, height, stripes('a', 0.09) + stripes('b', 0.06) + light)
}
