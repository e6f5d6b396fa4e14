// The chart of docs/scaling.md: cost of a query by picture in the api, and share of edits found, for each kind of search. The background is part of the
// picture, so that it reads the same on a light and on a dark page.

const WIDTH = 880
const HEIGHT = 500
const PLOT = { left: 84, right: 640, top: 104, bottom: 420 }
const LEGEND = 668
const FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\""
const FAINT = '#57606a'
// Okabe and Ito's, which colour-blind readers tell apart too; sizes also differ by dashes, and kinds by marks.
const COLOURS = ['#0072b2', '#c44601', '#8e4585', '#007a5e']
const DASHES = ['', '7 4', '2 4', '10 3 2 3']
const MARKS = { complete: square, 'first pass': circle }

/** @param results as `bench picture` gives them, those with a frontier. */
export function chart(results) {
  const all = results.flatMap(({ frontier }) => frontier)
  const costs = scaleOf(
    all.map(({ coreMs }) => Math.log10(coreMs)),
    PLOT.left + 12,
    PLOT.right - 12,
  )
  const recalls = scaleOf(
    all.map(({ recall }) => recall),
    PLOT.bottom - 14,
    PLOT.top + 14,
  )
  const at = ({ coreMs, recall }) => [round(costs.at(Math.log10(coreMs))), round(recalls.at(recall))]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" ${FONT}>
<title>Share of edits that a query by picture finds, over its cost</title>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="10" fill="#ffffff" stroke="#d0d7de"/>
${label(28, 38, 'What a query by picture costs, and what it finds', 'font-size="19" font-weight="600"')}
${label(28, 60, 'up: found, of every third of 70 edits of test photographs; to the right: what searching costs for unrelated uploads', `font-size="13" fill="${FAINT}"`)}
${label(28, 82, 'points, from the right: complete within 52, 48, 44, 40, 34 bits; or a first pass complete within 39, 31, 23, 19, 15', `font-size="13" fill="${FAINT}"`)}
${axes(costs, recalls)}
${results.map((result, i) => drawn(result, i, at)).join('\n')}
${legend(results)}
</svg>
`
}

function drawn({ frontier }, i, at) {
  return Object.entries(MARKS)
    .map(([kind, mark]) => {
      const points = frontier.filter((way) => way.kind === kind).map(at)
      const path = points.map(([x, y], step) => `${step === 0 ? 'M' : 'L'}${x} ${y}`).join('')
      const line = `<path d="${path}" fill="none" stroke="${COLOURS[i]}" stroke-width="1.5" stroke-dasharray="${DASHES[i]}"/>`
      return line + points.map(([x, y]) => mark(x, y, COLOURS[i])).join('')
    })
    .join('\n')
}

function axes(costs, recalls) {
  const lines = [`<path d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}" fill="none" stroke="#8c959f"/>`]
  for (const ms of [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200]) {
    const x = round(costs.at(Math.log10(ms)))
    if (x < PLOT.left || x > PLOT.right) continue
    lines.push(`<path d="M${x} ${PLOT.top}V${PLOT.bottom}" stroke="#eaeef2"/>`)
    lines.push(label(x, PLOT.bottom + 20, String(ms), 'font-size="12" text-anchor="middle"'))
  }
  for (let percent = 50; percent <= 100; percent++) {
    const y = round(recalls.at(percent))
    if (y < PLOT.top || y > PLOT.bottom) continue
    lines.push(`<path d="M${PLOT.left} ${y}H${PLOT.right}" stroke="#eaeef2"/>`)
    lines.push(label(PLOT.left - 8, y + 4, `${percent} %`, 'font-size="12" text-anchor="end"'))
  }
  lines.push(
    label(
      (PLOT.left + PLOT.right) / 2,
      PLOT.bottom + 46,
      'milliseconds of a core (logarithmic)',
      'font-size="13" text-anchor="middle"',
    ),
  )
  return lines.join('\n')
}

function legend(results) {
  const entries = results.flatMap(({ rows }, i) =>
    Object.entries(MARKS).map(([kind, mark], k) => {
      const y = PLOT.top + 16 + (2 * i + k) * 26
      const line = `<path d="M${LEGEND} ${y}h30" stroke="${COLOURS[i]}" stroke-width="1.5" stroke-dasharray="${DASHES[i]}"/>`
      return `${line}${mark(LEGEND + 15, y, COLOURS[i])}${label(LEGEND + 40, y + 4, `${kind}, ${(rows / 1e6).toFixed(1)} M rows`, 'font-size="13"')}`
    }),
  )
  return entries.join('\n')
}

function scaleOf(values, from, to) {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return { at: (value) => from + ((to - from) * (value - least)) / Math.max(1e-9, most - least) }
}

function circle(x, y, colour) {
  return `<circle cx="${x}" cy="${y}" r="4.5" fill="${colour}"/>`
}

function square(x, y, colour) {
  return `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" fill="#ffffff" stroke="${colour}" stroke-width="1.8"/>`
}

function label(x, y, words, rest) {
  return `<text x="${x}" y="${y}" ${rest}${rest.includes('fill=') ? '' : ' fill="#24292f"'}>${words}</text>`
}

function round(value) {
  return Math.round(value * 10) / 10
}
