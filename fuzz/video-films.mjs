// Films of random frame rate, key-frame distance, codec, size, start and pause, made with ffmpeg. The moments that are registered of one are compared with
// what ffmpeg shows then: each registered frame is the picture of its moment, and the film is protected for as long as the answer says.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { distance } from '../dist/packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../dist/packages/hash/src/image-hasher.js'
import { FRAME_INTERVAL_MS } from '../dist/packages/hash/src/video-frames.js'

const RATES = ['1', '5', '10', '12', '24000/1001', '24', '25', '30000/1001', '30', '50', '60000/1001', '60']
const KEYS = [1, 6, 12, 30, 60, 250]
const SIZES = ['160x120', '120x214', '192x144', '322x182']
const STARTS_S = [0, 0, 0.04, 0.5, 3.7]
const CODECS = [
  { name: 'mp4', output: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0'] },
  { name: 'mp4', output: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '3'] },
  { name: 'mkv', output: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'] },
  { name: 'mov', output: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'] },
  { name: 'webm', output: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'] },
  { name: 'webm', output: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'] },
  { name: 'mp4', output: ['-c:v', 'libsvtav1', '-preset', '12'] },
]
/** They change all the time, at different speeds. */
const SOURCES = ['testsrc2', 'mandelbrot=end_scale=0.2:maxiter=200']
/** A copy is found within so many bits. */
const MAX_BITS = 31
/** Frames as near as this to a registered one need not be registered, and the decoder that the service uses may make other frames of them. */
const MAX_LEFT_OUT_BITS = 60
/** Hashes of flatter pictures differ from decoder to decoder. */
const MIN_QUALITY = 50
const MAX_APART = 0.1
const hasher = loadImageHasherSync()

/** @returns what makes the film, and its bytes; `undefined` when this ffmpeg lacks the encoder. */
export function makeFilm(chance) {
  const { name, output } = chance.oneOf(CODECS)
  const size = chance.oneOf(SIZES)
  const rate = chance.oneOf(RATES)
  const lengthS = 1 + chance.below(8)
  const startS = chance.oneOf(STARTS_S)
  const source = chance.oneOf(SOURCES)
  const pauseS = chance.happens(0.4) ? [1 + chance.below(lengthS), 1 + chance.below(3)] : undefined
  // Frames after the pause come later, so that the one before it is shown for that long.
  const filter = pauseS === undefined ? 'null' : `setpts='PTS+if(gte(T,${pauseS[0]}),${pauseS[1]}/TB,0)'`
  const lavfi = `${source}${source.includes('=') ? ':' : '='}size=${size}:rate=${rate}`
  const facts = {
    name,
    codec: output[1],
    size,
    rate,
    keys: chance.oneOf(KEYS),
    startS,
    pauseS,
    source: source.split('=')[0],
  }
  const options = [
    '-t',
    `${lengthS}`,
    '-vf',
    `${filter},format=yuv420p`,
    '-fps_mode',
    'vfr',
    '-g',
    `${facts.keys}`,
    ...output,
  ]
  return inFolder(`film.${name}`, (path) => {
    const offset = startS === 0 ? [] : ['-output_ts_offset', `${startS}`]
    const { status } = run('ffmpeg', ['-f', 'lavfi', '-i', lavfi, ...options, ...offset, path])
    return status === 0 ? { facts, bytes: readFileSync(path), shown: shownIn(path, size) } : undefined
  })
}

/** @returns what ffmpeg shows, with times [ms] after the first frame. */
function shownIn(path, size) {
  const probe = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'frame=best_effort_timestamp_time',
    '-of',
    'csv=p=0',
    path,
  ]
  const times = run('ffprobe', probe)
    .stdout.toString()
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number)
  const [width, height] = size.split('x').map(Number)
  const pixels = run('ffmpeg', ['-i', path, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']).stdout
  const bytes = 3 * width * height
  const [firstS = 0] = times
  return times.map((atS, i) => {
    const data = pixels.subarray(i * bytes, (i + 1) * bytes)
    const { hashes, quality } = hasher.whole({ data, width, height, channels: 3 })
    return { atMs: 1000 * (atS - firstS), hash: hashes[0], quality }
  })
}

/** @returns what is wrong with the answer; `undefined` for nothing. */
export function oddityOf({ shown }, { durationMs, frames, protectedShare }) {
  const registered = frames.flatMap(({ atMs, signals }) => {
    const [hash] = signals.find(({ type, quality }) => type === 'pdq' && quality >= MIN_QUALITY)?.hashes ?? []
    return hash === undefined ? [] : [{ atMs, hash }]
  })
  for (const { atMs, hash } of registered) {
    if (atMs >= durationMs) continue // ffmpeg leaves out a last frame that an edit list ends before; to register it does no harm
    // Two pictures are right where the moment may be rounded across the change from one to the next.
    const right = [-1.5, 0, 1.5].map((offMs) => shown.findLast((frame) => frame.atMs <= atMs + offMs) ?? shown[0])
    const bits = Math.min(...right.map((frame) => distance(frame.hash, hash)))
    if (bits > MAX_BITS) return `at ${atMs} ms is a picture ${bits} bits from that of ffmpeg`
  }
  // A last frame without a length of its own is shown for less than an interval.
  const share = shareOf(
    shown.filter(({ atMs }) => atMs < durationMs || atMs === 0),
    registered,
  )
  if (share < protectedShare - MAX_APART)
    return `${share.toFixed(2)} of its intervals have a registered picture, and the answer says ${protectedShare}`
  return undefined
}

/** @returns the share of intervals that show a picture near a registered one. */
function shareOf(shown, registered) {
  const intervals = new Map()
  for (const frame of shown) {
    if (frame.quality < MIN_QUALITY) continue
    const interval = Math.floor(frame.atMs / FRAME_INTERVAL_MS)
    intervals.set(interval, [...(intervals.get(interval) ?? []), frame])
  }
  const isFound = ({ hash }) => registered.some((other) => distance(hash, other.hash) <= MAX_LEFT_OUT_BITS)
  const found = [...intervals.values()].filter((frames) => frames.some(isFound)).length
  return intervals.size === 0 ? 1 : found / intervals.size
}

function run(program, args) {
  return spawnSync(program, program === 'ffmpeg' ? ['-v', 'error', '-y', ...args] : args, { maxBuffer: 1 << 30 })
}

function inFolder(name, use) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-film-'))
  try {
    return use(join(folder, name))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
