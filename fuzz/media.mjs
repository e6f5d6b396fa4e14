// Damages picture files and has a decoding child read them: each must be hashed or refused, no child may die, and none may cost too much.
//
//   npm run fuzz media -- --seconds 300 --seed 1 [--format FORMAT]… [--folder FOLDER]
//
// FORMAT: as in `FILES`; all by default. FOLDER: more files of these formats. Prints the seed of each finding: `--seed N --seconds 0`, with the same formats
// and folder, repeats it alone. Exits with 1 after a finding.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fileFormatOf } from '../dist/src/domain/media/heif/heif-pixels.js'
import { chanceFrom, mutatedBytes } from '../dist/test/fuzz/chance.js'
import { apngOf, avifSequenceOf, framePicture, gifOf, webpOf } from '../dist/test/helpers/animations.js'
import { HEIC_FILES, heic } from '../dist/test/helpers/heic.js'
import { animatedJxl, jxlOf } from '../dist/test/helpers/jxl-files.js'
import { miniOf } from '../dist/test/helpers/mini-files.js'
import { fromPixels, scenePixels } from '../dist/test/helpers/pictures.js'
import { openSandbox } from '../dist/workers/sandbox.js'
import { NO_SANDBOX } from '../dist/workers/sandbox-command.js'

const PIXELS = scenePixels(1, { width: 1000, height: 750 })
const SMALL = { width: 320, height: 240 }
const FRAMES = Array.from({ length: 12 }, (_, seed) => ({ picture: framePicture(seed, SMALL), delayMs: 50 + 10 * seed }))
const encoded = (format, ...options) => options.map((each) => fromPixels(PIXELS)[format](each).toBuffer())
const MINI = { orientation: 5, gainMap: Buffer.alloc(99, 7), exif: Buffer.alloc(99, 1) }
/** The files that are damaged. */
const FILES = {
  heif: () => [...HEIC_FILES.map(heic), miniOf(heic('alpha'))],
  avif: async () => {
    const stills = await Promise.all(encoded('avif', { effort: 0 }, { effort: 0, chromaSubsampling: '4:2:0' }))
    return [...stills, avifSequenceOf(SMALL, FRAMES), ...stills.map((still) => miniOf(still, MINI))]
  },
  webp: () => [...encoded('webp', { effort: 0 }, { effort: 0, lossless: true }), webpOf(SMALL, FRAMES)],
  tiff: () => encoded('tiff', ...['lzw', 'jpeg', 'deflate', 'none'].map((compression) => ({ compression })), { tile: true }),
  png: () => [...encoded('png', {}, { progressive: true }, { palette: true }), apngOf(SMALL, FRAMES)],
  gif: () => [...encoded('gif', { effort: 1 }), gifOf(SMALL, FRAMES)],
  jpeg: () => encoded('jpeg', {}, { progressive: true }, { progressive: true, chromaSubsampling: '4:4:4' }),
  jxl: async () => {
    const stills = await Promise.all(FRAMES.map(({ picture }) => jxlOf(picture)))
    const kinds = [{ effort: 3 }, { effort: 1, progressive: true }, { effort: 1, lossless: true }]
    return [
      ...kinds.map((kind) => jxlOf(PIXELS, kind)),
      animatedJxl(
        stills,
        FRAMES.map(({ delayMs }) => delayMs),
      ),
    ]
  },
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    format: { type: 'string', multiple: true, default: Object.keys(FILES) },
    folder: { type: 'string' },
  },
})
const MAX_CPU_S = 1.5
const MAX_MB = 500
const EXPECTED = ['image-undecodable', 'media-unsupported', 'image-too-many-pixels']
const EDGES = [0, 1, 2, 255, 256, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
const CHILD = join(import.meta.dirname, '../dist/workers/media/child.js')
const found = values.folder === undefined ? [] : readdirSync(values.folder).sort()
const files = (
  await Promise.all(values.format.map(async (format) => ({ format, made: await Promise.all(await FILES[format]()) })))
).flatMap(({ format, made }) => made.map((bytes, k) => ({ format, name: `${format} ${k}`, bytes })))
for (const name of found) {
  const bytes = readFileSync(join(values.folder, name))
  const format = fileFormatOf(bytes)
  if (format !== undefined && values.format.includes(format)) files.push({ format, name, bytes })
}

const sandbox = openSandbox({ children: 1, memoryMb: 1536, timeLimitMs: 20_000, entry: [CHILD], sandboxCommand: NO_SANDBOX })
await sandbox.ready
for (const { bytes } of files) await sandbox.hash(Buffer.from(bytes), 'query') // compiles the decoders before times are measured
const results = Object.fromEntries(
  values.format.map((format) => [format, { seeds: 0, hashed: 0, cpuS: { seed: 0, is: 0 }, mb: { seed: 0, is: 0 } }]),
)
let finds = 0
let seed = Number(values.seed)
const untilMs = performance.now() + 1000 * Number(values.seconds)
do await tried(seed++)
while (performance.now() < untilMs)
await sandbox.close()
for (const [format, result] of Object.entries(results)) console.log(format, JSON.stringify(result))
console.log(JSON.stringify({ seeds: seed - Number(values.seed), finds }))
process.exitCode = finds === 0 ? 0 : 1

async function tried(seed) {
  const chance = chanceFrom(seed)
  const { format, name, bytes } = chance.oneOf(files)
  const file = mutated(chance, bytes)
  const [pid] = sandbox.pids
  writeFileSync(`/proc/${pid}/clear_refs`, '5') // resets its peak memory
  const beforeS = cpuS(pid)
  const answer = await sandbox.hash(Buffer.from(file), chance.happens(0.5) ? 'query' : 'submission')
  const code = 'problem' in answer ? answer.problem : 'hashed'
  const result = results[format]
  result.seeds++
  if (code === 'hashed') result.hashed++
  const isAlive = sandbox.pids.includes(pid)
  const cost = isAlive ? { cpuS: cpuS(pid) - beforeS, mb: peakMb(pid) } : { cpuS: Number.POSITIVE_INFINITY, mb: 0 }
  for (const [what, is] of Object.entries(cost)) if (is > result[what].is) result[what] = { seed, is }
  const isExpected = code === 'hashed' || EXPECTED.includes(code)
  if (isAlive && isExpected && cost.cpuS <= MAX_CPU_S && cost.mb <= MAX_MB) return
  finds++
  console.log(
    `seed ${seed} ${name}: ${code}, ${isAlive ? `${cost.cpuS.toFixed(2)} s, ${cost.mb.toFixed(0)} MB` : 'the child died'}`,
  )
}

/** Most structure of a file is in its first boxes; the rest is pixel data. */
function mutated(chance, bytes) {
  const headBytes = Math.min(bytes.length, 1500)
  if (chance.happens(0.6))
    return Buffer.concat([mutatedBytes(chance, bytes.subarray(0, headBytes)), bytes.subarray(headBytes)])
  if (chance.happens(0.5))
    return Buffer.concat([bytes.subarray(0, headBytes), mutatedBytes(chance, bytes.subarray(headBytes))])
  const copy = Buffer.from(bytes)
  const write = chance.happens(0.5) ? 'writeUInt32BE' : 'writeUInt32LE'
  for (let i = 1 + chance.below(8); i > 0; i--) copy[write](chance.oneOf(EDGES), chance.below(headBytes - 4))
  return copy
}

function cpuS(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function peakMb(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}
