// Aligned text for a terminal, optionally coloured.

export type Tone = 'good' | 'fair' | 'bad' | 'dim' | 'plain'

/** Lines of a cell. A row is as high as its highest cell. */
export interface Cell {
  readonly lines: readonly string[]
  readonly tone: Tone
}

export type Paint = (tone: Tone, text: string) => string

/** Colours on a terminal, unless NO_COLOR is set (no-color.org). */
export function paintFor(isTerminal: boolean, noColor: string | undefined): Paint {
  if (!isTerminal || (noColor !== undefined && noColor !== '')) return (_tone, text) => text
  return (tone, text) => (tone === 'plain' || text === '' ? text : `\u001b[${ansiOf[tone]}m${text}\u001b[0m`)
}

/** Green, yellow, red and faint. */
const ansiOf = { good: 32, fair: 33, bad: 31, dim: 2 } as const

export function cell(text: string, tone: Tone = 'plain'): Cell {
  return { lines: [text], tone }
}

const GAP = '  '

/** @returns lines of text: columns as wide as their widest line, no trailing blanks. */
export function table(rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const widths = columnWidths(rows)
  return rows.flatMap((row) => {
    const height = Math.max(...row.map(({ lines }) => lines.length))
    return Array.from({ length: height }, (_, line) =>
      row
        .map(({ lines, tone }, column) => {
          const text = lines[line] ?? ''
          const isLast = column === row.length - 1
          return paint(line === 0 ? tone : 'dim', text) + (isLast ? '' : ' '.repeat((widths[column] ?? 0) - widthOf(text)))
        })
        .join(GAP)
        .trimEnd(),
    )
  })
}

/** Shortens a name that would make the table too wide. */
export function short(name: string, maxChars: number): string {
  const characters = [...name]
  return characters.length <= maxChars ? name : `${characters.slice(0, maxChars - 1).join('')}…`
}

/** Formats 1234567 as `1.2 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const [unit, divisor] = bytes < 1_000_000 ? (['kB', 1000] as const) : (['MB', 1_000_000] as const)
  return `${(bytes / divisor).toFixed(1)} ${unit}`
}

function columnWidths(rows: readonly (readonly Cell[])[]): number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  return Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.flatMap((row) => row[column]?.lines ?? []).map(widthOf)),
  )
}

function widthOf(text: string): number {
  return [...text].length
}
