// Computes all hashes of a picture: of the whole, and of the parts that find edited copies.

import { SAMPLES_A_SIDE, sampleArea } from './area-table.js'
import { fillIn } from './deframe/mask.js'
import { groundOf, isObject, isPlain } from './deframe/object.js'
import { type FrameKernel, loadFrameKernel, loadFrameKernelSync } from './frame-kernel.js'
import { distance, type Hash256 } from './hash256.js'
import type { MeasuredRaster } from './measured.js'
import type { PdqKernel, SampledResult } from './pdq-kernel.js'
import { loadPdqKernel, loadPdqKernelSync } from './pdq-kernel.js'
import type { Pixels } from './pixels.js'
import { wholeOf } from './raster.js'
import type { Rectangle } from './rectangle.js'
import { MAX_SEPARABLE_BITS, separableBits } from './separable.js'
import { isForm, isLargePictureIn, isPage, isPhotographIn, isSimple } from './simple.js'
import { gridOf, sampleTilted } from './tilt.js'
import { undoneEdits } from './video/undone-edits.js'
import {
  type Extent,
  LIKELY_PARTS,
  MAX_THIN,
  type Purpose,
  queryOrientations,
  smallViewsOf,
  type View,
  type ViewKind,
  viewsOf,
} from './views.js'

export interface ImageSignal {
  /** `pdq` as the reference implementation computes it; `pdq-area` from 64 × 64 means of areas, which hardly depend on the picture's size. */
  readonly type: 'pdq' | 'pdq-area'
  readonly view: ViewKind
  /** 0…100, PDQ's measure of structure. */
  readonly quality: number
  /** One hash; or two: of the picture and its mirror image; or eight: all orientations, in the order of `transforms`. */
  readonly hashes: readonly Hash256[]
  /** Where the part lies, in fractions of the picture's sides. Only in queries by picture, and not for `whole` and `tilted` views. */
  readonly part?: Rectangle | undefined
  /** Set in a query that is a form, for a part that is no form by itself, such as a photograph. */
  readonly isPicture?: true
}

export interface ImageSignals {
  /** PDQ quality of the whole picture, 0…100. */
  readonly quality: number
  /** The whole picture's `pdq` first. */
  readonly signals: readonly ImageSignal[]
  /** For blockhash; see `KernelResult`. */
  readonly blockTotals: readonly number[] | undefined
  /** Whether it is a sign in a few flat colours, which must not be registered. Only computed when registering. */
  readonly isSimple: boolean
  /** Whether it is flat and has few colours, as forms do. Only computed for queries, and for windows of either purpose. */
  readonly isForm: boolean
  /** Whether it shows one object on a plain ground. Only computed for queries by picture. */
  readonly isObject: boolean
}

export interface ImageHasher {
  /**
   * @param aspect width over height of the displayed picture, if its sides were reduced by different factors.
   * @param extent how much of it is hashed: all views, unless it is a further frame, a window of a file's picture or a frame of a video.
   * @throws {RangeError} when the sizes are out of range or do not fit the data.
   */
  hash(pixels: Pixels, purpose: Purpose, aspect?: number, extent?: Extent): ImageSignals
  /** The whole picture's `pdq` alone, by which frames of a video are compared. Cost: 2 ms for a million pixels. @throws as `hash`. */
  whole(pixels: Pixels): ImageSignal
  /** The signals of the picture's parts, which `hash` returns after the whole's. @throws as `hash`. */
  parts(pixels: Pixels, purpose: Purpose, aspect?: number, extent?: Extent): PartSignals
}

export type PartSignals = Pick<ImageSignals, 'signals' | 'isSimple' | 'isForm' | 'isObject'>

export async function loadImageHasher(): Promise<ImageHasher> {
  return hasherWith(await loadPdqKernel(), await loadFrameKernel())
}

export function loadImageHasherSync(): ImageHasher {
  return hasherWith(loadPdqKernelSync(), loadFrameKernelSync())
}

/** Maximum number of `pdq-area` signals of a registered picture, a frame or a window. */
export const MAX_AREA_SIGNALS = 32
/** The same for a query by picture. */
export const MAX_ASKED_AREA_SIGNALS = 75

const NO_PARTS: PartSignals = { signals: [], isSimple: false, isForm: false, isObject: false }
/** Pictures with a shorter side are hashed as a whole only. */
const MIN_SIDE_PX = 32

/** When registering, a hash nearer than this to an earlier one is dropped, because it would match nothing more. */
const NEAR_DUPLICATE_BITS = 10

/**
 * Minimum PDQ quality of a part. Plain parts can reach it, although their hashes only describe shading, which many pictures share. So the median
 * coefficient has a minimum, too. It removes 9 of 10 false pairs within 50 bits (of 13.8 million pairs), and lowers recall from 94 % by 0.2.
 */
