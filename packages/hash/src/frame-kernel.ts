// Measures a picture for frame removal, in WebAssembly: the same numbers as the reference implementation (measured.ts), faster.

import { type Line, strongest } from './deframe/lines.js'
import { wasmBase64 } from './frame.generated.js'
import type { MeasuredRaster } from './measured.js'
import { checkPixels, type Pixels } from './pixels.js'
import { rasterSideOf } from './raster.js'
import { type KernelLender, loadKernel, loadKernelSync, memoryOf, method } from './wasm.js'

export interface FrameKernel {
  /**
   * Measures a picture as `measuredOf` does and calls `use` with the result. Its arrays are in the kernel's memory: they are valid until `use`
   * returns, and then wiped.
   *
   * Cost: about 2 ms for a picture, and 3 more for each million pixels if it has to be reduced. Memory: 18 bytes for each pixel of the raster,
   * at most 8 MB, and the rows of the picture that one row of the raster needs.
   *
   * @throws {RangeError} when the sizes are out of range or do not fit the data: a caller's bug, never bad input.
   * @throws {WebAssembly.RuntimeError} when the memory cannot grow. The next call has a new kernel.
   */
  measure: <T>(pixels: Pixels, use: (measured: MeasuredRaster) => T) => T
}

/** @throws if WebAssembly with SIMD is not supported. */
export async function loadFrameKernel(): Promise<FrameKernel> {
  return onLentKernel(await loadKernel(wasmBase64, kernelOf))
}

/** Compiles synchronously: for worker processes. A page should use `loadFrameKernel`. @throws as it does. */
export function loadFrameKernelSync(): FrameKernel {
  return onLentKernel(loadKernelSync(wasmBase64, kernelOf))
}

/** Each call borrows the kernel, which the lender replaces after a trap. */
function onLentKernel(lend: KernelLender<FrameKernel>): FrameKernel {
  return { measure: (pixels, use) => lend((kernel) => kernel.measure(pixels, use)) }
}

function kernelOf({ exports }: WebAssembly.Instance): FrameKernel {
  const memory = memoryOf(exports['memory'])
  const begin = method(exports['begin'])
  const stripAt = method(exports['stripAt'])
  const rgbAt = method(exports['rgbAt'])
  const sumsAt = method(exports['sumsAt'])
  const countsAt = method(exports['countsAt'])
  const scoresAt = method(exports['scoresAt'])
  const edgesAt = method(exports['edgesAt'])
  const reduce = method(exports['reduce'])
  const measureRgb = method(exports['measure'])
  const scoreColumns = method(exports['scoreColumns'])
  const scoreRows = method(exports['scoreRows'])
  const countAlongColumn = method(exports['countAlongColumn'])
  const countAlongRow = method(exports['countAlongRow'])
  const wipe = method(exports['wipe'])

  function measure<T>(pixels: Pixels, use: (measured: MeasuredRaster) => T): T {
    checkPixels(pixels)
    const width = rasterSideOf(pixels.width)
    const height = rasterSideOf(pixels.height)
    try {
      const rowsAtOnce = begin(pixels.width, pixels.height, pixels.channels, width, height)
      const rgb = new Uint8Array(memory.buffer, rgbAt(), 3 * width * height)
      if (pixels.channels === 3 && width === pixels.width && height === pixels.height) rgb.set(pixels.data)
      else reduceInStrips(pixels, height, rowsAtOnce)
      measureRgb()
      scoreColumns()
      const columns = linesBy(countAlongColumn, width, height)
      scoreRows()
      const rows = linesBy(countAlongRow, height, width)
      const corners = (width + 1) * (height + 1)
      return use({
        width,
        height,
        rgb,
        areas: { width, height, sums: new Float64Array(memory.buffer, sumsAt(), corners) },
        lines: { columns, rows },
        texture: { width, height, counts: new Uint32Array(memory.buffer, countsAt(), corners) },
      })
    } finally {
      wipe()
    }
  }

  /** Copies the picture to the kernel in strips and reduces it. A row on the border of two strips is copied with both. */
  function reduceInStrips({ data, width, height, channels }: Pixels, newHeight: number, rowsAtOnce: number): void {
    const strip = new Uint8Array(memory.buffer, stripAt())
    const rowBytes = width * channels
    for (let row = 0; row < newHeight; row += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, newHeight - row)
      const from = Math.floor((row * height) / newHeight)
      const to = Math.ceil(((row + rows) * height) / newHeight)
      strip.set(data.subarray(from * rowBytes, to * rowBytes))
      reduce(row, rows, from)
    }
  }

  function linesBy(countAlong: (at: number) => number, count: number, length: number): Line[] {
    const scores = new Int16Array(memory.buffer, scoresAt(), count)
    return strongest(scores, length, (at) => {
      countAlong(at)
      return new Uint16Array(memory.buffer, edgesAt(), length + 1).slice()
    })
  }

  return { measure }
}
