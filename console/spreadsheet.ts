// Tables as files for a spreadsheet.

/**
 * RFC 4180, every field in quotes. A text that a spreadsheet would run as a formula gets an apostrophe in front, because names of banks
 * and references come from strangers.
 * @see OWASP, "CSV Injection"
 */
export function csvOf(titles: readonly string[], rows: readonly (readonly Field[])[]): string {
  return [titles, ...rows].map((row) => `${row.map(quoted).join(',')}\r\n`).join('')
}

export type Field = string | number | undefined

/** What begins a formula, also after white space and as a wide character. */
const FORMULA = /^\s*[=+\-@＝＋－＠|%]|^[\t\r\n]/

function quoted(field: Field): string {
  if (field === undefined) return '""'
  const text = typeof field === 'string' && FORMULA.test(field) ? `'${field}` : String(field)
  return `"${text.replaceAll('"', '""')}"`
}
