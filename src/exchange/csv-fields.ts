// Reads and writes one line of CSV (RFC 4180), or of TSV.

/** What separates fields. Spreadsheets write a semicolon where the decimal sign is a comma, and tabs in "Unicode text". */
export const SEPARATORS = [',', ';', '\t'] as const
export type Separator = (typeof SEPARATORS)[number]

/**
 * Splits one line into its fields. A field may be quoted, with quotes in it doubled.
 *
 * Fields with line breaks are not supported, on purpose: signals contain none, and a parser that follows quotes across lines would lose the
 * rest of the file after one stray quote.
 * @returns `undefined` when a quote is not closed or not at the beginning of a field.
 */
export function csvFields(line: string, separator: Separator = ','): string[] | undefined {
  if (!line.includes('"')) return line.split(separator)
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      const end = closingQuote(line, at + 1)
      if (end === undefined || (end + 1 < line.length && line[end + 1] !== separator)) return undefined
      fields.push(line.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
    } else {
      const next = line.indexOf(separator, at)
      const end = next === -1 ? line.length : next
      const field = line.slice(at, end)
      if (field.includes('"')) return undefined
      fields.push(field)
      at = end
    }
    if (at >= line.length) return fields
    at += 1
  }
}

/** Joins fields into a line, without a line break. Quotes fields that need it. */
export function csvLine(fields: readonly string[]): string {
  return fields.map((field) => (/[",\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')
}

function closingQuote(line: string, from: number): number | undefined {
  for (let at = line.indexOf('"', from); at !== -1; at = line.indexOf('"', at + 2)) if (line[at + 1] !== '"') return at
  return undefined
}
