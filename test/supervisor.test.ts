import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { Redis } from 'ioredis'
import t from 'tap'
import { supervise } from '../src/boot/supervisor.js'
import { welcome } from '../src/boot/welcome.js'
import { isScope } from '../src/domain/organisations/access.js'
import { openRedisServer, type RedisServer } from '../src/store/embedded/embedded-redis.js'
import { HOW_TO_INSTALL } from '../src/store/embedded/find-redis.js'
import { collect, folder, stage, stageProcess } from './helpers/supervised.js'

const searchPath = process.env['PATH'] ?? ''

t.test('the supervisor prints the address once both parts are ready, not before', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready-when-told' })
  await Promise.all([world.heard('api ready'), world.heard('workers started')])
  t.same(world.printed, [])
  world.tell('workers', 'be ready')
  await world.printedLine('Tabir is ready at http://127.0.0.1:1')

  t.equal(await world.stop(), 0)
})

t.test('the supervisor prints its pages and how to make a key, and in the end that it has stopped', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready' }, { welcome: (url) => `\n  the page ${url}/` })
  await world.printedLine('Tabir is ready at http://127.0.0.1:1\n  the page http://127.0.0.1:1/')
  t.equal(await world.stop(), 0)
  t.equal(world.printed.at(-1), 'Tabir has stopped.')
  t.equal(world.log.at(-1), 'redis stopped with 0 parts alive', 'printed once it is true')

  const text = welcome('http://h:1', { dataDir: '/srv/my data', redisUrl: undefined, redisSocket: undefined })
  for (const place of ['http://h:1/', 'http://h:1/console', 'http://h:1/docs']) t.ok(text.includes(` ${place}\n`), place)
  const [command = '', args = ''] = /TABIR_DATA_DIR='\/srv\/my data' npx tabir (.*)/.exec(text) ?? []
  t.ok(command, 'a command for this very store')
  const [, scopes = ''] = /--kind operator --scopes (\S+)$/.exec(args) ?? []
  t.ok(scopes.split(',').every(isScope), 'it is accepted as printed')
  const given = welcome('http://h:1', { dataDir: './data', redisUrl: 'redis://:secret@r', redisSocket: undefined })
  t.match(given, /with the same REDIS_URL or REDIS_SOCKET:\n {4}npx tabir keys create/)
  t.notMatch(given, /secret/)
})

t.test('the supervisor stops the api, then the workers, then Redis, each after the previous one has ended', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready' })
  await world.ready()
  const status = await world.stop()

  t.equal(status, 0)
  const order = world.log.filter((line) => /stop|api gone/.test(line))
  t.same(order, ['api asked to stop', 'api gone', 'workers asked to stop', 'redis stopped with 0 parts alive'])
  t.same(world.warned, [])
})

t.test('the supervisor stops what it has started when the next part cannot be started at all', async (t) => {
  const log: string[] = []
  const stop = async () => void log.push('redis stopped')
  const redis: RedisServer = { socket: '/nowhere', owned: true, exited: new Promise(() => {}), stop, kill: () => {} }
  const sleeping = {
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 60_000)'],
    env: {},
    stopTimeoutMs: 60_000,
  }
  const status = supervise({
    openRedis: async () => redis,
    partsFor: () => ({ workers: { ...sleeping, name: 'workers' }, api: { ...sleeping, name: 'api', args: ['a\0b'] } }),
    signals: new EventEmitter(),
    isTerminalClosed: () => false,
    print: (line) => log.push(line),
    warn: (line) => log.push(line),
    now: () => performance.now(),
  })
  await t.rejects(status, { code: 'ERR_INVALID_ARG_VALUE' })
  t.same(log, ['redis stopped'])
})

t.test('the supervisor stops on Ctrl-C and on a closed terminal as on SIGTERM', async (t) => {
  for (const signal of ['SIGINT', 'SIGHUP']) {
    const world = await stage(t, { api: 'ready', workers: 'ready' }, { isTerminalClosed: () => true })
    await world.ready()
    world.signals.emit(signal)

    t.equal(await world.status, 0, signal)
  }
})

