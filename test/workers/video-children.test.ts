// The two children that hash a video: what they can reach, what happens when one dies, and what a compromised one may say.

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { ffmpegFiles } from '../../workers/media/video/find-ffmpeg.js'
import { findSandboxCommand, NO_SANDBOX, ownFiles } from '../../workers/sandbox-command.js'
import { innermost } from '../../workers/starved.js'
import { openVideoSandbox, type VideoSandbox, type VideoSandboxOptions } from '../../workers/video-sandbox.js'
import { isAlive } from '../helpers/processes.js'
import { until } from '../helpers/service.js'
import { ffmpeg, makeClip } from '../helpers/videos.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'
const UNDECODABLE = { problem: 'video-undecodable' }
const UNAVAILABLE = { problem: 'hashing-unavailable' }
/** An answer without what the video cost. */
const told = ({ costMs: _, ...answer }: Awaited<ReturnType<VideoSandbox['hash']>>) => answer
const FACTS = { codec: 'avc', durationMs: 1000, width: 192, height: 144, rotation: 0, isFlipped: false, isLate: false }
const FRAMES = pathToFileURL(fileURLToPath(new URL('../../workers/frames.js', import.meta.url))).href
const clip = makeClip() ?? Buffer.alloc(0)

/** A reader that runs the "video" as a program, which may say anything. */
const OBEDIENT_READER = `
import { Socket } from 'node:net'
import { readFrames, writeFrame } from '${FRAMES}'
const channel = new Socket({ fd: 3, readable: true, writable: true })
channel.on('end', () => process.exit(0)).on('error', () => process.exit(0))
const say = (message) => writeFrame(channel, Buffer.from(JSON.stringify(message)))
writeFrame(channel, Buffer.from('ready'))
let isStarted = false
readFrames(channel, 1 << 30, (program) => {
  if (!isStarted) new Function('say', program.subarray(1).toString())(say)
  isStarted = true
})
`

interface Started {
  readonly which: 'reader' | 'decoder'
  readonly pid: number
}

function opened(t: Test, options: Partial<VideoSandboxOptions> = {}) {
  const started: Started[] = []
  const onStart = (which: Started['which'], pid: number) => {
    started.push({ which, pid })
    options.onStart?.(which, pid)
  }
  const sandbox = openVideoSandbox({ ffmpeg, sandboxCommand: NO_SANDBOX, ...options, onStart })
  t.teardown(async () => {
    await sandbox.close()
    if (started.some(({ pid }) => isAlive(pid))) throw new Error('a child is left')
  })
  return { sandbox, started }
}

function place(t: Test): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tabir-video-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function obedient(t: Test, options: Partial<VideoSandboxOptions> = {}) {
  const entry = join(place(t), 'reader.mjs')
  writeFileSync(entry, OBEDIENT_READER)
  const files = ffmpeg === undefined ? [] : ffmpegFiles({ binary: ffmpeg })
  const sandboxCommand = findSandboxCommand({ readable: [...ownFiles(), ...files, entry], hidden: [] })
  return opened(t, { sandboxCommand, entry: [entry], ...options })
}

const program = (...messages: readonly unknown[]) =>
  Buffer.from(messages.map((message) => `say(${JSON.stringify(message)});`).join('\n'))

/** Describes a decoder when it is asked for it, as ffmpeg does. */
const KNOWS_DECODERS = 'case "$*" in *decoder=*) echo "Decoder h264 [H.264]:"; exit 0;; esac'

/** A program in place of ffmpeg. */
function inPlaceOfFfmpeg(t: Test, ...lines: readonly string[]): string {
  const path = join(place(t), 'ffmpeg')
  writeFileSync(path, `${['#!/bin/sh', ...lines].join('\n')}\n`)
  chmodSync(path, 0o755)
  return path
}

/** A checkout may be in the temporary folder; then children can read its program there. */
function isProject(name: string): boolean {
  return import.meta.dirname.startsWith(`${join(realpathSync(tmpdir()), name)}/`)
}

t.test(
  'the video decoder can write no byte and reach nothing',
  { skip: skip || process.platform !== 'linux' },
  async (t) => {
    const { sandbox, started } = obedient(t)
    const answer = sandbox.hash(program({ facts: FACTS }), 'query')
    const decoder = () => innermost(started.find(({ which }) => which === 'decoder')?.pid ?? 0)
    await until(() => readLink(`/proc/${decoder()}/exe`).endsWith('/ffmpeg'))
    const read = (name: string) => readFileSync(`/proc/${decoder()}/${name}`, 'utf8')

    t.match(read('limits'), /^Max file size +0 +0 /m)
    t.match(read('limits'), /^Max core file size +0 +0 /m)
    t.match(read('status'), /^NoNewPrivs:\t1$/m)
    const isIsolated = readLink(`/proc/${decoder()}/ns/mnt`) !== readLink('/proc/self/ns/mnt')
    if (isIsolated) {
      t.match(read('status'), /^CapEff:\t0+$/m)
      t.notMatch(read('mountinfo'), /^(\S+ ){5}rw\b/m, 'no file system can be written')
      t.notMatch(read('net/dev'), /^ *(?!lo:)\w+:/m, 'there is no network')
      t.notOk(existsSync(`/proc/${decoder()}/root/etc/passwd`))
      const beside = readdirSync(`/proc/${decoder()}/root${realpathSync(tmpdir())}`)
      t.equal(beside.filter((name) => !isProject(name)).length, 1, 'only what the other child reads')
    } else t.comment('this system has no namespaces')
    // Its libraries are open files while it starts.
    const streams = () => readdirSync(`/proc/${decoder()}/fd`).map((fd) => readLink(`/proc/${decoder()}/fd/${fd}`))
    const isStream = (link: string) => /^(socket:|pipe:|anon_inode:|\/dev\/null|\/null)/.test(link)
    await t.resolves(
      until(() => streams().every(isStream)),
      'no file is open',
    )
    t.equal(sandbox.pids.length, 2)

    await sandbox.close()
    t.same(told(await answer), UNAVAILABLE)
  },
)

