// Recognises a picture of one object on a plain ground, such as goods in a shop. Objects of one kind have nearly the same outline, so the hashes of
// different objects are near.

import type { Raster } from '../raster.js'

type Colours = Pick<Raster, 'width' | 'height' | 'rgb'>
type Colour = readonly [red: number, green: number, blue: number]

/** The picture is reduced to the mean colours of 64 × 64 cells, each from 4 × 4 points. */
const CELLS = 64
const POINTS = 4
/** Maximum difference between a cell of the ground and the border's median, in levels of each channel. */
const TOLERANCE = 32
/**
 * Minimum shares of the border that is ground, and of the rest that is one object. Chosen on edits of tuning photographs and on set a, the drawn
 * look-alikes for tuning (bench/record/lookalikes.md): 273 of its 330 shirts are objects.
 */
const MIN_BORDER = 0.95
const MIN_ONE = 0.9
/** Minimum share of the border that is ground where a sleeve or another object reaches it. */
const MIN_TOUCHED_BORDER = 0.9
/**
 * Maximum share that the object's hull takes of the smallest rectangle around it, which may be tilted. Shirts of set a take at most 0.88. A
 * photograph that was tilted or framed, or a phone that shows one, takes at least 0.95.
 */
const MAX_RECTANGULAR = 0.9

/**
 * Whether a picture shows one object on a plain ground. A rectangular object may be a picture and does not count.
 * Cost: 0.1 ms for most pictures, whose border has many colours; 1 ms for an object.
 */
export function isObject(raster: Colours, { share, isGround } = groundOf(raster)): boolean {
  if (share < MIN_BORDER) return false
  const near = Uint8Array.from({ length: CELLS * CELLS }, (_, cell) => Number(isGround(colourOf(raster, cell))))
  const around = connected(BORDER, (cell) => near[cell] === 1)
  if (around.length === CELLS * CELLS) return false
  const object = largest(new Set(around))
  return object.length >= MIN_ONE * (CELLS * CELLS - around.length) && rectangularity(hullOf(object)) <= MAX_RECTANGULAR
}

/** The colour of a picture's border. */
export interface Ground {
  /** Share of the border that has it. */
  readonly share: number
  readonly isGround: (colour: Colour) => boolean
}

/** Whether the border is plain, also if something reaches it. */
export function isPlain(ground: Ground | undefined): boolean {
  return ground !== undefined && ground.share >= MIN_TOUCHED_BORDER
}

/** Cost: 0.1 ms. */
export function groundOf(raster: Colours): Ground {
  const border = BORDER.map((cell) => colourOf(raster, cell))
  const ground = medianOf(border)
  const isGround = (colour: Colour) => colour.every((level, i) => Math.abs(level - (ground[i] ?? 0)) <= TOLERANCE)
  return { share: border.filter(isGround).length / BORDER.length, isGround }
}

const BORDER: readonly number[] = Array.from({ length: CELLS * CELLS }, (_, cell) => cell).filter(
  (cell) => cell < CELLS || cell >= CELLS * (CELLS - 1) || cell % CELLS === 0 || cell % CELLS === CELLS - 1,
)

function colourOf({ width, height, rgb }: Colours, cell: number): Colour {
  const [left, top] = [(cell % CELLS) * POINTS, Math.floor(cell / CELLS) * POINTS]
  const sums: [number, number, number] = [0, 0, 0]
  for (let point = 0; point < POINTS * POINTS; point++) {
    const x = Math.floor(((left + (point % POINTS) + 0.5) * width) / (CELLS * POINTS))
    const y = Math.floor(((top + Math.floor(point / POINTS) + 0.5) * height) / (CELLS * POINTS))
    const k = 3 * (y * width + x)
    for (let i = 0; i < 3; i++) sums[i] = (sums[i] ?? 0) + (rgb[k + i] ?? 0) / (POINTS * POINTS)
  }
  return sums
}

function medianOf(colours: readonly Colour[]): number[] {
  return [0, 1, 2].map((i) => colours.map((colour) => colour[i] ?? 0).sort((a, b) => a - b)[colours.length >> 1] ?? 0)
}

/** Flood fill. @returns the cells of `from` with the property, and all cells that neighbours with the property connect with them. */
function connected(from: readonly number[], hasProperty: (cell: number) => boolean): number[] {
  const cells = from.filter(hasProperty)
  const seen = new Set(cells)
  for (const cell of cells) {
    for (const beside of neighboursOf(cell)) {
      if (seen.has(beside) || !hasProperty(beside)) continue
      seen.add(beside)
      cells.push(beside)
    }
  }
  return cells
}

function neighboursOf(cell: number): number[] {
  const column = cell % CELLS
  return [
    ...(column > 0 ? [cell - 1] : []),
    ...(column < CELLS - 1 ? [cell + 1] : []),
    ...[cell - CELLS, cell + CELLS].filter((other) => other >= 0 && other < CELLS * CELLS),
  ]
}

/** The largest connected component of the cells that are not in `around`. */
function largest(around: ReadonlySet<number>): readonly number[] {
  const known = new Set(around)
  let most: readonly number[] = []
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    if (known.has(cell)) continue
    const part = connected([cell], (other) => !around.has(other))
    for (const one of part) known.add(one)
    if (part.length > most.length) most = part
  }
  return most
}

type Point = readonly [x: number, y: number]

/** The convex hull of some cells. The corners of the first and the last cell of each row suffice. */
function hullOf(cells: readonly number[]): Point[] {
  const rows = new Map<number, readonly [first: number, last: number]>()
  for (const cell of cells) {
    const [column, row] = [cell % CELLS, Math.floor(cell / CELLS)]
    const [first, last] = rows.get(row) ?? [column, column]
    rows.set(row, [Math.min(first, column), Math.max(last, column)])
  }
  const corners = [...rows].flatMap(([row, [first, last]]) =>
    [first, last + 1].flatMap((x): Point[] => [
      [x, row],
      [x, row + 1],
    ]),
  )
  corners.sort(([ax, ay], [bx, by]) => ax - bx || ay - by)
  return [...chainOf(corners), ...chainOf(corners.reverse())]
}

/** One half of a hull (Andrew's monotone chain), without its last corner, which is the first of the other half. */
function chainOf(corners: readonly Point[]): Point[] {
  const chain: Point[] = []
  for (const corner of corners) {
    while (chain.length > 1 && turnOf(chain.at(-2), chain.at(-1), corner) <= 0) chain.pop()
    chain.push(corner)
  }
  return chain.slice(0, -1)
}

function turnOf([ax, ay]: Point = [0, 0], [bx, by]: Point = [0, 0], [cx, cy]: Point = [0, 0]): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
}

/** The area of a hull as a share of the smallest rectangle around it, one side of which lies on a side of the hull. */
function rectangularity(hull: readonly Point[]): number {
  let minArea = Number.POSITIVE_INFINITY
  let area = 0
  for (const [i, [x, y]] of hull.entries()) {
    const [nextX, nextY] = hull[(i + 1) % hull.length] ?? [x, y]
    area += (x * nextY - y * nextX) / 2
    const [across, down] = [nextX - x, nextY - y]
    const along = hull.map(([u, v]) => u * across + v * down)
    const aside = hull.map(([u, v]) => v * across - u * down)
    const spanOf = (values: readonly number[]) => Math.max(...values) - Math.min(...values)
    minArea = Math.min(minArea, (spanOf(along) * spanOf(aside)) / (across * across + down * down))
  }
  return area / minArea
}
