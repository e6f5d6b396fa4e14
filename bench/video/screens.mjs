// Draws screens of apps: the phone, its colours, and the hole for the clip.

import { svg } from '../variants/svg.mjs'
import { screen } from '../variants/unseen/screen.mjs'
import { block } from '../variants/unseen/widgets.mjs'

const UNITS_WIDE = 360
const SCREENS_PX = [
  [480, 1040],
  [540, 1170],
  [540, 1200],
]

/**
 * @typedef {{ width: number, height: number, ground: string, box: { x: number, y: number, w: number, h: number }, over: Buffer }} Layout
 * in pixels, all even: the size of the screen, the background colour, the box of the clip, and an SVG that is drawn over it.
 */

export function phone(random) {
  const [width, height] = random.pick(SCREENS_PX)
  return screen(width, height, width / UNITS_WIDE)
}

/** @param around is drawn around the clip; `over` also on it. */
export function layoutOf({ width, height, unitPx, wide, high }, { ground, box, radius, around, over }) {
  const even = (units) => 2 * Math.round((units * unitPx) / 2)
  const px = { x: even(box.x), y: even(box.y), w: Math.max(32, even(box.w)), h: Math.max(32, even(box.h)) }
  const [x, y, w, h] = [px.x, px.y, px.w, px.h].map((value) => value / unitPx)
  const hole = `<mask id="hole"><rect width="${wide}" height="${high}" fill="#fff"/><rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${radius}" fill="#000"/></mask>`
  const plain = ground === 'blur' ? '' : block(0, 0, wide, high, ground)
  const body = `<g transform="scale(${unitPx})">${hole}<g mask="url(#hole)">${plain}${around}</g>${over}</g>`
  return { width, height, ground, box: px, over: svg(width, height, body) }
}

export function palette(random) {
  const hue = random.int(0, 359)
  const isDark = random() < 0.5
  const [ground, bar, theirs] = isDark ? [0.06, 0.13, 0.18] : [0.92, 0.98, 1]
  return {
    isDark,
    ground: colourOf(hue, 0.15, ground),
    bar: colourOf(hue, 0.2, bar),
    theirs: colourOf(hue, 0.15, theirs),
    mine: colourOf(hue + random.int(20, 180), 0.5, isDark ? 0.3 : 0.78),
    ink: isDark ? '#f2f2f2' : '#141414',
    faint: '#8a8f98',
  }
}

/** Converts hue [degrees], saturation and lightness. @returns `#rrggbb`, which ffmpeg accepts too. */
export function colourOf(hue, saturation, lightness) {
  const amplitude = saturation * Math.min(lightness, 1 - lightness)
  const channel = (n) => {
    const k = (n + hue / 30) % 12
    return Math.round(255 * (lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return `#${[0, 8, 4].map((n) => channel(n).toString(16).padStart(2, '0')).join('')}`
}
