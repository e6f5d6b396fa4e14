// A child hashes pictures of different people one after the other: what of the last one is still in its memory after the
// answer?

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readFrames } from '../../workers/frames.js'
import { decode } from '../../workers/media/decode.js'
import { heic } from '../helpers/heic.js'
import { scene } from '../helpers/pictures.js'
import { openWith } from '../helpers/sandbox.js'
import { until } from '../helpers/service.js'

const REAL_CHILD = fileURLToPath(new URL('../../workers/media/child.js', import.meta.url))
const NEEDLE_BYTES = 32
const READ_BYTES = 1 << 24

/** How often each of these byte strings occurs in the writable memory of a process. */
function foundIn(pid: number, needles: readonly Buffer[]): number[] {
  const found = needles.map(() => 0)
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const bytes = Buffer.alloc(READ_BYTES + NEEDLE_BYTES)
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    for (let at = Number.parseInt(from, 16); at < Number.parseInt(to, 16); at += READ_BYTES) {
      const part = bytes.subarray(0, Math.min(bytes.length, Number.parseInt(to, 16) - at))
      const read = part.subarray(0, readUpTo(memory, part, at))
      for (const [i, needle] of needles.entries()) if (read.includes(needle)) found[i] = (found[i] ?? 0) + 1
    }
  }
  bytes.fill(0)
  closeSync(memory)
  return found
}

/** Untouched pages and those of the operating system cannot be read. */
function readUpTo(memory: number, into: Buffer, at: number): number {
  try {
    return readSync(memory, into, 0, into.length, at)
  } catch {
    return 0
  }
}

/** From the middle of a file: the last few thousand bytes stay in a decoder's own buffer until it reads the next file. */
function needlesOf(file: Buffer): Buffer[] {
  return [0.1, 0.25, 0.4, 0.55, 0.7].map((part) => {
    const at = Math.floor(part * file.length)
    return Buffer.from(file.subarray(at, at + NEEDLE_BYTES))
  })
}

t.test('a child keeps nothing of a picture that it has hashed', { skip: !existsSync('/proc/self/mem') }, async (t) => {
  const sandbox = await openWith(t, { entry: [REAL_CHILD] })
  const pid = sandbox.pids[0] ?? 0
  const files = await Promise.all(
    (['jpeg', 'png', 'webp', 'bmp', 'jxl'] as const).map(async (format) => ({
      format,
      bytes: (await scene(47, { width: 1280, height: 960, format })).bytes,
    })),
  )
  for (const { format, bytes } of [...files, { format: 'heic', bytes: heic('tiles') }]) {
    const needles = needlesOf(bytes)
    if (format === 'heic') needles.push(...needlesOf((await decode(bytes)).data)) // no row of pixels either
    t.ok(
      foundIn(process.pid, needles).every((times) => times > 0),
      'the search finds a value that is present',
    )

    t.ok('image' in (await sandbox.hash(bytes, 'submission')))

    // It answers first and overwrites the picture directly afterwards.
    await until(() => foundIn(pid, needles).every((times) => times === 0))
    t.same(sandbox.pids, [pid], `${format}: by the same child`)
  }
})

t.test(
  'a child keeps nothing of a file that arrives in pieces, however long they are',
  { skip: !existsSync('/proc/self/mem') },
  async (t) => {
    const child = spawn(process.execPath, [REAL_CHILD], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    t.teardown(() => child.kill())
    const channel = child.stdio[3] as Duplex
    const messages: Buffer[] = []
    readFrames(channel, 1 << 20, (message) => messages.push(message))
    await until(() => messages.length === 1) // it is ready

    const bytes = randomBytes(70_000) // no picture, so that only reading it uses memory
    const needles = needlesOf(bytes)
    const head = Buffer.alloc(5)
    head.writeUInt32BE(bytes.length + 1)
    channel.write(head)
    for (const [from, to] of [
      [0, 60_000],
      [60_000, 63_000],
      [63_000, 70_000],
    ] as const) {
      await sleep(20)
      channel.write(Buffer.from(bytes.subarray(from, to)))
    }
    await until(() => messages.length === 2)

    await until(() => foundIn(child.pid ?? 0, needles).every((times) => times === 0))
  },
)
