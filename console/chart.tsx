// Charts as SVG in the page. Each shows its numbers as text beside the bars, so nobody has to tell colours apart.

import { sayNumber } from './formats.js'

export interface Bar {
  readonly name: string
  /** Lengths that stand one after the other; one for a plain bar. */
  readonly parts: readonly { readonly name: string; readonly value: number }[]
}

export interface ChartProps {
  readonly title: string
  readonly bars: readonly Bar[]
}

const WIDTH = 400
const HEIGHT = 18

/** Bars that lie, one under the other. */
export function Bars({ title, bars }: ChartProps) {
  const longest = Math.max(1, ...bars.map(totalOf))
  const names = [...new Set(bars.flatMap(({ parts }) => parts.map(({ name }) => name)))]
  const isStacked = names.length > 1
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      {isStacked && <Legend names={names} />}
      <ul class="bars">
        {bars.map((bar) => (
          <li key={bar.name}>
            <span class="name">{bar.name}</span>
            <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
              {segmentsOf(bar, longest, names).map(({ name, x, width, tone }) => (
                <rect key={name} class={`tone${tone}`} x={x} y="0" width={width} height={HEIGHT}>
                  <title>{name}</title>
                </rect>
              ))}
            </svg>
            <span class="value">
              {sayNumber(totalOf(bar))}
              {isStacked && <span class="unseen"> {bar.parts.map(({ name, value }) => `${name} ${value}`).join(', ')}</span>}
            </span>
          </li>
        ))}
      </ul>
    </figure>
  )
}

const COLUMNS_WIDTH = 720
const COLUMNS_HEIGHT = 120

/** A column chart over days. The caller shows the numbers in a table below it. */
export function Columns({
  title,
  columns,
}: {
  readonly title: string
  readonly columns: readonly { readonly name: string; readonly value: number }[]
}) {
  const highest = Math.max(1, ...columns.map(({ value }) => value))
  const step = COLUMNS_WIDTH / Math.max(1, columns.length)
  const [first] = columns
  const last = columns.at(-1)
  const all = columns.reduce((sum, { value }) => sum + value, 0)
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <svg
        class="columns"
        viewBox={`0 0 ${COLUMNS_WIDTH} ${COLUMNS_HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${sayNumber(all)} in all, ${sayNumber(highest)} on the highest day. The table has each day.`}
      >
        {columns.map(({ name, value }, k) => {
          const height = (value / highest) * COLUMNS_HEIGHT
          return (
            <rect key={name} class="tone0" x={k * step + 1} y={COLUMNS_HEIGHT - height} width={step - 2} height={height}>
              <title>{`${name}: ${sayNumber(value)}`}</title>
            </rect>
          )
        })}
      </svg>
      <p class="axis" aria-hidden="true">
        <span>{first?.name}</span>
        <span>highest: {sayNumber(columns.every(({ value }) => value === 0) ? 0 : highest)}</span>
        <span>{last?.name}</span>
      </p>
    </figure>
  )
}

function Legend({ names }: { names: readonly string[] }) {
  return (
    <ul class="legend" aria-label="What the parts of a bar are">
      {names.map((name, k) => (
        <li key={name}>
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <rect class={`tone${k}`} width="12" height="12" />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  )
}

function segmentsOf({ parts }: Bar, longest: number, names: readonly string[]) {
  let x = 0
  return parts.flatMap(({ name, value }) => {
    const width = (value / longest) * WIDTH
    const segment = { name: `${name}: ${sayNumber(value)}`, x, width: Math.max(1, width - 1), tone: names.indexOf(name) }
    x += width
    return value === 0 ? [] : [segment]
  })
}

function totalOf({ parts }: Bar): number {
  return parts.reduce((sum, { value }) => sum + value, 0)
}
