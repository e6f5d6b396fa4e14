// The demo is truthful: its output, its search, and that it leaves nothing behind.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { Pieces } from '../src/demo/remains.js'
import { openRedisServer } from '../src/store/embedded/embedded-redis.js'
import { scenePixels } from './helpers/pictures.js'

const MAIN = fileURLToPath(new URL('../src/demo/demo.js', import.meta.url))

t.test('the demo finds screenshots of its photographs, keeps its withdrawal and leaves nothing behind', async (t) => {
  // A separate folder, since the demo may run elsewhere meanwhile; short, for the paths of sockets in it.
  const temporary = mkdtempSync(join(tmpdir(), 'own-'))
  t.teardown(() => rmSync(temporary, { recursive: true }))

  const { status, output } = await new Promise<{ status: number | null; output: string }>((resolve) => {
    const child = execFile(process.execPath, [MAIN], { env: { ...process.env, TMPDIR: temporary } }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, output: stdout + stderr }),
    )
  })

  t.equal(status, 0, output)
  t.match(output, /hat\.jpg +(strong|near), /)
  t.match(output, /shorts\.jpg +no match/)
  t.match(output, /16 queries, 0 matches/)
  t.match(output, /Redis keys and values +0 found/)
  t.match(output, /All as promised/)
  t.strictSame(
    readdirSync(temporary).filter((name) => name.startsWith('tabir-')),
    [],
  )
})

t.test('the search finds pieces of a picture in any encoding and at any place', async (t) => {
  const { data } = scenePixels(11)
  const pieces = new Pieces()
  pieces.add(data)
  pieces.add(Buffer.alloc(10_000, 7)) // would be found everywhere

  t.equal(pieces.countIn(Buffer.from(scenePixels(12).data)), 0)
  t.equal(pieces.countIn(Buffer.alloc(10_000, 7)), 0)
  t.ok(pieces.countIn(data) >= 64)
  for (const text of [data.toString('hex'), data.toString('base64'), JSON.stringify(data)])
    t.ok(pieces.countIn(Buffer.from(text)) > 0)
  const folder = t.testdir({ deep: { below: { file: Buffer.concat([Buffer.alloc(5), data]) } } })
  t.ok((await pieces.countInFolder(folder)) >= 64)
})

t.test('the search reads every kind of value in Redis, and the names of keys', async (t) => {
  const server = await openRedisServer({ dataDir: t.testdir(), searchPath: process.env['PATH'] ?? '', npmRedis: 'on' })
  const redis = new Redis({ path: server.socket ?? '' })
  t.teardown(async () => {
    redis.disconnect()
    await server.stop()
  })
  const pieces = new Pieces()
  const window = Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i + 1))
  pieces.add(window)
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
    t.equal(await pieces.countInRedis(redis), 0)
    await write()
    t.equal(await pieces.countInRedis(redis), 1, place)
  }
})
