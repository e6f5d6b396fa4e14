// Failures in the sandbox stay there: children that die, hang, lie or grow.

import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { unreadable } from '../helpers/hostile-pictures.js'
import { scene } from '../helpers/pictures.js'
import { openObedient, openWith, program, UNDECODABLE } from '../helpers/sandbox.js'
import { until } from '../helpers/service.js'

const REAL_CHILD = fileURLToPath(new URL('../../workers/media/child.js', import.meta.url))

/** Enough for a new child on a busy machine, and far below the hour of `timeLimitMs`. */
const SOON_MS = 30_000

t.test('the real child hashes a real picture, and refuses an unreadable one', async (t) => {
  const sandbox = await openWith(t, { entry: [REAL_CHILD], children: 2 })
  const { bytes } = await scene(200)
  const sent = Buffer.from(bytes)

  const answer = await sandbox.hash(bytes, 'query')

  if (!('image' in answer)) throw new Error('a real picture is hashed')
  t.ok(answer.image.quality >= 50)
  const wholes = answer.image.signals.filter(({ view }) => view === 'whole')
  t.same(
    wholes.map(({ type, hashes }) => [type, hashes.length]),
    [
      ['pdq', 8],
      ['pdq-area', 8],
      ['blockhash', 8],
      ['sha256', 1],
    ],
  )
  t.ok(answer.image.signals.length > wholes.length, 'and its parts')
  t.ok(bytes.equals(sent), 'the bytes are the caller’s, for a second try')

  const pids = sandbox.pids
  for (const picture of await unreadable()) {
    t.match(
      await sandbox.hash(picture.bytes, 'submission'),
      { problem: /^(image-undecodable|media-unsupported|image-too-many-pixels)$/ },
      picture.name,
    )
  }
  t.same(sandbox.pids, pids, 'none of them cost a child')
})

t.test('every child gives a picture the same hashes, and many at once are kept apart', async (t) => {
  const sandbox = await openWith(t, { entry: [REAL_CHILD], children: 2 })
  const pictures = await Promise.all([201, 202, 203, 204].map((seed) => scene(seed, { width: 320, height: 240 })))
  const alone = []
  for (const { bytes } of pictures) alone.push(await sandbox.hash(bytes, 'query'))

  const crowd = await Promise.all([...pictures, ...pictures, ...pictures].map(({ bytes }) => sandbox.hash(bytes, 'query')))

  t.same(crowd, [...alone, ...alone, ...alone])
})

t.test('an invalid answer of a child is rejected', async (t) => {
  const { sandbox } = await openObedient(t)
  for (const lie of [
    '{"problem":"none of yours"}',
    'not even JSON',
    '{"image":{"quality":80,"signals":[],"name":"x.jpg"}}',
    '',
  ]) {
    t.same(
      await sandbox.hash(program(`say(${JSON.stringify(lie)}); await new Promise(() => {})`), 'query'),
      UNDECODABLE,
      lie,
    )
    t.same(await sandbox.hash(program('return 5'), 'query'), { image: { quality: 5, signals: [] } })
  }
})

t.test('a child that answers before it has read the picture is rejected and gets no more of it', async (t) => {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'tabir-hasty-')))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const entry = join(place, 'child.mjs')
  const frames = pathToFileURL(fileURLToPath(new URL('../../workers/frames.js', import.meta.url))).href
  writeFileSync(
    entry,
    `import { Socket } from 'node:net'
    import { writeFrame } from '${frames}'
    const channel = new Socket({ fd: 3, readable: true, writable: true })
    const say = (text) => writeFrame(channel, Buffer.from(text))
    channel.once('data', () => channel.pause() && say('{"image":{"quality":80,"signals":[]}}'))
    say('ready')`,
  )
  const sandbox = await openWith(t, { entry: [entry] })
  const [before] = sandbox.pids

  t.same(await sandbox.hash(Buffer.alloc(16 << 20, 1), 'query'), UNDECODABLE)

  await until(() => sandbox.pids.length === 1 && !sandbox.pids.includes(before ?? 0))
})

t.test('an answer is not kept in memory, although the child lives on', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const { sandbox } = await openObedient(t)
  const told = new WeakRef(await sandbox.hash(program('return 5'), 'query'))

  await sandbox.hash(program('return 6'), 'query')
  await new Promise((resolve) => setImmediate(resolve))
  collect()

  t.equal(told.deref(), undefined, 'a process that hashes for weeks would accumulate them')
})

t.test('a child that breaks the channel is replaced at once, and costs no other image a try', async (t) => {
  const { sandbox } = await openObedient(t, { timeLimitMs: 3_600_000 })
  const hold = 'await new Promise(() => { setInterval(() => {}, 1000) })'
  const ways = {
    'a message longer than any answer': `channel.write(Buffer.alloc(4, 255)); ${hold}`,
    'half a message, then nothing': `channel.end(Buffer.from([0, 0, 1])); ${hold}`,
    'a closed channel': `channel.destroy(); ${hold}`,
  }
  for (const [what, source] of Object.entries(ways)) {
    const answer = await timeoutMs(SOON_MS, sandbox.hash(program(source), 'query'))
    t.same(answer, UNDECODABLE, what)
    if (answer === undefined) return // it would delay everything after it by an hour each
    t.same(
      await timeoutMs(SOON_MS, sandbox.hash(program('return 5'), 'query')),
      { image: { quality: 5, signals: [] } },
      `after ${what}`,
    )
  }
  await sandbox.hash(program('setImmediate(() => channel.write(Buffer.alloc(4, 255))); return 6'), 'query')
  t.same(
    await timeoutMs(SOON_MS, sandbox.hash(program('return 5'), 'query')),
    { image: { quality: 5, signals: [] } },
    'after its answer',
  )
})

