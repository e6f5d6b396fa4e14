// Damages HEIC files and has a decoding child read them, for a while: each is hashed or refused, no child dies, and none costs too much.
//
//   npm run fuzz:heic -- --seconds 300 --seed 1 [--folder FOLDER]
//
// FOLDER: more HEIC files than those of test/data. Prints the seed of each find: `--seed N --seconds 0` tries that one alone. Exits with 1 after a find.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatOf } from '../dist/src/domain/media/media-formats.js'
import { isTooCostly, pictureCost } from '../dist/src/handoff/picture-cost.js'
import { chanceFrom, mutatedBytes } from '../dist/test/fuzz/chance.js'
import { openSandbox } from '../dist/workers/sandbox.js'
import { NO_SANDBOX } from '../dist/workers/sandbox-command.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    folder: { type: 'string' },
  },
})
const MAX_CPU_S = 1.5
const MAX_MB = 500
const EXPECTED = ['image-undecodable', 'media-unsupported', 'image-too-many-pixels']
const EDGES = [0, 1, 2, 255, 256, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
const CHILD = join(import.meta.dirname, '../dist/workers/media/child.js')
const folders = [join(import.meta.dirname, '../test/data/heic'), ...(values.folder === undefined ? [] : [values.folder])]
const files = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.heic'))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) })),
)

const sandbox = openSandbox({ children: 1, memoryMb: 1536, timeLimitMs: 20_000, entry: [CHILD], sandboxCommand: NO_SANDBOX })
await sandbox.ready
for (const { bytes } of files) await sandbox.hash(Buffer.from(bytes), 'query') // so that no seed pays for compiling
const counts = new Map()
const worst = { cpuS: { seed: 0, is: 0 }, mb: { seed: 0, is: 0 } }
let finds = 0
let seed = Number(values.seed)
const untilMs = performance.now() + 1000 * Number(values.seconds)
do await tried(seed++)
while (performance.now() < untilMs)
await sandbox.close()
console.log(JSON.stringify({ seeds: seed - Number(values.seed), answers: Object.fromEntries(counts), worst, finds }))
process.exitCode = finds === 0 ? 0 : 1

async function tried(seed) {
  const chance = chanceFrom(seed)
  const { name, bytes } = chance.oneOf(files)
  const file = mutated(chance, bytes)
  const isRefused = formatOf(file) === 'heif' && isTooCostly(pictureCost(file), file.length)
  const [pid] = sandbox.pids
  writeFileSync(`/proc/${pid}/clear_refs`, '5') // its highest memory counts from now
  const beforeS = cpuS(pid)
  const answer = await sandbox.hash(Buffer.from(file), chance.happens(0.5) ? 'query' : 'submission')
  const code = 'problem' in answer ? answer.problem : 'hashed'
  counts.set(code, (counts.get(code) ?? 0) + 1)
  const isAlive = sandbox.pids.includes(pid)
  const cost = isAlive ? { cpuS: cpuS(pid) - beforeS, mb: peakMb(pid) } : { cpuS: Number.POSITIVE_INFINITY, mb: 0 }
  for (const [what, is] of Object.entries(cost)) if (is > worst[what].is) worst[what] = { seed, is }
  const isExpected = code === 'hashed' || EXPECTED.includes(code)
  if (isAlive && isExpected && (isRefused || (cost.cpuS <= MAX_CPU_S && cost.mb <= MAX_MB))) return
  finds++
  console.log(
    `seed ${seed} ${name}: ${code}, ${isAlive ? `${cost.cpuS.toFixed(2)} s, ${cost.mb.toFixed(0)} MB` : 'the child died'}`,
  )
}

/** Most that a file says of itself is in its first boxes; the rest is the data of pictures. */
function mutated(chance, bytes) {
  const headBytes = Math.min(bytes.length, 1500)
  if (chance.happens(0.6))
    return Buffer.concat([mutatedBytes(chance, bytes.subarray(0, headBytes)), bytes.subarray(headBytes)])
  if (chance.happens(0.5))
    return Buffer.concat([bytes.subarray(0, headBytes), mutatedBytes(chance, bytes.subarray(headBytes))])
  const copy = Buffer.from(bytes)
  for (let i = 1 + chance.below(8); i > 0; i--) copy.writeUInt32BE(chance.oneOf(EDGES), chance.below(headBytes))
  return copy
}

function cpuS(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function peakMb(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
}
