// The chart of docs/performance.md: time of a query by number of rows, both in powers of ten. The background is part of the picture, so that it reads the
// same on a light and on a dark page.

import { time } from './table.mjs'

const WIDTH = 880
const HEIGHT = 556
const PLOT = { left: 92, right: 790, top: 112, bottom: 462 }
const ROWS = { least: 4, most: 8 } // powers of ten
const END_LABEL_GAP = 17
const LEGEND_GAP = 26
const CHARACTER_WIDTH = 7.2 // about, of the widest of the fonts
const FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\""
const NOTE =
  'FAISS on the uniform rows. PDQ rows: hashes of photographs; beyond half a million, copies with 40 to 70 bits flipped.'
const ROW_NAMES = ['10 k', '100 k', '1 M', '10 M', '100 M']

// Told apart by colour (Okabe and Ito's, which colour-blind readers see too), by dashes and by marks.
const SERIES = [
  { name: 'Tabir, uniform rows', corpus: 'uniform', usOf: ({ p50Us }) => p50Us, colour: '#0072b2', mark: circle },
  { name: 'Tabir, PDQ rows', corpus: 'skewed', usOf: ({ p50Us }) => p50Us, colour: '#c44601', mark: square },
  {
    name: 'FAISS Flat',
    corpus: 'uniform',
    usOf: peer('faissFlat'),
    colour: '#6e7781',
    mark: triangle,
    dashed: true,
  },
  {
    name: 'FAISS MultiHash',
    corpus: 'uniform',
    usOf: peer('faissMultiHash'),
    colour: '#8e4585',
    mark: diamond,
    dashed: true,
  },
]

/** @returns the chart of one needle at a threshold as SVG, or undefined where nothing was measured. */
export function chart(records, threshold) {
  const lines = SERIES.map((series) => ({ ...series, points: pointsOf(series, records, threshold) }))
  const drawn = lines.filter(({ points }) => points.length > 0)
  if (drawn.length === 0) return undefined
  const powers = drawn.flatMap(({ points }) => points.map(({ us }) => Math.log10(us)))
  const scale = scaleOf(Math.floor(Math.min(...powers)), Math.ceil(Math.max(...powers)))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" ${FONT}>
<title>Median time of a query within ${threshold} bits over the number of rows</title>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10" fill="#ffffff" stroke="#d0d7de"/>
${label(28, 38, `Exact search within ${threshold} of 256 bits`, 'start', 'font-size="19" font-weight="600"')}
${label(28, 60, 'median of a query with one needle, one thread; both axes in powers of ten, lower is faster', 'start', 'font-size="13" fill="#57606a"')}
${legend(drawn)}
${axes(scale)}
${drawn.map((line) => drawLine(line, scale)).join('\n')}
${endLabels(drawn, scale)}
${label(28, HEIGHT - 16, NOTE, 'start', 'font-size="12" fill="#57606a"')}
</svg>
`
}

function pointsOf({ corpus, usOf }, records, threshold) {
  return records
    .filter((one) => one.corpus === corpus && one.rowsFrom !== 'sample' && !one.byInsert && usOf(one) !== undefined)
    .filter(({ largePages }) => largePages !== 'always') // a line has one kind
    .filter((one) => one.threshold === threshold && one.needles === 1)
    .filter(({ rows }) => rows >= 10 ** ROWS.least && rows <= 10 ** ROWS.most)
    .map((one) => ({ rows: one.rows, us: usOf(one) }))
    .toSorted((a, b) => a.rows - b.rows)
}

function peer(name) {
  return ({ peers }) => peers[name]?.p50Us
}

function scaleOf(least, most) {
  const top = Math.max(most, least + 1)
  const share = (power, from, to) => (power - from) / (to - from)
  return {
    least,
    most: top,
    x: (rows) => round(PLOT.left + share(Math.log10(rows), ROWS.least, ROWS.most) * (PLOT.right - PLOT.left)),
    y: (us) => round(PLOT.bottom - share(Math.log10(us), least, top) * (PLOT.bottom - PLOT.top)),
  }
}

function axes({ least, most, x, y }) {
  const parts = []
  for (let power = least; power <= most; power++) {
    const at = y(10 ** power)
    parts.push(`<path d="M${PLOT.left} ${at}H${PLOT.right}" stroke="#d8dee4"/>`)
    parts.push(label(PLOT.left - 10, at + 4, time(10 ** power), 'end'))
    if (power === most) continue
    for (const step of [2, 3, 4, 5, 6, 7, 8, 9]) {
      parts.push(`<path d="M${PLOT.left} ${y(step * 10 ** power)}h5" stroke="#8c959f"/>`)
    }
  }
  for (const [i, name] of ROW_NAMES.entries()) {
    const at = x(10 ** (ROWS.least + i))
    parts.push(`<path d="M${at} ${PLOT.top}V${PLOT.bottom}" stroke="#eaeef2"/>`, label(at, PLOT.bottom + 22, name, 'middle'))
  }
  parts.push(`<path d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}" fill="none" stroke="#57606a"/>`)
  parts.push(label((PLOT.left + PLOT.right) / 2, PLOT.bottom + 50, 'rows in the index', 'middle'))
  const middle = (PLOT.top + PLOT.bottom) / 2
  parts.push(label(22, middle, 'time of a query', 'middle', `font-size="13" transform="rotate(-90 22 ${middle})"`))
  return parts.join('\n')
}

