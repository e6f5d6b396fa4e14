// The fields of one line of CSV (RFC 4180), line by line on purpose.

/**
 * A field may be quoted, a quote in it is doubled. A record that goes on in the next line is not read, here and there: a parser that
 * follows quotes over lines loses everything behind one stray quote, and no signal of ours has a line break in it.
 * @returns `undefined` when quotes do not close, or stand where none may.
 */
export function csvFields(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(',')
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      const end = closingQuote(line, at + 1)
      if (end === undefined || (end + 1 < line.length && line[end + 1] !== ',')) return undefined
      fields.push(line.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
    } else {
      const comma = line.indexOf(',', at)
      const end = comma === -1 ? line.length : comma
      const field = line.slice(at, end)
      if (field.includes('"')) return undefined
      fields.push(field)
      at = end
    }
    if (at >= line.length) return fields
    at += 1
  }
}

export function csvLine(fields: readonly string[]): string {
  return fields.map((field) => (/[",\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')
}

function closingQuote(line: string, from: number): number | undefined {
  for (let at = line.indexOf('"', from); at !== -1; at = line.indexOf('"', at + 2)) if (line[at + 1] !== '"') return at
  return undefined
}