const MIN_QUALITY = 50
/** A whole picture in a query needs only this share of both minimums, because a copy may be paler or darker than the registered picture. */
const COPY_SHARE = 0.5
/** Positions of parts are rounded to a thousandth of a side. */
const PLACES = 1000
const MIN_MEDIAN_COEFFICIENT: Readonly<Record<ViewKind, number>> = {
  whole: 10,
  deframed: 10,
  crop: 10,
  piece: 16,
  tilted: 10,
}

function hasherWith(kernel: PdqKernel, frames: FrameKernel): ImageHasher {
  function parts(
    pixels: Pixels,
    purpose: Purpose,
    aspect = pixels.width / pixels.height,
    extent: Extent = 'all',
  ): PartSignals {
    if (Math.min(pixels.width, pixels.height) < MIN_SIDE_PX) return NO_PARTS
    return frames.measure(pixels, (raster) => {
      const isSignAlone = purpose === 'register' && isSimple(raster, aspect)
      const all = viewsIn(raster, aspect, purpose, extent)
      const isFlat = isFormIn(raster, purpose, extent) && !all.some((view) => isOfPhotograph(raster, view))
      const cut = new Set(isFlat && extent === 'all' ? all.map(({ cutFrom }) => cutFrom) : [])
      const pictures = new Set([...cut].filter((part) => part !== undefined && isLargePictureIn(raster, part)))
      const isOfForm = ({ isCore, cutFrom }: View) => isFlat && isCore === true && !pictures.has(cutFrom)
      const ground = purpose === 'query' && (extent === 'all' || extent === 'frame') ? groundOf(raster) : undefined
      const isSideOfGround = ({ kind, isCore }: View) => kind === 'tilted' && isCore === true && isPlain(ground)
      const views = all.filter((view) => view.isSign !== true && !isOfForm(view) && !isSideOfGround(view))
      const options = {
        aspect,
        purpose,
        maxDeframed: isAskedOfVideo(extent) ? LIKELY_PARTS : MAX_ASKED_AREA_SIGNALS,
        maxSignals: purpose === 'query' && extent === 'all' ? MAX_ASKED_AREA_SIGNALS : MAX_AREA_SIGNALS,
        isPlaced: purpose === 'query' && extent === 'all',
        isForm: isFlat && extent === 'all',
      }
      const signals = partsOf(kernel, raster, views, options)
      return { signals, isSimple: isSignAlone, isForm: isFlat, isObject: ground !== undefined && isObject(raster, ground) }
    })
  }

  return {
    hash(pixels, purpose, aspect, extent) {
      const { quality, dihedrals, blockTotals } = kernel.hash(pixels)
      const whole = extent === 'window' ? [] : [pdqSignal(quality, dihedrals)]
      const found = parts(pixels, purpose, aspect, extent)
      return { ...found, quality, signals: [...whole, ...found.signals], blockTotals }
    },
    whole(pixels) {
      const { quality, dihedrals } = kernel.hash(pixels)
      return pdqSignal(quality, dihedrals)
    },
    parts,
  }
}

/**
 * A window or a frame of a video counts as a form only if it is a page of flat colours and text (`isPage`). If it has a picture on it, it is compared
 * like a picture, because few other windows or frames of the file show that picture.
 */
function isFormIn(raster: MeasuredRaster, purpose: Purpose, extent: Extent): boolean {
  if (extent === 'window') return isPage(raster)
  if (purpose === 'register') return false
  return extent === 'all' || extent === 'frame' ? isForm(raster) : isPage(raster)
}

/** @returns whether a view is the inside of an outline, or a likely deframed part, and shows a photograph. Then the picture around it is no form. */
function isOfPhotograph(raster: MeasuredRaster, { kind, part, unlikely, isInShape, isInside }: View): boolean {
  if (kind !== 'deframed') return false
  if (isInShape === true) return isPhotographIn(raster, part, 0)
  return (unlikely !== true || isInside === true) && isPhotographIn(raster, part)
}

function pdqSignal(quality: number, hashes: readonly Hash256[]): ImageSignal {
  return { type: 'pdq', view: 'whole', quality, hashes }
}

/** Maximum deframed views of a further frame. Each costs a query eight searches, one for each orientation. */
const MAX_DEFRAMED_OF_FRAME = 3

/**
 * The kind of a window's view. A window may show a part that many screenshots share. So it gets the kinds with stricter rules: two registered views
 * of kind `deframed` never make a strong match, and a query view of kind `crop` has to be nearer than others.
 */
const WINDOW_KIND = { register: 'deframed', query: 'crop' } as const

