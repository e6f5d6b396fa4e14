import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { type OpenRedisConfig, openRedisServer } from '../../src/store/embedded/embedded-redis.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'
import { folder, nothing, program, searchPath } from './redis-programs.js'

const repository = new URL('../../', import.meta.url)

t.test('a configured Redis is used as it is, and none is started', async (t) => {
  const dataDir = join(folder(t), 'data')
  const byUrl = await openRedisServer({ ...nothing, dataDir, redisUrl: 'redis://redis.example' })
  const bySocket = await openRedisServer({ ...nothing, dataDir, redisSocket: '/run/redis.sock' })
  await byUrl.stop()
  byUrl.kill()

  t.match(byUrl, { url: 'redis://redis.example', owned: false })
  t.match(bySocket, { socket: '/run/redis.sock', owned: false })
  t.notOk(existsSync(dataDir))
})

t.test('an embedded Redis', async (t) => {
  t.test('an embedded Redis writes to disk before it answers, evicts nothing, and listens on its socket only', async (t) => {
    const redis = client(t, await open(t, folder(t)))

    t.same(await redis.config('GET', 'appendonly'), ['appendonly', 'yes'])
    t.same(await redis.config('GET', 'appendfsync'), ['appendfsync', 'always'])
    t.same(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction'])
    t.same(await redis.config('GET', 'save'), ['save', ''])
    t.same(await redis.config('GET', 'port'), ['port', '0'])
    t.same(await redis.config('GET', 'slowlog-log-slower-than'), ['slowlog-log-slower-than', '-1'])
    t.same(await redis.config('GET', 'hash-max-ziplist-entries'), ['hash-max-ziplist-entries', '2048'])
    t.same(await redis.config('GET', 'hash-max-ziplist-value'), ['hash-max-ziplist-value', '2048'])
    t.same(await redis.config('GET', 'stream-node-max-bytes'), ['stream-node-max-bytes', '512'])
    await redis.xadd('time-line', '*', 'kind', 'case-opened', 'count', '1', 'atMs', '1795800000000')
    t.ok(Number(await redis.memory('USAGE', 'time-line')) < 1500, 'a short stream takes less than 1,500 bytes')
    await redis.set('key', 'value')
    t.same(await redis.call('WAITAOF', 1, 0, 1000), [1, 0])
  })

  t.test('the socket, folder and log of an embedded Redis are accessible to their owner only', async (t) => {
    const dataDir = folder(t)
    mkdirSync(join(dataDir, 'redis'), { mode: 0o755 })
    const { socket } = await open(t, dataDir)

    t.equal(mode(join(dataDir, 'redis')), '700')
    t.equal(mode(socket ?? ''), '700')
    const log = join(dataDir, 'redis', 'appendonlydir')
    t.equal(mode(log), '700')
    for (const name of readdirSync(log)) t.equal(mode(join(log, name)), '600', name)
  })

  t.test('an embedded Redis has no TABIR variables in its environment', async (t) => {
    process.env['TABIR_SEAL_KEYS'] = 'id:c2VjcmV0'
    t.teardown(() => delete process.env['TABIR_SEAL_KEYS'])
    const script = '[ "$1" = --version ] && echo v=8.0.2 && exit; echo "$(env | grep -c TABIR) of ours"; exit 3'
    const redisServerBin = program(folder(t), 'redis-server', script)

    await t.rejects(open(t, folder(t), { redisServerBin }), /^0 of ours$/m)
  })

  t.test('an embedded Redis writes no core dump', { skip: !existsSync('/proc/self/limits') }, async (t) => {
    const redis = client(t, await open(t, folder(t)))
    const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1]

    t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0/m)
  })

  t.test('an embedded Redis has every acknowledged write after kill -9, and starts over its old socket', async (t) => {
    const dataDir = folder(t)
    const first = await open(t, dataDir)
    await client(t, first).set('case', 'withdrawn')
    first.kill()
    await first.exited
    t.ok(existsSync(first.socket ?? ''), 'a killed server leaves its socket')
    const second = await open(t, dataDir)

    t.equal(await client(t, second).get('case'), 'withdrawn')
    t.equal(second.socket, first.socket)
    t.ok(second.owned)
  })

  t.test('an embedded Redis is shared by later openers, which cannot stop it and notice when it ends', async (t) => {
    const dataDir = folder(t)
    const owner = await open(t, dataDir)
    const guest = await open(t, dataDir)
    const leaver = await open(t, dataDir)
    await leaver.stop()
    leaver.kill()

    t.match(guest, { owned: false, socket: owner.socket, version: owner.version })
    t.equal(await client(t, owner).ping(), 'PONG')
    await owner.stop()
    await aliveUntil(guest.exited)
    t.notOk(existsSync(owner.socket ?? ''))
  })

  t.test('an embedded Redis is started once, although several processes open it at once', async (t) => {
    const dataDir = folder(t)
    mkdirSync(join(dataDir, 'redis'))
    const dead = await leaveDeadTurn(t, join(dataDir, 'redis'))
    const others = [inAnotherProcess(t, dataDir), inAnotherProcess(t, dataDir)]
    const here = await Promise.all(Array.from({ length: 6 }, () => open(t, dataDir)))
    const there = await Promise.all(others.map(({ answer }) => answer))

    t.equal([...here, ...there].filter(({ owned }) => owned).length, 1)
    t.notOk(existsSync(dead), 'the leftover of a killed starter is removed')
  })

  t.test('an embedded Redis ends when the process that started it is killed', async (t) => {
    const dataDir = folder(t)
    const opener = inAnotherProcess(t, dataDir)
    t.match(await opener.answer, { owned: true })
    const guest = await open(t, dataDir)
    opener.child.kill('SIGKILL')

    await aliveUntil(guest.exited)
    const next = await open(t, dataDir)
    t.ok(next.owned)
  })

  t.test('an embedded Redis works in a folder whose path is longer than a socket allows', async (t) => {
    const dataDir = join(folder(t), 'x'.repeat(120))
    const server = await open(t, dataDir)
    t.teardown(() => rmSync(join(server.socket ?? '', '..'), { recursive: true, force: true }))
    await client(t, server).set('key', 'value')
    const guest = await open(t, dataDir)

    t.ok((server.socket ?? '').length <= 100)
    t.match(guest, { owned: false, socket: server.socket })
    t.equal(mode(join(server.socket ?? '', '..')), '700')
    t.ok(existsSync(join(dataDir, 'redis', 'appendonlydir')))
  })

  t.test(
    'an embedded Redis refuses a folder in /tmp that belongs to another user',
    { skip: process.getuid?.() !== 0 },
    async (t) => {
      const dataDir = join(folder(t), 'x'.repeat(120))
      const server = await open(t, dataDir)
      const shortFolder = join(server.socket ?? '', '..')
      t.teardown(() => rmSync(shortFolder, { recursive: true, force: true }))
      await server.stop()
      chownSync(shortFolder, 65534, 65534)

      await t.rejects(open(t, dataDir), /belongs to another user/)
    },
  )

  t.test('an embedded Redis is waited for while it loads its data', async (t) => {
    const states = ['LOADING Redis is loading the dataset in memory', 'LOADING', '', 'PONG']
    const redisServerBin = fakeServer(folder(t), states)
    const server = await open(t, folder(t), { redisServerBin })
    const asked = connect(server.socket ?? '').end('PING\r\n')
    t.teardown(() => asked.destroy())

    t.match(String((await once(asked, 'data'))[0]), /^\+PONG/, 'it was polled until it was ready')
  })

  t.test('an embedded Redis is killed if it does not stop in time', async (t) => {
    const redisServerBin = fakeServer(folder(t), ['PONG'], 'process.on("SIGTERM", () => {})')
    const server = await open(t, folder(t), { redisServerBin, stopGraceMs: 50 })
    await server.stop()

    t.equal(await server.exited, '')
  })

  t.test('an embedded Redis that ends while starting is reported with its output', async (t) => {
    const redisServerBin = program(
      folder(t),
      'redis-server',
      '[ "$1" = --version ] && echo v=8.0.2 && exit; echo "99:M 01 Jan 2026 00:00:00.000 # Out of luck"; exit 3',
    )

    await t.rejects(open(t, folder(t), { redisServerBin }), { message: 'Redis ended while it was starting.\nOut of luck' })
  })

  t.test('an embedded Redis with a damaged log does not start, and its error says what to do', async (t) => {
    const dataDir = folder(t)
    const log = await writeSomething(t, dataDir, '.incr.aof')
    appendFileSync(log, 'this is no command\r\n*1\r\n$4\r\nPING\r\n')
    const before = readFileSync(log)

    await t.rejects(open(t, dataDir), /is damaged.*Nothing was changed.*redis-check-aof/s)
    t.same(readFileSync(log), before)
  })

  t.test('an embedded Redis on a full disk says so, and blames no log', SMALL_DISK, async (t) => {
    const disk = smallDisk(t)
    disk.fill()
    await t.rejects(open(t, join(disk.path, 'data')), /The disk of .* is full \(TABIR_DATA_DIR\)(?!.*damaged)/s)
    disk.empty()
    await t.resolves(open(t, join(disk.path, 'data')), 'once there is room it starts')
  })

  t.test('an embedded Redis with data of a newer server does not start, and its error says so', async (t) => {
    const dataDir = folder(t)
    const log = await writeSomething(t, dataDir, '.base.rdb')
    writeFileSync(log, readFileSync(log).fill('REDIS0999', 0, 9))

    await t.rejects(open(t, dataDir), /another kind or a newer version of Redis/)
  })
})

