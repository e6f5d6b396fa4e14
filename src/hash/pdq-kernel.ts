// PDQ by WebAssembly: the same bits as the oracle, some eighteen times faster, in Node and in the browser.

import { dctMatrix } from './dct.js'
import { HASH_BYTES, hashFromBytes } from './hash256.js'
import { wasmBase64 } from './pdq.generated.js'
import { flat, MIN_SIDE_PX, type PdqResult } from './pdq.js'
import { checkPixels, type Pixels } from './pixels.js'
import { transforms } from './transforms.js'

export interface KernelResult extends PdqResult {
  /**
   * The totals of red + green + blue in the 16 × 16 blocks of the picture, row by row, what blockhash compares. A pixel on
   * a border counts by its parts. Absent when a side is under 16 pixels.
   */
  readonly blockTotals: readonly number[] | undefined
}

export interface PdqKernel {
  /**
   * Hashes a picture, bit for bit as `pdq` does. When it returns, nothing of the picture is left in the kernel's memory.
   * @throws {RangeError} when the sizes are out of range or do not fit the data: a caller's bug, never bad input.
   */
  hash: (pixels: Pixels) => KernelResult
}

/** @throws where WebAssembly with SIMD is missing; there `pdq` itself still serves. */
export async function loadPdqKernel(): Promise<PdqKernel> {
  const { instance } = await WebAssembly.instantiate(wasmBytes())
  return kernelOf(instance)
}

/** For workers, who have nothing else to do meanwhile; a page should take the other. */
export function loadPdqKernelSync(): PdqKernel {
  return kernelOf(new WebAssembly.Instance(new WebAssembly.Module(wasmBytes())))
}

const BLOCKS_A_SIDE = 16
const BLOCKS = BLOCKS_A_SIDE * BLOCKS_A_SIDE

function wasmBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0))
}

function kernelOf({ exports }: WebAssembly.Instance): PdqKernel {
  const memory = memoryOf(exports['memory'])
  const begin = method(exports['begin'])
  const stripAt = method(exports['stripAt'])
  const push = method(exports['push'])
  const finish = method(exports['finish'])
  const wipe = method(exports['wipe'])
  const hashesAt = address(exports['HASHES'])
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
      const bytes = new Uint8Array(memory.buffer, hashesAt, transforms.length * HASH_BYTES)
      const dihedrals = transforms.map((_, way) => hashFromBytes(bytes, way * HASH_BYTES))
      return { hash: hashFromBytes(bytes), quality, dihedrals, blockTotals: totals(width, height) }
    } finally {
      wipe()
    }
  }

  function totals(width: number, height: number): readonly number[] | undefined {
    if (width < BLOCKS_A_SIDE || height < BLOCKS_A_SIDE) return undefined
    return Array.from(new Float64Array(memory.buffer, blocksAt, BLOCKS), (total) => total / BLOCKS)
  }

  return { hash }
}

function memoryOf(value: WebAssembly.ExportValue | undefined): WebAssembly.Memory {
  if (!(value instanceof WebAssembly.Memory)) throw new Error('the kernel has no memory')
  return value
}

function method(value: WebAssembly.ExportValue | undefined): (...numbers: number[]) => number {
  if (typeof value !== 'function') throw new Error('the kernel lacks a function')
  return (...numbers) => value(...numbers)
}

function address(value: WebAssembly.ExportValue | undefined): number {
  if (!(value instanceof WebAssembly.Global)) throw new Error('the kernel lacks an address')
  return value.value
}
