// Samples of a part of the picture that lies at an angle.

import { type AreaTable, SAMPLES_A_SIDE, sampleArea } from './area-table.js'
import type { Rectangle } from './rectangle.js'

/** A rectangle about the picture's centre. Sides are parts of the picture's height as it is shown. */
export interface TiltedPart {
  readonly width: number
  readonly height: number
  /** Clockwise, in degrees. */
  readonly angleDeg: number
}

const GRID_SIDE = 2 * SAMPLES_A_SIDE

/** The picture in 128 × 128 cells, to take tilted samples from. */
export function gridOf(table: AreaTable): Float32Array {
  const { width, height } = table
  const grid = new Float32Array(GRID_SIDE * GRID_SIDE)
  const quarter = new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)
  for (const i of [0, 1]) {
    for (const j of [0, 1]) {
      const part: Rectangle = {
        left: (j * width) / 2,
        right: ((j + 1) * width) / 2,
        top: (i * height) / 2,
        bottom: ((i + 1) * height) / 2,
      }
      sampleArea(table, part, quarter)
      for (let y = 0; y < SAMPLES_A_SIDE; y++) {
        const row = quarter.subarray(y * SAMPLES_A_SIDE, (y + 1) * SAMPLES_A_SIDE)
        grid.set(row, (i * SAMPLES_A_SIDE + y) * GRID_SIDE + j * SAMPLES_A_SIDE)
      }
    }
  }
  return grid
}

/** @param aspect width over height of the picture as it is shown. */
export function sampleTilted(grid: Float32Array, aspect: number, part: TiltedPart, into: Float32Array): void {
  const angle = (part.angleDeg * Math.PI) / 180
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  for (let i = 0; i < SAMPLES_A_SIDE; i++) {
    for (let j = 0; j < SAMPLES_A_SIDE; j++) {
      let sum = 0
      for (const [down, across] of QUARTERS) {
        const x = ((j + across) / SAMPLES_A_SIDE - 0.5) * part.width
        const y = ((i + down) / SAMPLES_A_SIDE - 0.5) * part.height
        sum += read(
          grid,
          ((x * cos - y * sin) / aspect + 0.5) * GRID_SIDE - 0.5,
          (x * sin + y * cos + 0.5) * GRID_SIDE - 0.5,
        )
      }
      into[i * SAMPLES_A_SIDE + j] = sum / QUARTERS.length
    }
  }
}

const QUARTERS = [
  [0.25, 0.25],
  [0.25, 0.75],
  [0.75, 0.25],
  [0.75, 0.75],
] as const

/** Bilinear between the centres of cells; beyond the last ones, their values. */
function read(grid: Float32Array, x: number, y: number): number {
  const column = Math.max(0, Math.min(GRID_SIDE - 2, Math.floor(x)))
  const row = Math.max(0, Math.min(GRID_SIDE - 2, Math.floor(y)))
  const right = Math.max(0, Math.min(1, x - column))
  const below = Math.max(0, Math.min(1, y - row))
  const k = row * GRID_SIDE + column
  const upper = (grid[k] ?? 0) * (1 - right) + (grid[k + 1] ?? 0) * right
  const lower = (grid[k + GRID_SIDE] ?? 0) * (1 - right) + (grid[k + GRID_SIDE + 1] ?? 0) * right
  return upper * (1 - below) + lower * below
}

/** What is left of a picture that is turned and then cut straight: the largest upright rectangle in it. */
export function straightened(aspect: number, angleDeg: number): TiltedPart {
  const angle = (Math.abs(angleDeg) * Math.PI) / 180
  const sin = Math.sin(angle)
  const cos = Math.cos(angle)
  const shape = Math.cos(2 * angle)
  return { width: (aspect * cos - sin) / shape, height: (cos - aspect * sin) / shape, angleDeg }
}
