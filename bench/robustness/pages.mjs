// Pages that show no photograph, drawn from a seed.

import { randomOf } from '../variants/random.mjs'

const SYLLABLES = ['ba', 'ta', 'ko', 'ri', 'men', 'su', 'lang', 'di', 'per', 'na', 'gar', 'the', 'in', 'of', 'ment', 'ker']

/** A page of text, as SVG. */
export function textPage(seed) {
  const random = randomOf(`text ${seed}`)
  const [width, height] = [700 + random.int(0, 499), 900 + random.int(0, 699)]
  const size = 13 + random.int(0, 15)
  const family = random.pick(['serif', 'sans-serif', 'monospace'])
  const [ink, paper] = random.int(0, 3) === 0 ? ['#ddd', '#1a1a1a'] : ['#222', '#fff']
  const lines = []
  for (let y = 2 * size; y < height - size; y += 1.5 * size) {
    if (random.int(0, 6) === 0) continue
    let words = ''
    while (words.length * 0.52 * size < width - 3 * size) words += wordOf(random)
    lines.push(`<text x="${1.2 * size}" y="${y}">${words}</text>`)
  }
  return pageOf(width, height, paper, `<g font-family="${family}" font-size="${size}" fill="${ink}">${lines.join('')}</g>`)
}

function wordOf(random) {
  return `${Array.from({ length: 1 + random.int(0, 3) }, () => random.pick(SYLLABLES)).join('')} `
}

/** Shades, stripes and boxes: pictures with few features. */
export function plain(seed, boxCount) {
  const random = randomOf(`plain ${seed}`)
  const colour = () => `hsl(${random.int(0, 359)} ${random.int(0, 79)}% ${20 + random.int(0, 59)}%)`
  const boxes = Array.from({ length: boxCount }, () => {
    const [x, y] = [random.int(0, 699), random.int(0, 699)]
    return `<rect x="${x}" y="${y}" width="${60 + random.int(0, 399)}" height="${20 + random.int(0, 299)}" rx="${random.int(0, 29)}" fill="${colour()}"/>`
  })
  const shade = `<linearGradient id="s" x2="${random.int(0, 1)}" y2="1"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient>`
  return pageOf(800, 900, 'url(#s)', boxes.join(''), shade)
}

function pageOf(width, height, paper, body, defs = '') {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>${defs}</defs><rect width="100%" height="100%" fill="${paper}"/>${body}</svg>`
}