t.test('the supervisor passes SIGHUP to the api only, and keeps running', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready', messenger: 'ready' })
  await world.ready()
  world.signals.emit('SIGHUP')
  await world.heard('api asked to reload')

  t.equal(world.count('workers asked to reload') + world.count('messenger asked to reload'), 0)
  t.equal(world.count('api asked to stop'), 0)
  t.equal(await world.stop(), 0)
})

t.test('the supervisor restarts a killed part and leaves the other one alone', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready' })
  await world.ready()
  process.kill(world.pid('workers'), 'SIGKILL')
  await world.heard('workers gone')
  await world.heard('workers ready', 2)

  t.match(world.warned, [/^workers ended unexpectedly \(SIGKILL\); starting it again in 0\.01 s\.$/])
  t.equal(world.count('api started'), 1)
  t.equal(world.printed.length, 1, 'nothing new, no line')
  await world.stop()
})

t.test('the supervisor kills a part together with its children', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready-with-child' })
  await world.ready()
  await world.heard('child started')
  process.kill(world.pid('workers'), 'SIGKILL')

  await world.heard('child gone')
  await world.stop()
})

t.test('the supervisor doubles the delay before each restart, up to a limit', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready-then-die' })
  await world.heard('workers started', 5)
  await world.stop()

  const waits = world.warned.map((text) => /again in (\S+) s/.exec(text)?.[1])
  t.same(waits.slice(0, 4), ['0.01', '0.02', '0.04', '0.04'])
})

t.test('the supervisor resets the delay of a part that has lived long enough', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready-then-die' }, { timing: { soundAfterMs: 0 } })
  await world.heard('workers started', 4)
  await world.stop()

  const waits = world.warned.map((text) => /again in (\S+) s/.exec(text)?.[1])
  t.same(waits.slice(0, 3), ['0.01', '0.01', '0.01'])
})

t.test('the supervisor gives up on a part that never gets ready, and stops the rest in order', async (t) => {
  const world = await stage(t, { api: 'die', workers: 'ready' })

  t.equal(await world.status, 1)
  t.equal(world.count('api started'), 3)
  t.match(world.warned.at(-1), /^api ended before it was ready, 3 times \(status 7\)\.$/)
  const order = world.log.filter((line) => /stop/.test(line))
  t.same(order, ['workers asked to stop', 'redis stopped with 0 parts alive'])
})

t.test('the supervisor retries a messenger that cannot start, while api and workers keep serving', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready', messenger: 'die' })
  await world.ready()
  await world.heard('messenger started', 5)

  t.ok(world.warned.every((text) => /^messenger ended unexpectedly \(status 7\); starting it again/.test(text)))
  t.equal(world.count('api asked to stop') + world.count('workers asked to stop'), 0)
  t.equal(await world.stop(), 0)
})

t.test('the supervisor gives up when a part cannot be run at all', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready' }, { command: '/nowhere/node' })

  t.equal(await world.status, 1)
})

t.test('the supervisor kills a part that does not stop in time', async (t) => {
  const world = await stage(t, { api: 'stubborn', workers: 'ready' }, { stopTimeoutMs: 50 })
  await world.ready()

  t.equal(await world.stop(), 0)
  t.match(world.warned, ['api did not stop within 0.05 s; killing it.'])
  t.ok(world.log.includes('redis stopped with 0 parts alive'))
})

t.test('the supervisor kills everything at the second signal, but not at the echo of the first', async (t) => {
  let nowMs = 1000
  const world = await stage(
    t,
    { api: 'stubborn', workers: 'stubborn' },
    { now: () => nowMs, timing: { sameSignalMs: 500 }, stopTimeoutMs: 60_000 },
  )
  await world.ready()
  world.signals.emit('SIGINT')
  world.signals.emit('SIGINT')
  await world.heard('api asked to stop')
  t.equal(world.count('api gone'), 0)
  nowMs += 500
  world.signals.emit('SIGINT')

  t.equal(await world.status, 1)
  await Promise.all([world.heard('api gone'), world.heard('workers gone')])
  t.ok(world.log.includes('redis killed'))
})