t.test('a child that exceeds its memory dies, and the parent does not', async (t) => {
  // Filling a heap took 20 s on a busy machine, and 1 s on a quiet one.
  const { sandbox } = await openObedient(t, { memoryMb: 512, timeLimitMs: 3_600_000 })
  const before = process.memoryUsage().rss
  const grow = (bytes: number) => `
    const held = []
    for (let i = 0; i < ${bytes}; i += 64 << 20) held.push(Buffer.allocUnsafeSlow(64 << 20).fill(1))
    return held.length`

  const lacksMemory = { problem: 'hashing-unavailable' } // nothing is said against the image
  t.same(await sandbox.hash(program(grow(4 * 2 ** 30)), 'query'), lacksMemory, '4 GB')
  t.same(
    await sandbox.hash(program(grow(128 * 2 ** 20)), 'query'),
    { image: { quality: 2, signals: [] } },
    '128 MB are allowed',
  )
  t.same(
    await sandbox.hash(program(`throw new RangeError('Array buffer allocation failed')`), 'query'),
    lacksMemory,
    'thrown',
  )
  t.same(await sandbox.hash(program(`throw new Error('a fault')`), 'query'), UNDECODABLE, 'another error')
  t.same(
    await sandbox.hash(program(`const held = []; for (;;) held.push(new Array(1e6).fill({}))`), 'query'),
    lacksMemory,
    'a heap',
  )
  t.ok(process.memoryUsage().rss - before < 256 * 2 ** 20)
})

t.test('a child has no secret, no file, no core dump and no place to write to', async (t) => {
  const secrets = { REDIS_URL: 'redis://user:secret@host', TABIR_SEAL_KEYS: 'a:c2VjcmV0', AWS_SECRET_ACCESS_KEY: 'secret' }
  Object.assign(process.env, secrets)
  t.teardown(() => {
    for (const name of Object.keys(secrets)) delete process.env[name]
  })
  const { sandbox, place } = await openObedient(t)
  const number = async (source: string) => {
    const answer = await sandbox.hash(program(source), 'query')
    return 'image' in answer ? answer.image.quality : answer.problem
  }
  const allowed = [
    'NODE_ENV',
    'MALLOC_ARENA_MAX',
    'UV_THREADPOOL_SIZE',
    'PWD',
    'OLDPWD',
    'SHLVL',
    '_',
    '__CF_USER_TEXT_ENCODING',
  ]

  // The test runner adds its own variables to every process below it.
  const env = `Object.entries(process.env).filter(([name, value]) => !/^_TAPJS_/.test(name) && !/@tapjs/.test(value))`
  t.equal(await number(`return ${env}.filter(([name]) => !${JSON.stringify(allowed)}.includes(name)).length`), 0)
  t.equal(await number(`return /secret|c2VjcmV0|redis|tabir/i.test(JSON.stringify(${env})) ? 1 : 0`), 0)
  t.equal(await number(`return process.cwd() === '/' ? 1 : 0`), 1)

  const file = join(place, 'written')
  const tryTo = (action: string) => number(`process.on('SIGXFSZ', () => {}); try { ${action}; return 1 } catch { return 0 }`)
  t.equal(await tryTo(`fs.writeFileSync(${JSON.stringify(file)}, 'pixels')`), 0, 'no byte goes into a file')
  t.equal(existsSync(file) ? statSync(file).size : 0, 0)

  const limits = `const limit = (name) => fs.readFileSync('/proc/self/limits', 'utf8').match(new RegExp(name + ' +(\\\\S+) +(\\\\S+)')).slice(1).join()`
  if (existsSync('/proc/self/limits')) {
    t.equal(await number(`${limits}; return limit('Max core file size') === '0,0' ? 1 : 0`), 1, 'no core')
    t.equal(await number(`${limits}; return limit('Max file size') === '0,0' ? 1 : 0`), 1, 'and it cannot lift that')
    const open = `fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd) } catch { return '' } })`
    t.equal(
      await number(`return ${open}.filter((path) => path.startsWith('socket:')).length`),
      1,
      'one socket: to its parent',
    )
    t.equal(
      await number(`return ${open}.filter((path) => path.startsWith('/') && !/^\\/(dev|proc)\\//.test(path)).length`),
      0,
      'no file',
    )
  }
})

t.test('every thread of a child has a lower priority than the processes that answer', async (t) => {
  const sandbox = await openWith(t, { entry: [REAL_CHILD] })
  await sandbox.hash((await scene(201)).bytes, 'query')
  const [pid] = sandbox.pids
  const threads = readdirSync(`/proc/${pid}/task`)
  const priorities = threads.flatMap((thread) => priorityOf(Number(thread)))
  t.ok(priorities.length > 1)
  t.same(new Set(priorities), new Set([getPriority() + 5]))
})

/** Idle threads end by themselves after a while. */
function priorityOf(thread: number): number[] {
  try {
    return [getPriority(thread)]
  } catch {
    return []
  }
}

/** @returns `undefined` when there is no answer in time. */
async function timeoutMs<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  const first = await Promise.race([answer, late])
  clearTimeout(timer)
  return first
}