async function open(t: Test, dataDir: string, more: Partial<OpenRedisConfig> = {}) {
  const server = await openRedisServer({ searchPath, npmRedis: 'on', dataDir, ...more })
  t.teardown(() => server.stop())
  return server
}

function client(t: Test, { socket = '' }: { readonly socket?: string }): Redis {
  const redis = new Redis(socket)
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

/** Keeps the process alive while it waits for the event. */
async function aliveUntil(event: Promise<unknown>): Promise<void> {
  const hold = setInterval(() => {}, 60_000)
  await event
  clearInterval(hold)
}

/** Answers its first connections with `states` and later ones with the last of them. An empty state closes the connection. */
function fakeServer(inFolder: string, states: readonly string[], more = ''): string {
  const script = `
    const { createServer } = require('node:net')
    const args = process.argv
    if (args[2] === '--version') { console.log('Redis server v=8.0.2'); process.exit() }
    ${more}
    const states = ${JSON.stringify(states)}
    const server = createServer((socket) => {
      socket.on('error', () => {})
      const state = states.length > 1 ? states.shift() : states[0]
      const sign = state === 'PONG' ? '+' : '-'
      socket.once('data', () => socket.end(state === '' ? '' : sign + state + '\\r\\n'))
    }).listen(args[args.indexOf('--unixsocket') + 1])
  `
  return program(inFolder, 'redis-server', script, process.execPath)
}

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8)
}

