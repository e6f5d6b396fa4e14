// Tables and times in Markdown, and the generated section of a file.

const BEGIN = '<!-- written by bench/search.mjs: begin -->'
const END = '<!-- written by bench/search.mjs: end -->'

/** @param columns name → cells; a column without a single cell is left out. */
export function table(columns) {
  const shown = Object.entries(columns).filter(([, cells]) => cells.some((cell) => cell !== ''))
  const lines = [shown.map(([name]) => name), shown.map(() => '---')]
  for (let i = 0; i < (shown[0]?.[1].length ?? 0); i++) lines.push(shown.map(([, cells]) => cells[i]))
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A time to three digits, in the unit that suits it; nothing for none. */
export function time(us) {
  if (us === undefined) return ''
  if (us < 999.5) return `${threeDigits(us)} µs`
  if (us < 999_500) return `${threeDigits(us / 1e3)} ms`
  return `${threeDigits(us / 1e6)} s`
}

/** @returns the text with what lies between the markers replaced; markers are added at the end where there are none. */
export function replaceSection(text, section) {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  const written = `${BEGIN}\n${section === '' ? '' : `\n${section}\n\n`}${END}`
  if (begin < 0 || end < begin) return `${text.trimEnd()}\n\n${written}\n`
  return text.slice(0, begin) + written + text.slice(end + END.length)
}

function threeDigits(value) {
  return String(Number(value.toPrecision(3)))
}
