// Aligned text for a terminal, with colour where colour is wanted.

export type Tone = 'good' | 'fair' | 'bad' | 'dim' | 'plain'

/** The lines of one cell; the table is as high as its highest cell in each row. */
export interface Cell {
  readonly lines: readonly string[]
  readonly tone: Tone
}

export type Paint = (tone: Tone, text: string) => string

/** Colour on a terminal, unless NO_COLOR is set to anything (no-color.org). */
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

/** @returns one line of text per line of cells, columns as wide as their widest line, no blanks at the ends. */
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

/** Cuts a name that would push the table off the screen. */
export function short(name: string, most: number): string {
  const characters = [...name]
  return characters.length <= most ? name : `${characters.slice(0, most - 1).join('')}…`
}

/** 1234567 as `1.2 MB`. */
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
