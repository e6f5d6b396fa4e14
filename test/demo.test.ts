// The demo is truthful: its output, its searches, and its exit status.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { Evidence } from '../src/demo/left-behind.js'
import { progressOf } from '../src/demo/progress.js'
import { searchFolder, searchRedis } from '../src/demo/proof-of-absence.js'
import { cell, paintFor, table } from '../src/demo/terminal-table.js'
import { openRedisServer } from '../src/store/embedded/embedded-redis.js'
import { flat, textNamedJpg } from './helpers/hostile-pictures.js'
import { orientedJpeg, scene, scenePixels } from './helpers/pictures.js'

const MAIN = fileURLToPath(new URL('../src/demo/demo.js', import.meta.url))

t.test('the demo recognises copies of a folder’s pictures, keeps its withdrawal and leaves nothing behind', async (t) => {
  const pictures = [
    { name: 'also-a-stranger.jpg', bytes: readFileSync(new URL('../../demo/strangers/shorts.jpg', import.meta.url)) },
    await scene(2, { format: 'png' }),
    await orientedJpeg(3, 6),
    await flat(),
    await textNamedJpg(),
  ]
  const folder = t.testdir(Object.fromEntries(pictures.map(({ name, bytes }) => [name, bytes])))
  // A separate folder, since the demo may run elsewhere meanwhile; short, for the paths of sockets in it.
  const temporary = mkdtempSync(join(tmpdir(), 'own-'))
  t.teardown(() => rmSync(temporary, { recursive: true }))

  const { status, stdout, stderr } = await demo([folder], { TMPDIR: temporary })

  t.equal(status, 0, stderr)
  t.match(stdout, /Skipped text\.jpg/)
  t.match(stdout, /flat\.png +5\.\d kB +not taken: /)
  t.match(stdout, /Found \d+ of 27 copies/)
  t.match(stdout, /asks about 3 pictures that nobody registered/)
  t.match(stdout, /withdrawn\n(.*\n)*.*: 30 questions, 0 matches/)
  t.match(stdout, /Redis keys with their values .*0 found/)
  t.match(stdout, /All as promised/)
  t.notMatch(stdout, '\u001b')
  t.strictSame(
    readdirSync(temporary).filter((name) => name.startsWith('tabir-')),
    [],
  )
})

t.test('without a picture the demo says so and ends with status 2', async (t) => {
  const empty = t.testdir({})
  const missing = join(empty, 'no-such-folder')
  const texts = t.testdir({ 'notes.txt': 'no picture', 'empty.jpg': '' })

  t.match(await demo([missing]), { status: 2, stderr: /There is no folder .*no-such-folder/ })
  t.match(await demo([empty]), { status: 2, stderr: /There is no picture in/ })
  t.match(await demo([texts]), { status: 2, stderr: /empty\.jpg: not a picture[\s\S]*notes\.txt/ })
  t.match(await demo(['one', 'two']), { status: 2, stderr: /At most one folder/ })
  t.match(await demo(['--colour']), { status: 2 })
  t.match(await demo(['--help']), { status: 0, stdout: /npm run demo \[-- FOLDER\]/ })
})

t.test('the search finds a piece of a picture at any place and in any encoding', async (t) => {
  const evidence = new Evidence()
  const { data } = scenePixels(11)
  const [first, ...others] = evidence.add(data, 64)
  const last = others.at(-1)
  if (first === undefined || last === undefined) return t.fail('no window was taken')

  const noise = Buffer.from(scenePixels(12).data)
  t.equal(evidence.windows, 64)
  t.ok(evidence.countIn(data) >= 64)
  t.equal(evidence.countIn(noise), 0)
  t.equal(evidence.countIn(Buffer.concat([noise, last])), 1)
  t.equal(evidence.countIn(last.subarray(0, -1)), 0)
  for (const text of [data.toString('hex'), data.toString('base64'), JSON.stringify(data.subarray(0, 100_000))]) {
    t.ok(evidence.countIn(Buffer.from(text)) > 0)
  }
})

