// PDQ in WebAssembly, in Node and in browsers: the same bits as the reference implementation (pdq.ts), about eighteen times as fast.

import { HASH_BYTES, hashFromBytes } from './hash256.js'
import { wasmBase64 } from './pdq.generated.js'
import { dctMatrix, flat, MIN_SIDE_PX, type PdqResult } from './pdq.js'
import { checkPixels, type Pixels } from './pixels.js'
import { transforms } from './transforms.js'
import { address, type KernelLender, loadKernel, loadKernelSync, memoryOf, method } from './wasm.js'

export interface KernelResult extends PdqResult {
  /**
   * Totals of red + green + blue in the picture's 16 × 16 blocks, row by row, for blockhash. A pixel on the border of blocks counts in
   * proportion. `undefined` when a side is under 16 pixels.
   */
  readonly blockTotals: readonly number[] | undefined
}

export interface PdqKernel {
  /**
   * Hashes a picture, bit for bit as `pdq` does. Wipes the picture from the kernel's memory before it returns.
   * @throws {RangeError} when the sizes are out of range or do not fit the data: a caller's bug, never bad input.
   * @throws {WebAssembly.RuntimeError} when the memory cannot grow. The next call has a new kernel.
   */
  hash: (pixels: Pixels) => KernelResult
  /**
   * Hashes 64 × 64 samples, row by row.
   * @throws {RangeError} when there are not 4,096 samples.
   */
  hashSamples: (samples: Float32Array) => SampledResult
}

export interface SampledResult extends PdqResult {
  /** Median of the absolute values of the hash's 256 coefficients, in levels of brightness. */
  readonly medianCoefficient: number
}

/** @throws if WebAssembly with SIMD is not supported; use `pdq` there. */
export async function loadPdqKernel(): Promise<PdqKernel> {
  return onLentKernel(await loadKernel(wasmBase64, kernelOf))
}

/** Compiles synchronously: for worker processes. A page should use `loadPdqKernel`. @throws as it does. */
export function loadPdqKernelSync(): PdqKernel {
  return onLentKernel(loadKernelSync(wasmBase64, kernelOf))
}

/** Each call borrows the kernel, which the lender replaces after a trap. */
function onLentKernel(lend: KernelLender<PdqKernel>): PdqKernel {
  return {
    hash: (pixels) => lend((kernel) => kernel.hash(pixels)),
    hashSamples: (samples) => lend((kernel) => kernel.hashSamples(samples)),
  }
}

const BLOCKS_A_SIDE = 16
const BLOCKS = BLOCKS_A_SIDE * BLOCKS_A_SIDE
const SAMPLES = 64 * 64

function kernelOf({ exports }: WebAssembly.Instance): PdqKernel {
  const memory = memoryOf(exports['memory'])
  const begin = method(exports['begin'])
  const stripAt = method(exports['stripAt'])
  const push = method(exports['push'])
  const finish = method(exports['finish'])
  const wipe = method(exports['wipe'])
  const wipeSamples = method(exports['wipeSamples'])
  const medianSize = method(exports['medianSize'])
  const hashesAt = address(exports['HASHES'])
  const samplesAt = address(exports['SAMPLES'])
  const blocksAt = address(exports['BLOCKS'])
  new Float32Array(memory.buffer, address(exports['MATRIX'])).set(dctMatrix())

  function hash(pixels: Pixels): KernelResult {
    checkPixels(pixels)
    const { data, width, height, channels } = pixels
    const small = width < MIN_SIDE_PX || height < MIN_SIDE_PX
    if (small) return { ...flat(), blockTotals: undefined }
    try {
      const rowsAtOnce = begin(width, height, channels)
      const strip = new Uint8Array(memory.buffer, stripAt())
      for (let y = 0; y < height; y += rowsAtOnce) {
        const rows = Math.min(rowsAtOnce, height - y)
        strip.set(data.subarray(y * width * channels, (y + rows) * width * channels))
        push(rows)
      }
      const quality = finish()
      return { ...hashed(quality), blockTotals: totals(width, height) }
    } finally {
      wipe()
    }
  }

  function hashSamples(samples: Float32Array): SampledResult {
    if (samples.length !== SAMPLES) throw new RangeError('a hash is made of 64 × 64 samples')
    try {
      new Float32Array(memory.buffer, samplesAt, SAMPLES).set(samples)
      const result = hashed(finish())
      return { ...result, medianCoefficient: medianSize() }
    } finally {
      wipeSamples()
    }
  }

  function hashed(quality: number): PdqResult {
    const bytes = new Uint8Array(memory.buffer, hashesAt, transforms.length * HASH_BYTES)
    const dihedrals = transforms.map((_, orientation) => hashFromBytes(bytes, orientation * HASH_BYTES))
    return { hash: hashFromBytes(bytes), quality, dihedrals }
  }

  function totals(width: number, height: number): readonly number[] | undefined {
    if (width < BLOCKS_A_SIDE || height < BLOCKS_A_SIDE) return undefined
    return Array.from(new Float64Array(memory.buffer, blocksAt, BLOCKS), (total) => total / BLOCKS)
  }

  return { hash, hashSamples }
}
