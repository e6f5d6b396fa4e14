// View sets of many pictures: crops of photographs, as they are and in the seven other orientations. Cached in a folder for later runs.

import { createHash } from 'node:crypto'
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { VIEWS } from '../../dist/packages/core/src/matching/signal.js'
import { SIGNAL_TYPES } from '../../dist/packages/core/src/matching/signal-types.js'
import { SAMPLES_A_SIDE, sampleArea } from '../../dist/packages/hash/src/area-table.js'
import { blockhashOf } from '../../dist/packages/hash/src/blockhash.js'
import { blockhashDihedralsOf } from '../../dist/packages/hash/src/dihedral.js'
import { loadFrameKernelSync } from '../../dist/packages/hash/src/frame-kernel.js'
import { distance, HASH_BYTES } from '../../dist/packages/hash/src/hash256.js'
import { loadImageHasherSync, MAX_AREA_SIGNALS } from '../../dist/packages/hash/src/image-hasher.js'
import { loadPdqKernelSync } from '../../dist/packages/hash/src/pdq-kernel.js'
import { MAX_SEPARABLE_BITS, separableBits } from '../../dist/packages/hash/src/separable.js'
import { gridOf, sampleTilted } from '../../dist/packages/hash/src/tilt.js'
import { viewsOf } from '../../dist/packages/hash/src/views.js'
import { progress } from '../report.mjs'
import { sfc32 } from '../search/random.mjs'

/** A row in a file: the codes of its type and view, then its hash. The first row of a picture is its `pdq`. */
export const ROW_BYTES = 2 + HASH_BYTES
export const TURNS = 8

const SEED = 20_261_129
/** Photographs are reduced to these longer sides beforehand, so that a crop is only copied. */
const SIDES_PX = [240, 320, 400]
/** Sides of a crop, as shares of the photograph's; and at least so many pixels. */
const SHARES = { least: 0.35, most: 0.75 }
const MIN_CROP_PX = 72
/** One crop in so many is hashed by the service's own hasher too, and has to be the same. */
const CHECKED_OF = 400
const CROPS_AT_ONCE = 100

// What the service's hasher demands of a view when registering (packages/hash/src/image-hasher.ts). The check finds out if it changes.
const MIN_QUALITY = 50
const MIN_MEDIAN = { whole: 10, deframed: 10, crop: 10, piece: 16, tilted: 10 }
const NEAR_DUPLICATE_BITS = 10

const kernel = loadPdqKernelSync()
const frames = loadFrameKernelSync()
const hasher = loadImageHasherSync()

/**
 * Makes what is missing of `rows` rows in each orientation.
 * @param photos as `photosOf` gives them. Another choice of photographs needs another folder.
 * @returns for each orientation the path of its file, and how many rows that has.
 */
export async function viewSets(photos, folder, rows) {
  mkdirSync(folder, { recursive: true })
  const paths = Array.from({ length: TURNS }, (_, turn) => join(folder, `views-${turn}.bin`))
  const listPath = join(folder, 'made.json')
  const names = createHash('sha256')
    .update(photos.map(({ name }) => name).join())
    .digest('hex')
  const made = existsSync(listPath) ? JSON.parse(readFileSync(listPath, 'utf8')) : { names, crops: 0, pictures: 0, rows: 0 }
  if (made.names !== names) throw new Error(`${folder} has view sets of other photographs`)
  if (made.rows >= rows) return { paths, ...made }
  const scaled = await Promise.all(photos.map(({ read }) => reduced(read())))
  const files = paths.map((path) => openSync(path, existsSync(path) ? 'r+' : 'w+'))
  for (const file of files) ftruncateSync(file, made.rows * ROW_BYTES) // what a run left that was stopped
  const draw = progress('making view sets', rows)
  while (made.rows < rows) {
    const parts = files.map(() => [])
    const [at, end] = [made.rows * ROW_BYTES, made.crops + CROPS_AT_ONCE]
    for (; made.crops < end; made.crops++) {
      const set = viewSet(cropOf(scaled, made.crops), made.crops % CHECKED_OF === 0)
      if (set === undefined) continue
      made.pictures++
      made.rows += set.length
      for (const [turn, part] of parts.entries()) for (const { codes, hashes } of set) part.push(codes, hashes[turn])
    }
    for (const [turn, file] of files.entries()) {
      const bytes = Buffer.concat(parts[turn])
      writeSync(file, bytes, 0, bytes.length, at)
    }
    writeFileSync(listPath, JSON.stringify(made))
    draw(made.rows)
  }
  for (const file of files) closeSync(file)
  return { paths, ...made }
}

