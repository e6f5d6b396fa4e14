// What does hashing a video cost in both children, beside ffmpeg's decoding on one thread, and how much memory does each child take?
//
//   npm run bench video-decoding [-- CLIP…]
//
// Without clips it makes some with ffmpeg: 1080p H.264, and 4K HEVC if it has an encoder. Compare shares of processor time: other programs on the machine
// hardly change them.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { ffmpegFiles, findFfmpeg } from '../dist/workers/media/video/find-ffmpeg.js'
import { processorTimeMs } from '../dist/workers/processor-time.js'
import { findSandboxCommand, ownFiles } from '../dist/workers/sandbox-command.js'
import { innermost } from '../dist/workers/starved.js'
import { openVideoSandbox } from '../dist/workers/video-sandbox.js'

const MADE = {
  '1080p30 H.264, 20 s': ['1920x1080', 30, 20, ['-c:v', 'libx264', '-preset', 'fast', '-g', '60']],
  '4K 10 fps H.264, 5 s': ['3840x2160', 10, 5, ['-c:v', 'libx264', '-preset', 'ultrafast']],
  '4K30 HEVC, 5 s': ['3840x2160', 30, 5, ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none']],
}
const WATCH_INTERVAL_MS = 20

const found = findFfmpeg({ searchPath: process.env.PATH ?? '' })
if (found === undefined) throw new Error('there is no ffmpeg: apt-get install ffmpeg')
const sandboxCommand = findSandboxCommand({ readable: [...ownFiles(), ...ffmpegFiles(found)], hidden: [] })
const folder = mkdtempSync(join(tmpdir(), 'tabir-bench-'))
const given = process.argv.slice(2)
const clips = given.length > 0 ? given.map((path) => [basename(path), path]) : Object.entries(MADE).flatMap(made)

console.log(
  '| clip | ffmpeg, CPU s | reader, CPU s | decoder, CPU s | both, times | key frames only | reader, MB | decoder, MB | frames | signals |',
)
console.log('|---|---|---|---|---|---|---|---|---|---|')
try {
  for (const [name, path] of clips) await measure(name, path)
} finally {
  rmSync(folder, { recursive: true })
}

function made([name, [size, rate, seconds, codec]], index) {
  const path = join(folder, `${index}.mp4`)
  const source = `testsrc2=s=${size}:r=${rate}:d=${seconds}`
  const { status } = spawnSync(found.binary, [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    source,
    '-vf',
    'noise=alls=6:allf=t',
    ...codec,
    path,
  ])
  return status === 0 ? [[name, path]] : []
}

async function measure(name, path) {
  const beforeS = childrenS()
  await new Promise((resolve) => {
    const args = ['-v', 'error', '-threads', '1', '-i', path, '-map', '0:v:0', '-f', 'null', '-']
    spawn(found.binary, args, { stdio: 'ignore' }).on('close', resolve)
  })
  const decodingS = childrenS() - beforeS
  const peakMb = { reader: 0, decoder: 0 }
  const usedMs = { reader: 0, decoder: 0 }
  const pids = {}
  const sandbox = openVideoSandbox({
    ffmpeg: found.binary,
    sandboxCommand,
    onStart: (which, pid) => {
      pids[which] = pid
    },
  })
  const timer = setInterval(() => {
    for (const [which, pid] of Object.entries(pids)) {
      const inner = innermost(pid)
      peakMb[which] = Math.max(peakMb[which], highestMb(inner))
      usedMs[which] = Math.max(usedMs[which], processorTimeMs(inner) ?? 0)
    }
  }, WATCH_INTERVAL_MS)
  const answer = await sandbox.hash(readFileSync(path), 'submission')
  clearInterval(timer)
  await sandbox.close()
  const workerS = (usedMs.reader + usedMs.decoder) / 1000
  const said =
    'problem' in answer
      ? [answer.problem, '']
      : [answer.video.frames.length, answer.video.frames.reduce((sum, { signals }) => sum + signals.length, 0)]
  const isKeyFramesOnly = 'video' in answer && answer.video.isKeyFramesOnly === true
  const cells = [
    ...[
      name,
      decodingS.toFixed(2),
      (usedMs.reader / 1000).toFixed(2),
      (usedMs.decoder / 1000).toFixed(2),
      (workerS / decodingS).toFixed(2),
      isKeyFramesOnly ? 'yes' : 'no',
    ],
    ...[peakMb.reader.toFixed(0), peakMb.decoder.toFixed(0), ...said],
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

/** Processor time of all children that have ended (proc(5), `stat`). */
function childrenS() {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

function highestMb(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0 // it has ended
  }
}