t.test('the supervisor reopens Redis when it ends, as often as needed, and keeps running', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready' }, { redisFailsAtOpening: [2, 3] })
  await world.ready()
  world.endRedis('it was ill')
  await world.heard('redis opened', 2)

  t.match(world.warned, ['Redis ended unexpectedly; starting it again.\nit was ill', 'no luck 2', 'no luck 3'])
  t.equal(world.count('api started'), 1)
  t.equal(await world.stop(), 0)
})

t.test('the supervisor stops while Redis is unavailable', async (t) => {
  const world = await stage(
    t,
    { api: 'ready', workers: 'ready' },
    { timing: { firstRetryMs: 60_000, longestRetryMs: 60_000 } },
  )
  await world.ready()
  world.endRedis('')
  await world.warnedLine('Redis ended unexpectedly; starting it again.')

  t.equal(await world.stop(), 0)
  t.equal(world.count('redis opened'), 1)
})

t.test('the supervisor starts no part if it was told to stop before Redis was open', async (t) => {
  const world = await stage(t, { api: 'ready', workers: 'ready' }, { stopAtOnce: true })

  t.equal(await world.status, 0)
  t.same(world.log, ['redis opened', 'redis stopped with 0 parts alive'])
})

t.test('a killed Redis comes back on its socket with every acknowledged write', async (t) => {
  const servers: RedisServer[] = []
  const dataDir = folder(t)
  const openRedis = async () => {
    const server = await openRedisServer({ searchPath, npmRedis: 'on', dataDir })
    servers.push(server)
    return server
  }
  const world = await stage(t, { api: 'ready', workers: 'ready' }, { openRedis })
  await world.ready()
  const redis = new Redis(servers[0]?.socket ?? '', { retryStrategy: () => 10 })
  t.teardown(() => redis.disconnect())
  redis.on('error', () => {})
  await redis.set('case', 'withdrawn')
  const back = new Promise<void>((tell) => redis.once('close', () => redis.once('ready', () => tell())))
  servers[0]?.kill()
  await back

  t.equal(await redis.get('case'), 'withdrawn')
  t.equal(await world.stop(), 0)
})

t.test('the supervisor as a process', async (t) => {
  t.test('SIGTERM ends the supervisor with status 0, together with everything it started', async (t) => {
    const world = await stageProcess(t)
    await Promise.all([world.heard('api ready'), world.heard('workers ready')])
    world.child.kill('SIGTERM')
    const [status] = await world.exited

    t.equal(status, 0)
    await Promise.all([world.heard('api gone'), world.heard('workers gone')])
    const next = await openRedisServer({ searchPath, npmRedis: 'on', dataDir: world.dataDir })
    t.teardown(() => next.stop())
    t.ok(next.owned, 'the previous Redis has ended')
  })

  t.test('a killed supervisor leaves nothing running', async (t) => {
    const world = await stageProcess(t)
    await Promise.all([world.heard('api ready'), world.heard('workers ready')])
    const guest = await openRedisServer({ searchPath, npmRedis: 'on', dataDir: world.dataDir })
    const redisGone = guest.exited.then(() => world.log.push('redis gone'))
    world.child.kill('SIGKILL')

    await Promise.all([world.heard('api gone'), world.heard('workers gone'), redisGone])
    t.notOk(guest.owned)
  })

  t.test('without any Redis the supervisor ends with status 1 and says how to get one', async (t) => {
    const world = await stageProcess(t, { searchPath: '', npmRedis: 'off', usualFolders: [] })
    const [status] = await world.exited

    t.equal(status, 1)
    t.equal(world.stderr(), `${HOW_TO_INSTALL}\n`)
  })

  t.test('the supervisor refuses a wrong setting by its name', async (t) => {
    const entry = new URL('../src/boot/supervisor.js', import.meta.url).pathname
    const child = spawn(process.execPath, [entry], { env: { TABIR_PORT: 'ninety' }, stdio: ['ignore', 'ignore', 'pipe'] })
    const stderr = collect(child)
    const [status] = await once(child, 'close')

    t.equal(status, 1)
    t.match(stderr(), /TABIR_PORT must be a whole number/)
    t.notMatch(stderr(), /ninety/)
  })
})
