// Damages video files: each must be hashed or refused with a known problem, in bounded time. A thread reads thousands of containers. One in sixteen of the
// readable ones also goes through both sandboxed children. One in sixteen files is a sound film in place of a damaged one (video-films.mjs): its moments are
// compared with those of ffmpeg.
//
//   npm run fuzz video -- --seconds 300 --seed 1 [--folder FOLDER] [--films]    --films: no damaged files
//
// The clips are made with ffmpeg; FOLDER has more of them, each under 1 MB. Prints the seed of each finding: `--seed N --seconds 0` repeats it alone,
// through the children too. Exits with 1 after a finding.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { chanceFrom, mutatedBytes } from '../dist/test/fuzz/chance.js'
import { H264, makeClip, remuxed } from '../dist/test/helpers/videos.js'
import { ffmpegFiles, findFfmpeg } from '../dist/workers/media/video/find-ffmpeg.js'
import { VIDEO_PROBLEMS } from '../dist/workers/media/video/video-answer.js'
import { processorTimeMs } from '../dist/workers/processor-time.js'
import { findSandboxCommand, ownFiles } from '../dist/workers/sandbox-command.js'
import { innermost } from '../dist/workers/starved.js'
import { openVideoSandbox } from '../dist/workers/video-sandbox.js'
import { makeFilm, oddityOf } from './video-films.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    folder: { type: 'string' },
    films: { type: 'boolean', default: false },
  },
})
const isOne = Number(values.seconds) === 0
/** Processor time of reading a container, and of both children. */
const MAX_READ_MS = 5_000
const MAX_CHILDREN_MS = 20_000
/** A thread that does not answer for this long is taken to be in a loop. */
const HANGS_MS = 20_000
const MAX_CLIP_BYTES = 1 << 20
const EXPECTED = VIDEO_PROBLEMS.filter((code) => code !== 'hashing-unavailable')
const EDGES = [0, 1, 2, 255, 256, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

/** Reads containers as the child does, without decoding. */
const READER = `
import { parentPort } from 'node:worker_threads'
import { openVideo } from '${new URL('../dist/workers/media/video/demux.js', import.meta.url).href}'
parentPort.on('message', async (file) => {
  const cpu = process.cpuUsage()
  let said
  try {
    let count = 0
    for await (const _ of (await openVideo(file)).packets()) count++
    said = 'read'
  } catch (error) {
    said = error.code ?? String(error)
  }
  const { user, system } = process.cpuUsage(cpu)
  parentPort.postMessage({ said, cpuMs: (user + system) / 1000, mb: process.memoryUsage().rss / 1e6 })
})
`

const found = findFfmpeg({ searchPath: process.env.PATH ?? '' })
if (found === undefined) throw new Error('there is no ffmpeg')
const clips = clipsOf(values.folder)
const sandboxCommand = findSandboxCommand({ readable: [...ownFiles(), ...ffmpegFiles(found)], hidden: [] })
const pids = new Set()
const sandbox = openVideoSandbox({ ffmpeg: found.binary, sandboxCommand, onStart: (_, pid) => pids.add(pid) })
const counts = { read: {}, hashed: {}, films: {} }
const worst = { readMs: { seed: 0, is: 0 }, readMb: { seed: 0, is: 0 }, childrenMs: { seed: 0, is: 0 } }
let finds = 0
let seed = Number(values.seed)
let reader = startReader()
const untilMs = performance.now() + 1000 * Number(values.seconds)
do await tried(seed++)
while (performance.now() < untilMs)
await reader.terminate()
await sandbox.close()
console.log(JSON.stringify({ seeds: seed - Number(values.seed), ...counts, worst, finds }))
process.exitCode = finds === 0 ? 0 : 1

async function tried(seed) {
  const chance = chanceFrom(seed)
  if (values.films || chance.happens(1 / 16)) return await triedFilm(seed, chance)
  const [name, bytes] = chance.oneOf(clips)
  const file = mutated(chance, bytes)
  const { said, cpuMs, mb } = await readContainer(file)
  note('read', said)
  atWorst('readMs', seed, cpuMs)
  atWorst('readMb', seed, mb)
  if (!['read', ...EXPECTED].includes(said) || cpuMs > MAX_READ_MS)
    find(seed, name, `reading: ${said}, ${cpuMs.toFixed(0)} ms`)
  if (!isOne && (said !== 'read' || !chance.happens(1 / 16))) return
  pids.clear()
  let childrenMs = 0
  const timer = setInterval(() => {
    const usedMs = [...pids].reduce((sum, pid) => sum + (processorTimeMs(innermost(pid)) ?? 0), 0)
    childrenMs = Math.max(childrenMs, usedMs)
  }, 50)
  const answer = await sandbox.hash(file, chance.happens(0.5) ? 'query' : 'submission')
  clearInterval(timer)
  const code = 'problem' in answer ? answer.problem : 'hashed'
  note('hashed', code)
  atWorst('childrenMs', seed, childrenMs)
  if (!['hashed', ...EXPECTED].includes(code) || childrenMs > MAX_CHILDREN_MS || sandbox.pids.length > 0)
    find(seed, name, `${code}, ${childrenMs} ms`)
}

async function triedFilm(seed, chance) {
  const film = makeFilm(chance)
  if (film === undefined) return note('films', 'not made')
  const answer = await sandbox.hash(film.bytes, 'submission')
  const odd = 'problem' in answer ? answer.problem : oddityOf(film, answer.video)
  note('films', odd === undefined ? 'right' : 'odd')
  if (odd !== undefined) find(seed, JSON.stringify(film.facts), odd)
}

function find(seed, name, what) {
  finds++
  console.log(`seed ${seed} ${name}: ${what}`)
}

function note(where, said) {
  counts[where][said] = (counts[where][said] ?? 0) + 1
}

function atWorst(what, seed, is) {
  if (is > worst[what].is) worst[what] = { seed, is: Math.round(is) }
}

function startReader() {
  const made = new Worker(new URL(`data:text/javascript,${encodeURIComponent(READER)}`), { stdout: true, stderr: true })
  made.on('error', () => {}) // 'exit' follows
  return made
}

function readContainer(file) {
  return new Promise((resolve) => {
    const done = (outcome) => {
      clearTimeout(timer)
      reader.removeAllListeners('message')
      reader.removeAllListeners('exit')
      resolve(outcome)
    }
    const renew = (said) => {
      done({ said, cpuMs: 0, mb: 0 })
      reader.terminate()
      reader = startReader()
    }
    const timer = setTimeout(() => renew('hangs'), HANGS_MS)
    reader.once('message', done)
    reader.once('exit', () => renew('died'))
    reader.postMessage(file)
  })
}

/** The structure of a container is in its first and last bytes; the rest is pixel data. */
function mutated(chance, bytes) {
  const ends = chance.oneOf([200, 2000, bytes.length])
  if (chance.happens(0.4)) {
    const [head, body, tail] = [
      bytes.subarray(0, ends),
      bytes.subarray(ends, -ends),
      bytes.subarray(Math.max(ends, bytes.length - ends)),
    ]
    return chance.happens(0.5)
      ? Buffer.concat([mutatedBytes(chance, head), body, tail])
      : Buffer.concat([head, body, mutatedBytes(chance, tail)])
  }
  const copy = Buffer.from(bytes)
  for (let i = 1 + chance.below(8); i > 0; i--) {
    const near = chance.below(Math.min(ends, bytes.length - 4))
    copy.writeUInt32BE(chance.oneOf(EDGES), chance.happens(0.5) ? near : bytes.length - 4 - near)
  }
  return chance.happens(0.1) ? copy.subarray(0, chance.below(copy.length)) : copy
}

function clipsOf(folder) {
  const mp4 = makeClip()
  const made = {
    'a.mp4': mp4,
    'fast.mp4': makeClip({ output: [...H264, '-movflags', '+faststart'] }),
    'fragments.mp4': remuxed(mp4, 'a.mp4', { output: ['-movflags', 'frag_keyframe+empty_moov'] }),
    'a.mov': remuxed(mp4, 'a.mov', { input: ['-display_rotation', '90'] }),
    'a.mkv': remuxed(mp4, 'a.mkv'),
    'vp8.webm': makeClip({ name: 'a.webm', output: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'] }),
    'vp9.webm': makeClip({ name: 'a.webm', output: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'] }),
    'av1.mp4': makeClip({ output: ['-c:v', 'libsvtav1', '-preset', '12'] }),
    'hevc.mp4': makeClip({ output: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'] }),
  }
  const more =
    folder === undefined
      ? []
      : readdirSync(folder)
          .filter((name) => statSync(join(folder, name)).size <= MAX_CLIP_BYTES)
          .sort()
          .map((name) => [name, readFileSync(join(folder, name))])
  return [...Object.entries(made).filter(([, clip]) => clip !== undefined), ...more]
}
