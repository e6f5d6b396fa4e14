// Finds the cells of a grid of pictures, such as a profile or a gallery, by straight edges at even distances.

import type { Rectangle } from '../rectangle.js'
import { coverageOf, type Line, type Lines } from './lines.js'

const MAX_COLUMNS = 6
const MIN_CELLS = 3
/** Minimum share of edge pixels of a line from side to side of the grid. An edge inside a picture takes only a part of it. */
const MIN_COVERAGE = { columns: 0.6, rows: 0.7 } as const
/** Maximum distance of a line from its place. Between two cells there may be two lines, one at each side of the gap. */
const MAX_OFF_SHARE = 0.015
const MAX_OFF_PX = 3
/** A line this near to the grid's border is the border. */
const BORDER_PX = 2

type Span = readonly [from: number, to: number]
type MinSides = Readonly<Record<'width' | 'height', number>>

/** @returns the cells of equal size that fill a part from side to side, row by row; none if it is not a grid of at least two columns. */
export function cellsOf(lines: Lines, part: Rectangle, minSides: MinSides): Rectangle[] {
  const across = columnsOf(
    through(lines.columns, [part.left, part.right], [part.top, part.bottom], MIN_COVERAGE.columns),
    part,
  )
  if (across.length === 0) return []
  const down = rowsOf(
    through(lines.rows, [part.top, part.bottom], [part.left, part.right], MIN_COVERAGE.rows),
    part,
    minSides.height,
  )
  const isLarge = ({ left, top, right, bottom }: Rectangle) =>
    right - left >= minSides.width && bottom - top >= minSides.height
  const cells = down
    .flatMap(([top, bottom]) => across.map(([left, right]) => ({ left, top, right, bottom })))
    .filter(isLarge)
  return cells.length < MIN_CELLS ? [] : cells
}

/** @returns where lines pass through a part from side to side. */
function through(lines: readonly Line[], [from, to]: Span, [start, end]: Span, minCoverage: number): number[] {
  const inside = lines.filter(({ at }) => at > from + BORDER_PX && at < to - BORDER_PX)
  return inside.filter((line) => (coverageOf(line, start, end) ?? 0) >= minCoverage).map(({ at }) => at)
}

/** The largest number of columns of equal width whose edges are all there. */
function columnsOf(lines: readonly number[], { left, right }: Rectangle): Span[] {
  const width = right - left
  let columns: Span[] = []
  for (let count = 2; count <= MAX_COLUMNS; count++) {
    const edges = Array.from({ length: count - 1 }, (_, i) => near(lines, left + ((i + 1) * width) / count, width))
    if (edges.every(({ length }) => length > 0)) columns = spansOf([[left], ...edges, [right]])
  }
  return columns
}

/** The least height that divides the part by edges at even distances. What is left at the top and at the bottom are cells that are cut off. */
function rowsOf(lines: readonly number[], { top, bottom }: Rectangle, minHeight: number): Span[] {
  const places = [top, ...lines, bottom]
  let rows: Span[] = []
  let least = Number.POSITIVE_INFINITY
  for (const [i, from] of places.entries()) {
    for (const to of places.slice(i + 1)) {
      const height = to - from
      if (height < minHeight || height >= least) continue
      const first = from - Math.floor((from - top + MAX_OFF_PX) / height) * height
      const count = Math.floor((bottom + MAX_OFF_PX - first) / height)
      const edges = Array.from({ length: count + 1 }, (_, k) => near(places, first + k * height, 0))
      if (!edges.every(({ length }) => length > 0)) continue
      least = height
      rows = spansOf(edges)
    }
  }
  return rows
}

function near(lines: readonly number[], place: number, side: number): number[] {
  const most = Math.max(MAX_OFF_PX, MAX_OFF_SHARE * side)
  return lines.filter((at) => Math.abs(at - place) <= most)
}

/** From the last line of each edge to the first line of the next. */
function spansOf(edges: readonly (readonly number[])[]): Span[] {
  return edges.slice(1).map((edge, i): Span => [edges[i]?.at(-1) ?? 0, edge[0] ?? 0])
}