t.test('invalid messages of a compromised reader are rejected', { skip }, async (t) => {
  const { sandbox } = obedient(t)
  const hash = 'ab'.repeat(32)
  const frame = {
    atMs: 0,
    signals: [{ type: 'pdq', view: 'whole', quality: 90, hashes: Array.from({ length: 8 }, () => hash) }],
  }
  const video = { durationMs: 1000, protectedShare: 1, frames: [frame] }
  const sha256 = { type: 'sha256', view: 'whole', quality: 100, hashes: [hash] }
  const lies = {
    'a program of its own for ffmpeg': [{ facts: { ...FACTS, codec: 'avc -i file:/etc/passwd' } }],
    'a picture too large': [{ facts: { ...FACTS, width: 1_000_000 } }],
    'a filter': [{ facts: { ...FACTS, height: '144,movie=/etc/passwd' } }],
    'hashes without a decoder': [{ video }],
    'two decoders': [{ facts: FACTS }, { facts: FACTS }],
    'a refusal of the case': [{ problem: 'case-withdrawn' }],
    'the hash of another file': [{ video: { ...video, frames: [{ atMs: 0, signals: [sha256] }] } }],
    'times that do not ascend': [{ video: { ...video, frames: [frame, frame] } }],
    'no JSON object': ['what'],
  }
  for (const [what, messages] of Object.entries(lies))
    t.same(told(await sandbox.hash(program(...messages), 'submission')), UNDECODABLE, what)
})

t.test('a killed child does not make the video undecodable, and a crash does', { skip }, async (t) => {
  const killedBy = (which: Started['which'], signal: NodeJS.Signals) => {
    const pids: Partial<Record<Started['which'], number>> = {}
    const onStart = (child: Started['which'], pid: number) => {
      pids[child] = pid
      if (child === 'decoder') process.kill(pids[which] ?? 0, signal)
    }
    return opened(t, { onStart }).sandbox.hash(clip, 'query')
  }
  t.same(told(await killedBy('reader', 'SIGKILL')), UNAVAILABLE)
  t.same(told(await killedBy('decoder', 'SIGKILL')), UNAVAILABLE)
  t.same(told(await killedBy('reader', 'SIGSEGV')), UNDECODABLE)
  t.same(told(await killedBy('decoder', 'SIGSEGV')), UNDECODABLE)
})

t.test('a decoder with wrong output makes the video undecodable', { skip: process.platform === 'win32' }, async (t) => {
  const decoders = {
    'nothing at all': 'exit 0',
    'an error': 'exit 1',
    'other bytes': 'head -c 100000 /dev/urandom',
    'some bytes, then an end': 'printf "\\032\\105\\337\\243"',
  }
  const hash = (sandbox: VideoSandbox) => sandbox.hash(clip, 'query')
  if (clip.length === 0) return
  for (const [what, script] of Object.entries(decoders))
    t.same(told(await hash(opened(t, { ffmpeg: inPlaceOfFfmpeg(t, KNOWS_DECODERS, script) }).sandbox)), UNDECODABLE, what)
  const waiting = opened(t, { ffmpeg: inPlaceOfFfmpeg(t, KNOWS_DECODERS, 'exec sleep 600'), stuckMs: 1000 })
  if (process.platform === 'linux') t.same(told(await hash(waiting.sandbox)), UNDECODABLE, 'waiting for ever')
})

t.test('a closed sandbox hashes no more videos', { skip }, async (t) => {
  const { sandbox, started } = opened(t)
  const answer = sandbox.hash(clip, 'query')
  await sandbox.close()
  t.same(told(await answer), UNAVAILABLE)
  t.same(told(await sandbox.hash(clip, 'query')), UNAVAILABLE)
  t.ok(started.length <= 2)
})

t.test('a video is not refused as damaged when the programs that read it do not run', { skip }, async (t) => {
  const broken = join(place(t), 'reader.mjs')
  writeFileSync(broken, `throw new Error('the parser cannot be loaded')`)
  const ways: Readonly<Record<string, [Partial<VideoSandboxOptions>, RegExp]>> = {
    'the reader ends at its start': [{ entry: [broken] }, /^status 1: .*the parser cannot be loaded/],
    'ffmpeg ends at its start': [{ ffmpeg: inPlaceOfFfmpeg(t, 'echo "no such library" >&2; exit 1') }, /no such library/],
    'ffmpeg has no decoder for it': [
      { ffmpeg: inPlaceOfFfmpeg(t, 'case "$*" in *decoder=*) echo "Codec is not recognized"; exit 0;; esac; exit 1') },
      /ffmpeg does not decode avc here .*not recognized/,
    ],
  }
  for (const [way, [options, reason]] of Object.entries(ways)) {
    const reasons: string[] = []
    const { sandbox } = opened(t, { ...options, onFailedStart: (said) => reasons.push(said) })
    t.same(told(await sandbox.hash(clip, 'query')), UNAVAILABLE, way)
    t.same(told(await sandbox.hash(clip, 'query')), UNAVAILABLE, way)
    t.equal(reasons.length, 1, 'the operator is told once')
    t.match(reasons[0], reason)
  }
  const damaged = Buffer.from(clip).fill(0xff, clip.length >> 1)
  const reasons: string[] = []
  const { sandbox } = opened(t, { onFailedStart: (said) => reasons.push(said) })
  await sandbox.hash(damaged, 'query')
  t.same(reasons, [], 'a damaged video is no fault of the programs')
})

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
