// Recall of each edit as bars, Tabir's above those of the best baseline, or those of both stages above those of the first. The background is part of the
// picture, so that it reads the same on a light and on a dark page.

const WIDTH = 960
const MARGIN = 28
const GUTTER = 32
const COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2
const LABEL = 176 // of a column, for the names of edits
const VALUE = 40 // for the number at the end
const ROW = 19
const HEADING = 40
const FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\""
const BASELINES = ['pdqDihedral', 'hash']
/** As docs/robustness.md names it. */
const PDQ_NAME = 'whole PDQ, eight orientations, 31 bits'

// Okabe and Ito's, which colour-blind readers tell apart too; the bars also differ in height.
const OURS = { key: 'ours', colour: '#0072b2', high: 8, top: 3 }
const THEIRS = { key: 'theirs', colour: '#d98032', high: 4, top: 12 }
const INK = '#24292f'
const FAINT = '#57606a'

export function chart({ methods, photos, queries, pairs, falsePairs, parts, checked, ...figures }) {
  const baseline = methods.find(({ key }) => BASELINES.includes(key))
  const compared = ({ percent, ...rest }) => ({
    ...rest,
    percent: { ours: percent.tabir, theirs: percent[baseline?.key] ?? 0 },
  })
  const [groups, edits] = [figures.groups.map(compared), figures.edits.map(compared)]
  const asked = parts.length === 0 ? photos : queries / edits.length
  const overview = groupRows(groups, 130)
  const columns = dealt(
    groups.filter(({ name }) => name !== 'all'),
    edits,
    overview.end + 24,
  )
  const height = Math.max(...columns.map(({ end }) => end)) + 24
  const falsely = falsePairs.length + checked.falseAcceptsAsked
  const said = `${queries.toLocaleString('en')} edits of ${asked} photographs; ${falsely} false among ${pairs.toLocaleString('en')} pairs of an edit and a picture that it does not show`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" ${FONT}>
<title>Share of edited photographs that are found, by edit</title>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10" fill="#ffffff" stroke="#d0d7de"/>
${label(MARGIN, 40, 'Which edits of a photograph are found', 'font-size="20" font-weight="600"')}
${label(MARGIN, 63, said, `font-size="13" fill="${FAINT}"`)}
${legend([methods[0].name, baseline?.key === 'pdqDihedral' ? PDQ_NAME : (baseline?.name ?? '')])}
${overview.body}
${columns.map(({ body }) => body).join('\n')}
</svg>
`
}

function legend([ours, theirs]) {
  const entry = (x, { colour, high }, name) =>
    `<rect x="${x}" y="${94 - high / 2}" width="34" height="${high}" rx="2" fill="${colour}"/>${label(x + 42, 98.5, name, 'font-size="13"')}`
  return entry(MARGIN, OURS, `${ours}, % of the photographs`) + entry(MARGIN + 330, THEIRS, theirs)
}

/** The groups over the whole width, with taller bars. */
function groupRows(groups, top) {
  const rows = groups.map(({ name, edits, percent }, i) => {
    const y = top + i * 34
    return (
      label(MARGIN, y + 17, name, `font-size="15" font-weight="${name === 'all' ? 700 : 500}"`) +
      label(MARGIN + 106, y + 17, `${edits} ${edits === 1 ? 'edit' : 'edits'}`, `font-size="12" fill="${FAINT}"`) +
      bars(percent, { x: MARGIN + LABEL, y, wide: WIDTH - 2 * MARGIN - LABEL - 2 * VALUE, scale: 1.6, size: 15 })
    )
  })
  return { body: rows.join('\n'), end: top + groups.length * 34 }
}

/** The edits in two columns of about the same height; groups stay whole. */
function dealt(groups, edits, top) {
  const columns = [0, 1].map((i) => ({ x: MARGIN + i * (COLUMN + GUTTER), end: top, body: '' }))
  for (const { name } of groups) {
    const members = edits.filter(({ group }) => group === name)
    const column = columns[0].end <= columns[1].end ? columns[0] : columns[1]
    column.body +=
      heading(column, name) + members.map((edit, i) => row(edit, column.x, column.end + HEADING + i * ROW)).join('')
    column.end += HEADING + members.length * ROW
  }
  return columns
}

function heading({ x, end }, name) {
  const rule = `<path d="M${x} ${end + 33}H${x + COLUMN}" stroke="#d8dee4"/>`
  return label(x, end + 26, name, 'font-size="14" font-weight="600"') + rule
}

function row({ id, percent }, x, y) {
  const named = id.replace(/^(ss|un)_/, '').replaceAll('_', ' ') // the heading says that they are screenshots, or unseen
  const name = label(x, y + 13, named, 'font-size="12.5"')
  return `${name}${bars(percent, { x: x + LABEL, y, wide: COLUMN - LABEL - VALUE, scale: 1, size: 12 })}\n`
}

function bars(percent, { x, y, wide, scale, size }) {
  const bar = ({ key, colour, high, top }) => {
    const length = round((wide * percent[key]) / 100)
    const [at, tall] = [round(y + top * scale), round(high * scale)]
    const track = `<rect x="${x}" y="${at}" width="${wide}" height="${tall}" rx="2" fill="#eef1f4"/>`
    return `${track}<rect x="${x}" y="${at}" width="${length}" height="${tall}" rx="2" fill="${colour}"/>`
  }
  const value = label(
    x + wide + 8,
    y + 7.5 * scale + size * 0.35,
    shown(percent[OURS.key]),
    `font-size="${size}" fill="${OURS.colour}" font-weight="600"`,
  )
  return bar(OURS) + bar(THEIRS) + value
}

/** 100 only where nothing is missing. */
function shown(percent) {
  if (percent === 100) return '100'
  return percent >= 99.95 ? '99.9' : String(round(percent))
}

function label(x, y, words, rest) {
  const fill = rest.includes('fill=') ? '' : ` fill="${INK}"`
  return `<text x="${x}" y="${round(y)}" ${rest}${fill}>${words}</text>`
}

function round(value) {
  return Math.round(value * 10) / 10
}