function drawLine({ points, colour, mark, dashed }, { x, y }) {
  const path = points.map(({ rows, us }, i) => `${i === 0 ? 'M' : 'L'}${x(rows)} ${y(us)}`).join('')
  const marks = points.map(({ rows, us }) => mark(x(rows), y(us), colour)).join('')
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2.25"${dashes(dashed)}/>${marks}`
}

/** The value of each line's last point, beside it, moved apart where two would cover each other. */
function endLabels(lines, { x, y }) {
  const ends = lines.map(({ points, colour }) => ({ ...points.at(-1), colour })).toSorted((a, b) => y(a.us) - y(b.us))
  const placed = []
  return ends
    .map(({ rows, us, colour }) => {
      const near = placed.filter((other) => Math.abs(other.x - x(rows)) < 60)
      const at = { x: x(rows), y: Math.max(y(us), ...near.map((other) => other.y + END_LABEL_GAP)) }
      placed.push(at)
      // Its own ground, because the next line may pass behind it.
      const look = `font-size="13" font-weight="600" fill="${colour}" stroke="#fff" stroke-width="5" paint-order="stroke"`
      return label(at.x + 11, at.y + 4.5, time(us), 'start', look)
    })
    .join('\n')
}

function legend(lines) {
  let from = 28
  return lines
    .map(({ name, colour, mark, dashed }) => {
      const line = `<path d="M${from} 86h34" stroke="${colour}" stroke-width="2.25"${dashes(dashed)}/>`
      const entry = `${line}${mark(from + 17, 86, colour)}${label(from + 42, 90.5, name, 'start')}`
      from += 42 + LEGEND_GAP + name.length * CHARACTER_WIDTH
      return entry
    })
    .join('\n')
}

function label(x, y, text, anchor, rest = 'font-size="13"') {
  const fill = rest.includes('fill=') ? '' : ' fill="#24292f"'
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" ${rest}${fill}>${text}</text>`
}

function dashes(dashed) {
  return dashed === true ? ' stroke-dasharray="7 5"' : ''
}

function circle(x, y, colour) {
  return `<circle cx="${x}" cy="${y}" r="4.5" fill="${colour}"/>`
}

function square(x, y, colour) {
  return `<rect x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8" fill="${colour}"/>`
}

function triangle(x, y, colour) {
  return `<path d="M${x} ${round(y - 5.5)}l5.2 9.2h-10.4z" fill="${colour}"/>`
}

function diamond(x, y, colour) {
  return `<path d="M${x} ${round(y - 6)}l6 6l-6 6l-6 -6z" fill="${colour}"/>`
}

function round(value) {
  return Math.round(value * 10) / 10
}