function viewsIn(raster: MeasuredRaster, aspect: number, purpose: Purpose, extent: Extent): View[] {
  if (extent === 'window') return [{ kind: WINDOW_KIND[purpose], part: wholeOf(raster) }]
  if (extent === 'sparse') return [{ kind: 'whole', part: wholeOf(raster) }]
  const views = viewsOf(raster, aspect, purpose)
  if (extent === 'all') return purpose === 'query' ? [...views, ...smallViewsOf(raster, aspect, views)] : views
  const of = (wanted: ViewKind) => views.filter(({ kind, isEnd }) => kind === wanted && isEnd !== true)
  const crops = of('crop')
    .filter(({ isThin = false }) => isThin)
    .slice(0, MAX_THIN.crop)
  const thin = [...of('whole'), ...of('deframed').slice(0, MAX_THIN.deframed), ...crops]
  if (extent === 'thin') return thin
  // The views of a thin frame come first of their kinds, so that a full frame can be made thin by leaving out signals.
  if (extent === 'full') return [...new Set([...thin, ...of('deframed'), ...of('crop')])]
  if (extent === 'frame') return [...of('whole'), ...of('deframed').slice(0, MAX_DEFRAMED_OF_FRAME)]
  const inside = of('deframed').filter(({ isCore }) => isCore !== true)
  const cores = of('deframed').filter(({ isCore }) => isCore)
  // Returns all deframed views, although only `LIKELY_PARTS` of them are hashed, because the first ones may be too plain.
  const likely = [...of('whole'), ...inside, ...cores]
  if (extent === 'likely') return likely
  const undone = undoneEdits(raster, aspect, { inside, cores, half: extent === 'pieces' ? 'first' : 'second' })
  return [...likely, ...(extent === 'pieces' ? of('piece') : []), ...undone]
}

function isAskedOfVideo(extent: Extent): boolean {
  return extent === 'likely' || extent === 'pieces' || extent === 'crops'
}

interface PartOptions {
  readonly aspect: number
  readonly purpose: Purpose
  /** Maximum number of deframed views. */
  readonly maxDeframed: number
  readonly maxSignals: number
  /** Whether signals get `part`. */
  readonly isPlaced: boolean
  /** Whether the picture is a form. Then signals of photographs in it get `isPicture`. */
  readonly isForm: boolean
}

function partsOf(
  kernel: PdqKernel,
  raster: MeasuredRaster,
  views: readonly View[],
  { aspect, purpose, maxDeframed, maxSignals, isPlaced, isForm }: PartOptions,
): ImageSignal[] {
  const sampler = samplerOf(raster, aspect)
  const signals: ImageSignal[] = []
  const isNew = (found: Hash256) =>
    !signals.some(({ hashes: [hash] }) => hash !== undefined && distance(hash, found) < NEAR_DUPLICATE_BITS)
  try {
    for (const view of views) {
      if (signals.length === maxSignals) break
      if (view.kind === 'deframed' && signals.filter((signal) => signal.view === 'deframed').length === maxDeframed) continue
      const result = kernel.hashSamples(sampler.take(view))
      if (!isDistinctive(view.kind, purpose, result) || (purpose === 'register' && !isNew(result.hash))) continue
      const hashes = purpose === 'register' ? [result.hash] : queryOrientations(view, result.dihedrals)
      const part = isPlaced ? placeOf(view, raster) : undefined
      const isPicture = isForm && showsPicture(raster, view)
      signals.push({
        ...{ type: 'pdq-area', view: view.kind, quality: result.quality, hashes },
        ...(part !== undefined && { part }),
        ...(isPicture && { isPicture }),
      })
    }
    return signals
  } finally {
    sampler.wipe()
  }
}

function showsPicture(raster: MeasuredRaster, { kind, part }: View): boolean {
  return kind === 'deframed' && isLargePictureIn(raster, part)
}

function placeOf({ kind, part }: View, { width, height }: MeasuredRaster): Rectangle | undefined {
  if (kind === 'whole' || kind === 'tilted') return undefined
  const share = (pixels: number, side: number) => Math.round((PLACES * pixels) / side) / PLACES
  return {
    left: share(part.left, width),
    top: share(part.top, height),
    right: share(part.right, width),
    bottom: share(part.bottom, height),
  }
}

function isDistinctive(kind: ViewKind, purpose: Purpose, { hash, quality, medianCoefficient }: SampledResult): boolean {
  const share = kind === 'whole' && purpose === 'query' ? COPY_SHARE : 1
  if (quality < share * MIN_QUALITY || medianCoefficient < share * MIN_MEDIAN_COEFFICIENT[kind]) return false
  return separableBits(hash) <= MAX_SEPARABLE_BITS
}

function samplerOf({ areas: table }: MeasuredRaster, aspect: number) {
  const samples = new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)
  let grid: Float32Array | undefined
  return {
    take(view: View): Float32Array {
      if ('angleDeg' in view.part) {
        grid ??= gridOf(table)
        sampleTilted(grid, aspect, view.part, samples)
      } else {
        sampleArea(table, view.part, samples)
        if (view.isBackground !== undefined) fillIn(samples, view.part, view.isBackground)
      }
      return samples
    },
    wipe() {
      grid?.fill(0)
      samples.fill(0)
    },
  }
}