t.test('the search crosses the boundaries of the chunks that files are read in', async (t) => {
  const evidence = new Evidence()
  const [window] = evidence.add(scenePixels(13).data, 1)
  if (window === undefined) return t.fail('no window was taken')
  const mebibyte = 1 << 20
  const folder = t.testdir({ deep: { below: {} } })

  for (const at of [0, 1, mebibyte - 33, mebibyte - 16, mebibyte, 2 * mebibyte - 32, 2 * mebibyte + 5]) {
    const file = Buffer.alloc(2 * mebibyte + 200)
    window.copy(file, at)
    writeFileSync(join(folder, 'deep', 'below', 'file'), file)
    t.match(await searchFolder(folder, evidence), { items: 1, found: 1 }, `at ${at}`)
  }
})

t.test('the search reads every kind of value in Redis, and the names of keys', async (t) => {
  const server = await openRedisServer({ dataDir: t.testdir(), searchPath: process.env['PATH'] ?? '', npmRedis: 'on' })
  const redis = new Redis({ path: server.socket ?? '' })
  t.teardown(async () => {
    redis.disconnect()
    await server.stop()
  })
  const evidence = new Evidence()
  const [window = Buffer.alloc(0)] = evidence.add(scenePixels(14).data, 1)
  const piece = Buffer.concat([Buffer.from('before'), window, Buffer.from('after')])
  const writes = {
    'a string': () => redis.set('key', piece),
    'a key': () => redis.set(piece, 'value'),
    'a field of a hash': () => redis.hset('key', piece, 'value'),
    'a value of a hash': () => redis.hset('key', 'field', piece),
    'a list': () => redis.rpush('key', 'other', piece),
    'a set': () => redis.sadd('key', 'other', piece),
    'a sorted set': () => redis.zadd('key', 1, piece),
    'a stream': () => redis.xadd('key', '*', 'field', piece),
    'JSON in a string': () => redis.set('key', JSON.stringify({ data: piece })),
  }

  for (const [place, write] of Object.entries(writes)) {
    await redis.flushall()
    t.match(await searchRedis(redis, evidence), { items: 0, found: 0 })
    await write()
    t.match(await searchRedis(redis, evidence), { items: 1, found: 1 }, place)
  }
})

t.test('flat areas give no evidence, because they would be found everywhere', async (t) => {
  t.strictSame(new Evidence().add(Buffer.alloc(10_000, 7), 100), [])
})

t.test('a table is aligned, and has colour on a terminal only', async (t) => {
  const rows = [
    [cell('cat'), { lines: ['strong', '1-15'], tone: 'good' as const }, cell('end')],
    [cell('a longer name'), cell('no'), cell('é')],
  ]

  t.strictSame(table(rows, paintFor(false, undefined)), [
    'cat            strong  end',
    '               1-15',
    'a longer name  no      é',
  ])
  t.strictSame(table(rows, paintFor(true, '1')), table(rows, paintFor(false, undefined)))
  t.match(table(rows, paintFor(true, undefined))[0], '\u001b[32mstrong\u001b[0m')
})

t.test('a progress bar appears after a second, only on a terminal, and is removed', async (t) => {
  const run = (isTTY: boolean, stepMs: number) => {
    let nowMs = 0
    let written = ''
    const stream = { isTTY, write: (text: string) => (written += text) }
    const progress = progressOf('asking', 4, { stream, now: () => nowMs })
    for (let step = 0; step < 4; step++) {
      nowMs += stepMs
      progress.step()
    }
    progress.end()
    return written
  }

  t.equal(run(true, 10), '')
  t.equal(run(false, 600), '')
  t.match(run(true, 600), /asking \[#{15}\.{15}\] 2\/4/)
  t.ok(run(true, 600).endsWith('\r\u001b[K'))
})

function demo(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { ...process.env, ...env } },
      (_error, stdout, stderr) => resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