function reduced(bytes) {
  return Promise.all(
    SIDES_PX.map(async (side) => {
      const image = sharp(bytes).removeAlpha().toColourspace('srgb').resize(side, side, { fit: 'inside' })
      const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
      return { data, width: info.width, height: info.height }
    }),
  )
}

/** The same for the same number, whatever was made before. */
function cropOf(scaled, number) {
  const next = sfc32(SEED, number)
  const random = () => (next() >>> 0) / 2 ** 32
  const sizes = scaled[number % scaled.length]
  const { data, width, height } = sizes[Math.floor(random() * sizes.length)]
  const part = (side) =>
    Math.min(side, Math.max(MIN_CROP_PX, Math.round(side * (SHARES.least + random() * (SHARES.most - SHARES.least)))))
  const [across, down] = [part(width), part(height)]
  const [left, top] = [Math.floor(random() * (width - across)), Math.floor(random() * (height - down))]
  const crop = new Uint8Array(across * down * 3)
  for (let y = 0; y < down; y++) {
    const from = ((top + y) * width + left) * 3
    crop.set(data.subarray(from, from + across * 3), y * across * 3)
  }
  return { data: crop, width: across, height: down, channels: 3 }
}

/** @returns the rows of a picture, each with its hash in all orientations; `undefined` for one that the service refuses as too plain. */
function viewSet(pixels, isChecked) {
  const { quality, dihedrals, blockTotals } = kernel.hash(pixels)
  if (quality < SIGNAL_TYPES.pdq.minQuality) return undefined
  const areas = frames.measure(pixels, (raster) => areaRows(raster, pixels.width / pixels.height))
  if (isChecked) check(pixels, areas)
  const block = blockTotals && blockhashDihedralsOf(blockhashOf(blockTotals, pixels))
  return [
    row('pdq', 'whole', dihedrals),
    ...areas.map(({ view, hashes }) => row('pdq-area', view, hashes)),
    ...(block === undefined ? [] : [row('blockhash', 'whole', block)]),
  ]
}

function row(type, view, hashes) {
  return { codes: Uint8Array.of(SIGNAL_TYPES[type].code, VIEWS[view]), hashes }
}

function areaRows(raster, aspect) {
  const samples = new Float32Array(SAMPLES_A_SIDE * SAMPLES_A_SIDE)
  const grid = gridOf(raster.areas)
  const rows = []
  for (const view of viewsOf(raster, aspect, 'register')) {
    if (rows.length === MAX_AREA_SIGNALS) break
    if (view.kind === 'tilted') sampleTilted(grid, aspect, view.part, samples)
    else sampleArea(raster.areas, view.part, samples)
    const { hash, quality, medianCoefficient, dihedrals } = kernel.hashSamples(samples)
    if (quality < MIN_QUALITY || medianCoefficient < MIN_MEDIAN[view.kind]) continue
    if (separableBits(hash) > MAX_SEPARABLE_BITS) continue
    if (rows.some(({ hashes }) => distance(hashes[0], hash) < NEAR_DUPLICATE_BITS)) continue
    rows.push({ view: view.kind, hashes: dihedrals })
  }
  return rows
}

function check(pixels, areas) {
  const { signals } = hasher.hash(pixels, 'register')
  const own = signals.filter(({ type }) => type === 'pdq-area')
  const isSame = ({ view, hashes }, i) => own[i]?.view === view && distance(own[i].hashes[0], hashes[0]) === 0
  if (own.length !== areas.length || !areas.every(isSame))
    throw new Error('view sets are no longer made as the service makes them')
}
