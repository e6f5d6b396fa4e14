// Videos of many kinds through both sandboxed children: the hashes equal those of the frames.

import { createHash } from 'node:crypto'
import t from 'tap'
import type { View } from '../../packages/core/src/matching/signal.js'
import { formatHash, type Hash256 } from '../../packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { createVideoHasher } from '../../packages/hash/src/video-frames.js'
import type { Purpose } from '../../packages/hash/src/views.js'
import { ffmpegFiles } from '../../workers/media/video/find-ffmpeg.js'
import { findSandboxCommand, ownFiles } from '../../workers/sandbox-command.js'
import { openVideoSandbox, type VideoAnswer } from '../../workers/video-sandbox.js'
import { FAST_SOURCE, ffmpeg, framesOf, H264, makeClip, remuxed, startingLate } from '../helpers/videos.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'
const sandboxCommand = findSandboxCommand({
  readable: [...ownFiles(), ...(ffmpeg === undefined ? [] : ffmpegFiles({ binary: ffmpeg }))],
  hidden: [],
})
const sandbox = openVideoSandbox({ ffmpeg, sandboxCommand })
t.teardown(() => sandbox.close())
const base = makeClip()
const SIZE = { width: 192, height: 144 }

interface Sample {
  readonly name: string
  readonly clip: () => Buffer | undefined
  readonly size?: { readonly width: number; readonly height: number }
}

const HEVC = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:pools=1', '-tag:v', 'hvc1']
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '500k']
const AV1 = ['-c:v', 'libsvtav1', '-preset', '12']
/** One frame, a gap of half a second, then more frames. */
const UNEVEN = ['-vf', "select='not(between(t,0.05,0.55))'", '-fps_mode', 'vfr', ...H264]
const copied = (name: string, options?: Parameters<typeof remuxed>[2]) => () =>
  base === undefined ? undefined : remuxed(base, name, options)

const SAMPLES: Readonly<Record<string, Sample>> = {
  'MP4 with its index at the end': { name: 'a.mp4', clip: () => base },
  'MP4 in fragments': { name: 'a.mp4', clip: copied('a.mp4', { output: ['-movflags', 'frag_keyframe+empty_moov'] }) },
  'MOV on its side': {
    name: 'a.mov',
    clip: copied('a.mov', { input: ['-display_rotation', '90'] }),
    size: { width: SIZE.height, height: SIZE.width },
  },
  'frames at uneven times': { name: 'a.mp4', clip: () => makeClip({ output: UNEVEN }) },
  Matroska: { name: 'a.mkv', clip: copied('a.mkv') },
  'WebM, VP8': { name: 'a.webm', clip: () => makeClip({ name: 'a.webm', output: VP8 }) },
  HEVC: { name: 'a.mp4', clip: () => makeClip({ output: HEVC }) },
  AV1: { name: 'a.mp4', clip: () => makeClip({ output: AV1 }) },
  'a film that moves fast': { name: 'a.mp4', clip: () => makeClip({ source: FAST_SOURCE }) },
}

t.test('the hashes of a video are those of its frames', { skip }, async (t) => {
  for (const [what, { name, clip, size = SIZE }] of Object.entries(SAMPLES)) {
    const file = clip()
    if (file === undefined) t.comment(`${what}: no encoder`)
    else t.same(read(await sandbox.hash(Buffer.from(file), 'submission')), expected(file, name, size), what)
  }
  t.same(sandbox.pids, [], 'no child is left')
})

t.test('only registrations look at frames between two that differ much', { skip }, async (t) => {
  const fast = makeClip({ source: FAST_SOURCE }) ?? Buffer.alloc(0)
  const isBetween = (text: string) => Number.parseInt(text, 10) % 250 !== 0
  const registered = expected(fast, 'a.mp4', SIZE)
  t.ok(registered.some(isBetween))
  const asked = read(await sandbox.hash(Buffer.from(fast), 'query'))
  t.same(asked, expected(fast, 'a.mp4', SIZE, 'query'))
  t.notOk([asked].flat().some(isBetween))
})

t.test('the first picture counts from the beginning, also where it begins after the sound', { skip }, async (t) => {
  const short = makeClip({ source: `testsrc2=s=${SIZE.width}x${SIZE.height}:r=30:d=0.066` }) ?? Buffer.alloc(0)
  const [first = ''] = expected(short, 'a.mp4', SIZE)
  for (const purpose of ['submission', 'vpdq'] as const) {
    const answer = await sandbox.hash(startingLate(short, 0.02) ?? Buffer.alloc(0), purpose)
    t.match(answer, { video: { protectedShare: 1, frames: [{ atMs: 0 }] } }, purpose)
    if (purpose === 'submission') t.same(read(answer), [first])
  }
  const later = await sandbox.hash(startingLate(base ?? Buffer.alloc(0), 0.6) ?? Buffer.alloc(0), 'submission')
  t.match(later, { video: { durationMs: 1600, protectedShare: 1 } })
  t.equal([read(later)].flat()[0], expected(base ?? Buffer.alloc(0), 'a.mp4', SIZE)[0])
})

t.test('a video query has hashes of all orientations', { skip }, async (t) => {
  const answer = await sandbox.hash([base ?? Buffer.alloc(0)], 'query')
  t.match(answer, { video: { durationMs: 1000, protectedShare: 1 } })
  t.ok((answer.costMs ?? 0) > 0, 'its sender can be charged')
  const [first] = 'video' in answer ? answer.video.frames : []
  t.match(first, { atMs: 0, signals: [{ type: 'pdq', view: 'whole' }] })
  t.ok(first?.signals.every(({ hashes }) => hashes.length >= 2))
})

t.test('without ffmpeg videos are refused, and nothing is started', async (t) => {
  const none = openVideoSandbox({ ffmpeg: undefined, sandboxCommand })
  t.same(await none.hash(Buffer.alloc(1), 'query'), { problem: 'video-unavailable' })
  const gone = openVideoSandbox({ ffmpeg: '/nowhere/ffmpeg', sandboxCommand })
  if (base !== undefined) t.match(await gone.hash(base, 'query'), { problem: 'video-unavailable' })
})

interface Hashed {
  readonly atMs: number
  readonly signals: readonly { readonly view: View; readonly hashes: readonly Hash256[] }[]
}

function read(answer: VideoAnswer) {
  return 'problem' in answer ? answer.problem : answer.video.frames.map(written)
}

function expected(
  file: Buffer,
  name: string,
  { width, height }: { width: number; height: number },
  purpose: Purpose = 'register',
) {
  const hasher = createVideoHasher(loadImageHasherSync(), purpose)
  const size = { width, height, channels: 1 } as const
  const all = framesOf(file, name, width, height, 8)
  for (const [index, data] of framesOf(file, name, width, height).entries()) {
    hasher.add(250 * index, { data, ...size })
    const between = all[2 * index - 1]
    if (between !== undefined) hasher.addBetween({ data: between, ...size })
  }
  return hasher.result(1000).frames.map(written)
}

/** A digest is enough, and keeps a failure readable. */
function written({ atMs, signals }: Hashed) {
  const text = signals.map(({ view, hashes }) => `${view} ${hashes.map(formatHash).join(' ')}`).join('\n')
  return `${atMs} ${signals.length} ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
