// How often are unrelated pictures within a distance? Draws the CSV of `bench robustness --curve FILE`, with the thresholds in use.
//
//   node bench/robustness/false-rates.mjs CURVE.csv CHART.svg

import { readFileSync, writeFileSync } from 'node:fs'
import { aloneBits, matchBits, maxCorroboratingBits } from '../../dist/packages/core/src/matching/evidence.js'

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) {
  console.error('usage: node bench/robustness/false-rates.mjs CURVE.csv CHART.svg')
  process.exit(2)
}

const SERIES = [
  { name: 'in any pair of views', colour: '#0072b2', has: ({ type, views }) => type === 'pdq-area' && views[1] === 'any' },
  {
    name: 'and in a second one',
    colour: '#d55e00',
    has: ({ type, views }) => type === 'pdq-area' && views[1] === 'corroborated',
  },
  {
    name: 'PDQ of the whole, 8 orientations',
    colour: '#57606a',
    has: ({ type, views }) => type === 'pdq' && views[1] === 'any',
  },
]
const MARKS = [
  { name: 'alone', bitsOf: aloneBits },
  { name: 'match', bitsOf: matchBits },
  { name: 'corroborating', bitsOf: (type, { asked }) => maxCorroboratingBits(type, asked) },
]
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [880, 460, 72, 24, 86, 52]
const BITS = { least: 30, most: 72 }
const RATES = { least: -9, most: -3 } // powers of ten

const rows = parsed(readFileSync(from, 'utf8'))
const pairs = Math.max(...rows.map((row) => row.pairs))
const series = SERIES.map((one) => ({ ...one, rates: ratesOf(rows.filter(one.has), pairs) }))
writeFileSync(to, drawn(series, pairs))
for (const { name, rates } of series) {
  const near = [40, 44, 46, 48, 50, 52, 54, 56, 58, 60, 64, 68].map(
    (bits) => `${bits}: ${rates[bits]?.toExponential(1) ?? 0}`,
  )
  console.log(`${name}: ${near.join(', ')}`)
}

function parsed(text) {
  const [, ...lines] = text.trim().split('\n')
  return lines.map((line) => {
    const [type, query, registered, bits, pairs, falsePairs] = line.split(',')
    return { type, views: [query, registered], bits: Number(bits), pairs: Number(pairs), falsePairs: Number(falsePairs) }
  })
}

/** False pairs by bits, as a part of all pairs of pictures. */
function ratesOf(rows, pairs) {
  const rates = []
  for (const { bits, falsePairs } of rows) rates[bits] = (rates[bits] ?? 0) + falsePairs / pairs
  return rates
}

function drawn(series, pairs) {
  const lines = series.map(({ rates, colour }) => {
    const points = rates.flatMap((rate, bits) =>
      bits >= BITS.least && bits <= BITS.most && rate > 0 ? [`${round(xOf(bits))},${round(yOf(rate))}`] : [],
    )
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2.5"/>`
  })
  const legend = series.map(({ name, colour }, i) => {
    const x = LEFT + i * 240
    return `<path d="M${x} 66h28" stroke="${colour}" stroke-width="3"/>${text(x + 36, 70, name, 13)}`
  })
  const grid = []
  for (let power = RATES.least; power <= RATES.most; power++) {
    const y = round(yOf(10 ** power))
    grid.push(
      `<path d="M${LEFT} ${y}H${WIDTH - RIGHT}" stroke="#e4e8ec"/>${text(LEFT - 10, y + 4, `1e${power}`, 12, 'end')}`,
    )
  }
  for (let bits = BITS.least; bits <= BITS.most; bits += 6)
    grid.push(text(xOf(bits), HEIGHT - BOTTOM + 20, bits, 12, 'middle'))
  const views = { asked: 'whole', registered: 'whole', rotated: false, content: 'full' }
  const marks = MARKS.map(({ name, bitsOf }) => {
    const x = round(xOf(bitsOf('pdq-area', views)))
    return `<path d="M${x} ${TOP}V${HEIGHT - BOTTOM}" stroke="#8c959f" stroke-dasharray="4 4"/>${text(x + 5, TOP + 14, name, 12)}`
  })
  const most = text(
    LEFT,
    48,
    `${pairs.toLocaleString('en')} pairs of unrelated pictures; one of them is ${(1 / pairs).toExponential(1)}`,
    13,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="system-ui, 'DejaVu Sans', sans-serif">
<title>Rate of false pairs over the distance</title>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10" fill="#ffffff" stroke="#d0d7de"/>
${text(LEFT, 28, 'How often unrelated pictures are as near as this', 18)}
${most}
${legend.join('\n')}
${grid.join('\n')}
${marks.join('\n')}
${lines.join('\n')}
${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, 'bits of 256, at most', 13, 'middle')}
</svg>
`
}

function xOf(bits) {
  return LEFT + ((bits - BITS.least) / (BITS.most - BITS.least)) * (WIDTH - LEFT - RIGHT)
}

function yOf(rate) {
  const power = Math.max(RATES.least, Math.min(RATES.most, Math.log10(rate)))
  return TOP + ((RATES.most - power) / (RATES.most - RATES.least)) * (HEIGHT - TOP - BOTTOM)
}

function text(x, y, words, size, anchor = 'start') {
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}" fill="#24292f">${words}</text>`
}

function round(value) {
  return Math.round(value * 10) / 10
}
