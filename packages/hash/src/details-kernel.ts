// Corners and descriptors in WebAssembly: the same bits as the reference implementation (details/level.ts, corners.ts, describe.ts), faster.

import { ROTATED_PATTERN } from './details/describe.js'
import { checkLuma, type Pyramid } from './details/pyramid.js'
import { wasmBase64 } from './details.generated.js'
import { hashFromBytes } from './hash256.js'
import type { Pixels } from './pixels.js'
import { type KernelLender, loadKernel, loadKernelSync, memoryOf, method } from './wasm.js'

export interface DetailsKernel {
  /**
   * Calls `use` with a pyramid of the picture, which is valid until `use` returns. Then the kernel's memory is wiped.
   *
   * @param sidePx the longest side of any level that `use` requests.
   * Cost: about 2 ns a pixel. Memory: 4 bytes a pixel, and 20 times `sidePx`² bytes.
   * @throws {RangeError} when the sizes are out of range or do not fit the data: a caller's bug, never bad input.
   * @throws {WebAssembly.RuntimeError} when the memory cannot grow. The next call has a new kernel.
   */
  usePyramid: <T>(pixels: Pixels, sidePx: number, use: (pyramid: Pyramid) => T) => T
}

/** @throws if WebAssembly with SIMD is not supported. */
export async function loadDetailsKernel(): Promise<DetailsKernel> {
  return onLentKernel(await loadKernel(wasmBase64, kernelOf))
}

/** Compiles synchronously: for worker processes. A page should use `loadDetailsKernel`. @throws as it does. */
export function loadDetailsKernelSync(): DetailsKernel {
  return onLentKernel(loadKernelSync(wasmBase64, kernelOf))
}

/** Each call borrows the kernel, which the lender replaces after a trap. */
function onLentKernel(lend: KernelLender<DetailsKernel>): DetailsKernel {
  return { usePyramid: (pixels, sidePx, use) => lend((kernel) => kernel.usePyramid(pixels, sidePx, use)) }
}

const CORNER_BYTES = 8

function kernelOf({ exports }: WebAssembly.Instance): DetailsKernel {
  const memory = memoryOf(exports['memory'])
  const begin = method(exports['begin'])
  const stripAt = method(exports['stripAt'])
  const addRows = method(exports['addRows'])
  const computeLevel = method(exports['computeLevel'])
  const cornersAt = method(exports['cornersAt'])
  const moments = method(exports['moments'])
  const momentDown = method(exports['momentDown'])
  const describe = method(exports['describe'])
  const wipe = method(exports['wipe'])
  const patternsAt = method(exports['patternsAt'])()
  new Int8Array(memory.buffer).set(ROTATED_PATTERN.plain, patternsAt)
  new Int8Array(memory.buffer).set(ROTATED_PATTERN.mirrored, patternsAt + ROTATED_PATTERN.plain.length)

  const pyramid: Omit<Pyramid, 'width' | 'height'> = {
    corners(level, part, width, height) {
      const count = computeLevel(level, part.left, part.top, part.right, part.bottom, width, height)
      const view = new DataView(memory.buffer, cornersAt(level), count * CORNER_BYTES)
      return Array.from({ length: count }, (_, i) => ({
        x: view.getUint16(i * CORNER_BYTES, true),
        y: view.getUint16(i * CORNER_BYTES + 2, true),
        strength: view.getFloat32(i * CORNER_BYTES + 4, true),
      }))
    },
    moments: (level, x, y) => [moments(level, x, y), momentDown()],
    describe: (level, x, y, angle, isMirrored) =>
      hashFromBytes(new Uint8Array(memory.buffer, describe(level, x, y, angle, isMirrored ? 1 : 0), 32)),
  }

  return {
    usePyramid(pixels, sidePx, use) {
      checkLuma(pixels)
      const { data, width, height, channels } = pixels
      try {
        const rowsAtOnce = begin(width, height, channels, sidePx)
        const strip = new Uint8Array(memory.buffer, stripAt())
        const rowBytes = width * channels
        for (let row = 0; row < height; row += rowsAtOnce) {
          const rows = Math.min(rowsAtOnce, height - row)
          strip.set(data.subarray(row * rowBytes, (row + rows) * rowBytes))
          addRows(row, rows)
        }
        return use({ ...pyramid, width, height })
      } finally {
        wipe()
      }
    },
  }
}
