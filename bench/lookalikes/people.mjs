// People drawn by a program with a style of its own: for passports, avatars and the like. They show nobody.

import { hsl } from './draw.mjs'

/** What is the same in all drawings of one program. */
export function styleOf(random) {
  return {
    eyeWide: 0.09 + 0.06 * random(),
    eyeHigh: 0.09 + 0.09 * random(),
    eyeApart: 0.15 + 0.04 * random(),
    chin: 0.3 + 0.2 * random(),
    outline: 1 + 3 * random(),
    shade: random() < 0.5,
    mouth: random.int(0, 2),
  }
}

/** One person of a style in a square of 1 × 1 unit, scaled to `side`. */
export function person(style, random, x, y, side) {
  const skin = hsl(random.int(15, 38), random.int(35, 70), random.int(38, 84))
  const hair = hsl(random.pick([20, 30, 40, 200, 280, 330, 0, 120]), random.int(15, 75), random.int(12, 70))
  const cloth = hsl(random.int(0, 359), random.int(25, 75), random.int(25, 70))
  const eyes = hsl(random.int(0, 359), 60, random.int(25, 50))
  const line = `stroke="#241c1c" stroke-width="${style.outline / 300}"`
  const face = `M0.28 0.42 Q0.28 ${0.42 + style.chin} 0.5 0.8 Q0.72 ${0.42 + style.chin} 0.72 0.42 Q0.7 0.2 0.5 0.2 Q0.3 0.2 0.28 0.42Z`
  const neck = `<path d="M0.42 0.7h0.16v0.16h-0.16z" fill="${skin}" ${line}/>`
  const body = `<path d="M0.1 1 Q0.14 0.84 0.4 0.82 Q0.5 0.9 0.6 0.82 Q0.86 0.84 0.9 1Z" fill="${cloth}" ${line}/>`
  const shadow = style.shade
    ? `<path d="M0.6 0.3 Q0.72 0.5 0.5 0.8 Q0.74 0.7 0.72 0.42Z" fill="#000" fill-opacity="0.12"/>`
    : ''
  const [back, fringe] = hairOf(random, hair, line)
  return `<g transform="translate(${x} ${y}) scale(${side})">${back}${neck}${body}<path d="${face}" fill="${skin}" ${line}/>${shadow}${eyesOf(style, random, eyes)}${mouthOf(style, random)}${fringe}${extrasOf(random)}</g>`
}

function hairOf(random, colour, line) {
  const cut = random.int(0, 4)
  const long =
    cut < 2
      ? `<path d="M0.22 0.4 Q0.2 0.9 ${0.14 + 0.1 * random()} ${0.8 + 0.15 * random()} H0.82 Q0.8 0.9 0.78 0.4 Q0.74 0.1 0.5 0.1 Q0.26 0.1 0.22 0.4Z" fill="${colour}" ${line}/>`
      : ''
  const top = 0.08 + 0.06 * random()
  const tips = Array.from(
    { length: 5 },
    (_, i) => `L${0.7 - i * 0.1} ${0.3 + 0.16 * random()} L${0.66 - i * 0.1} ${0.27 + 0.06 * random()}`,
  )
  const fringe =
    cut === 4
      ? `<path d="M0.27 0.38 Q0.3 ${top + 0.06} 0.5 ${top + 0.06} Q0.7 ${top + 0.06} 0.73 0.38 Q0.66 0.26 0.5 0.26 Q0.34 0.26 0.27 0.38Z" fill="${colour}" ${line}/>`
      : `<path d="M0.25 0.46 Q0.22 ${top} 0.5 ${top} Q0.78 ${top} 0.75 0.46 ${tips.join(' ')} Z" fill="${colour}" ${line}/>`
  return [long, fringe]
}

function eyesOf(style, random, colour) {
  const look = (random() - 0.5) * 0.03
  const isShut = random() < 0.12
  return [-1, 1]
    .map((sign) => {
      const cx = 0.5 + sign * style.eyeApart
      const brow = `<path d="M${cx - 0.07} ${0.4 - 0.03 * random()} Q${cx} ${0.37 - 0.03 * random()} ${cx + 0.07} 0.4" fill="none" stroke="#241c1c" stroke-width="0.012"/>`
      if (isShut)
        return `${brow}<path d="M${cx - 0.06} 0.5 Q${cx} 0.54 ${cx + 0.06} 0.5" fill="none" stroke="#241c1c" stroke-width="0.014"/>`
      const white = `<ellipse cx="${cx}" cy="0.5" rx="${style.eyeWide * 0.62}" ry="${style.eyeHigh * 0.62}" fill="#fff" stroke="#241c1c" stroke-width="0.01"/>`
      const iris = `<ellipse cx="${cx + look}" cy="0.505" rx="${style.eyeWide * 0.36}" ry="${style.eyeHigh * 0.48}" fill="${colour}"/>`
      const glint = `<circle cx="${cx + look - 0.012}" cy="0.485" r="0.012" fill="#fff"/>`
      return brow + white + iris + glint
    })
    .join('')
}

function mouthOf({ mouth }, random) {
  const open = random.int(0, 3)
  if (open === 0) return '<ellipse cx="0.5" cy="0.68" rx="0.04" ry="0.03" fill="#8a2f35"/>'
  const curve = 0.66 + 0.05 * random() + 0.01 * mouth
  return `<path d="M0.44 0.66 Q0.5 ${curve} 0.56 0.66" fill="none" stroke="#8a2f35" stroke-width="0.014"/>`
}

function extrasOf(random) {
  const kind = random.int(0, 5)
  if (kind === 0)
    return '<g fill="none" stroke="#222" stroke-width="0.012"><circle cx="0.36" cy="0.5" r="0.09"/><circle cx="0.64" cy="0.5" r="0.09"/><path d="M0.45 0.5h0.1"/></g>'
  if (kind === 1)
    return `<path d="M0.2 0.24 Q0.5 -0.02 0.8 0.24 L0.84 0.28 H0.16Z" fill="${hsl(random.int(0, 359), 60, 40)}"/>`
  return ''
}
