// All hashes of one picture: the whole as others hash it, and the parts by which a changed copy gives itself away.

import { SAMPLES_A_SIDE, sampleArea } from './area-table.js'
import { type FrameKernel, loadFrameKernel, loadFrameKernelSync } from './frame-kernel.js'
import { distance, type Hash256 } from './hash256.js'
import type { MeasuredRaster } from './measured.js'
import type { PdqKernel, SampledResult } from './pdq-kernel.js'
import { loadPdqKernel, loadPdqKernelSync } from './pdq-kernel.js'
import type { Pixels } from './pixels.js'
import { separableBits } from './separable.js'
import { isForm, isSimple } from './simple.js'
import { gridOf, sampleTilted } from './tilt.js'
import { type Purpose, queryOrientations, type View, type ViewKind, viewsOf } from './views.js'

export interface ImageSignal {
  /** `pdq` as the reference implementation gives it; `pdq-area` from 64 × 64 means of areas, which sizes hardly change. */
  readonly type: 'pdq' | 'pdq-area'
  readonly view: ViewKind
  /** 0…100, PDQ's measure of structure. */
  readonly quality: number
  /** As the picture is; or as it is and mirrored; or all eight of `transforms`. */
  readonly hashes: readonly Hash256[]
}

export interface ImageSignals {
  /** Of the whole picture. */
  readonly quality: number
  /** The whole picture's `pdq` first. */
  readonly signals: readonly ImageSignal[]
  /** For blockhash; see `KernelResult`. */
  readonly blockTotals: readonly number[] | undefined
  /** Is it a sign in a few flat colours, so that it must not be registered? Only looked for when it is to be. */
  readonly isSimple: boolean
  /** Is it flat and of few colours, as forms are? Only looked for when it is asked about. */
  readonly isForm: boolean
}

export interface ImageHasher {
  /**
   * @param aspect width over height of the picture as it is shown, where the pixels were reduced unevenly.
   * @throws {RangeError} when the sizes are out of range or do not fit the data.
   */
  hash(pixels: Pixels, purpose: Purpose, aspect?: number): ImageSignals
}

export async function loadImageHasher(): Promise<ImageHasher> {
  return hasherWith(await loadPdqKernel(), await loadFrameKernel())
}

export function loadImageHasherSync(): ImageHasher {
  return hasherWith(loadPdqKernelSync(), loadFrameKernelSync())
}

/** Rows of `pdq-area` that one picture may bring. */
export const MAX_AREA_SIGNALS = 29

/** A side under this has too few pixels for parts. */
const MIN_SIDE_PX = 32

/** Registered hashes nearer than this to an earlier one find nothing that the earlier one does not. */
const NEAR_DUPLICATE_BITS = 10

/**
 * What a part has to hold to be hashed: PDQ's measure, and the size of its median coefficient in levels of brightness. The first
 * lets plain parts pass, and their hashes describe shading, which any two of them share: of 10 false pairs within 50 bits in 13.8
 * million, the second leaves one, for 0.2 of 94 points of recall.
 */
const MIN_QUALITY = 50
/** Of both a whole picture that is asked about needs so much: a copy may be paler or darker than what was registered, which has all of it. */
const COPY_SHARE = 0.5
/** Beyond this a hash shows a bar, a box or an edge rather than a picture: what apps and memes draw is of this kind. */
export const MAX_SEPARABLE_BITS = 204
const MIN_MEDIAN_COEFFICIENT: Readonly<Record<ViewKind, number>> = {
  whole: 10,
  deframed: 10,
  crop: 10,
  piece: 16,
  tilted: 10,
}

function hasherWith(kernel: PdqKernel, frames: FrameKernel): ImageHasher {
  return {
    hash(pixels, purpose, aspect = pixels.width / pixels.height) {
      const { quality, dihedrals, blockTotals } = kernel.hash(pixels)
      const whole: ImageSignal = { type: 'pdq', view: 'whole', quality, hashes: dihedrals }
      if (Math.min(pixels.width, pixels.height) < MIN_SIDE_PX) {
        return { quality, signals: [whole], blockTotals, isSimple: false, isForm: false }
      }
      return frames.measure(pixels, (raster) => {
        const parts = partsOf(kernel, raster, aspect, purpose)
        const isSign = purpose === 'register' && isSimple(raster)
        const isFlat = purpose === 'query' && isForm(raster)
        return { quality, signals: [whole, ...parts], blockTotals, isSimple: isSign, isForm: isFlat }
      })
    },
  }
}

function partsOf(kernel: PdqKernel, raster: MeasuredRaster, aspect: number, purpose: Purpose): ImageSignal[] {
  const sampler = samplerOf(raster, aspect)
  const signals: ImageSignal[] = []
  const isNew = (found: Hash256) =>
    !signals.some(({ hashes: [hash] }) => hash !== undefined && distance(hash, found) < NEAR_DUPLICATE_BITS)
  try {
    for (const view of viewsOf(raster, aspect, purpose)) {
      if (signals.length === MAX_AREA_SIGNALS) break
      const result = kernel.hashSamples(sampler.take(view))
      if (!isTelling(view.kind, purpose, result) || (purpose === 'register' && !isNew(result.hash))) continue
      const hashes = purpose === 'register' ? [result.hash] : queryOrientations(view, result.dihedrals)
      signals.push({ type: 'pdq-area', view: view.kind, quality: result.quality, hashes })
    }
    return signals
  } finally {
    sampler.wipe()
  }
}

function isTelling(kind: ViewKind, purpose: Purpose, { hash, quality, medianCoefficient }: SampledResult): boolean {
  const share = kind === 'whole' && purpose === 'query' ? COPY_SHARE : 1
  if (quality < share * MIN_QUALITY || medianCoefficient < share * MIN_MEDIAN_COEFFICIENT[kind]) return false
  return separableBits(hash) <= MAX_SEPARABLE_BITS
}

function samplerOf({ areas: table }: MeasuredRaster, aspect: number) {
  const samples = new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)
  let grid: Float32Array | undefined
  return {
    take(view: View): Float32Array {
      if (view.kind === 'tilted') {
        grid ??= gridOf(table)
        sampleTilted(grid, aspect, view.part, samples)
      } else {
        sampleArea(table, view.part, samples)
      }
      return samples
    },
    wipe() {
      grid?.fill(0)
      samples.fill(0)
    },
  }
}