/** Fills a log and returns its file that ends in `ending`. */
async function writeSomething(t: Test, dataDir: string, ending: string): Promise<string> {
  const server = await open(t, dataDir)
  await client(t, server).set('key', 'value')
  await server.stop()
  const log = join(dataDir, 'redis', 'appendonlydir')
  return join(log, readdirSync(log).find((name) => name.endsWith(ending)) ?? 'missing')
}

function inAnotherProcess(t: Test, dataDir: string) {
  const script = `
    import { openRedisServer } from ${JSON.stringify(new URL('src/store/embedded/embedded-redis.js', repository).href)}
    const server = await openRedisServer(${JSON.stringify({ searchPath, npmRedis: 'on', dataDir })})
    console.log(server.owned)
    process.stdin.resume().on('end', async () => { await server.stop(); process.exit() })
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  child.stdin.on('error', () => {})
  t.teardown(async () => {
    child.stdin.end()
    await exited
  })
  const answer = once(createInterface(child.stdout), 'line').then(([line]) => ({ owned: line === 'true' }))
  return { child, answer }
}

/** Leaves the socket file of a starter that was killed. */
async function leaveDeadTurn(t: Test, inFolder: string): Promise<string> {
  const path = join(inFolder, 'turn-0badf00d.sock')
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['--eval', script]), 'exit')
  t.ok(existsSync(path))
  return path
}
