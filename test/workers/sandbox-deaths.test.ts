// Children of the sandbox that die or are killed: their image is tried once more, and other images go on.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { openSandbox } from '../../workers/sandbox.js'
import { NO_SANDBOX } from '../../workers/sandbox-command.js'
import { OBEDIENT_CHILD, openObedient, program, UNDECODABLE } from '../helpers/sandbox.js'
import { until } from '../helpers/service.js'

t.test('a child that dies is replaced, and its image is tried once more, then refused', async (t) => {
  const { sandbox, count } = await openObedient(t)

  t.same(await sandbox.hash(count('die', 'process.exit(3)'), 'query'), UNDECODABLE)
  t.equal(count.of('die'), 2, 'two tries and no third')
  t.same(await sandbox.hash(count('once', 'if (fs.readdirSync(place).length === 1) process.abort(); return 7'), 'query'), {
    image: { quality: 7, signals: [] },
  })
  t.equal(count.of('once'), 2)
  t.same(await sandbox.hash(program('return 9'), 'query'), { image: { quality: 9, signals: [] } }, 'other images go on')
})

t.test('every way to die costs only the image at hand', async (t) => {
  const { sandbox } = await openObedient(t)
  const ways = {
    'a signal': 'process.kill(process.pid, "SIGKILL")',
    'a crash in native code': 'process.kill(process.pid, "SIGSEGV"); await new Promise(() => {})',
    'an exception': 'setImmediate(() => { throw new Error("bad") }); await new Promise(() => {})',
    'a rejection': 'throw new Error("bad")',
    'no more stack': 'const f = () => f() + 1; f()',
  }
  for (const [what, source] of Object.entries(ways)) {
    t.same(await sandbox.hash(program(source), 'query'), UNDECODABLE, what)
    t.same(await sandbox.hash(program('return 5'), 'query'), { image: { quality: 5, signals: [] } }, `after ${what}`)
  }
})

t.test('an image that runs out of memory is tried in another child, and not reported as damaged', async (t) => {
  let given = 0
  const { sandbox, count } = await openObedient(t, { onOutOfMemory: () => given++ })
  const says = `say('{"problem":"hashing-unavailable"}'); await new Promise(() => {})`
  const ways = {
    'it says so': says,
    'the runtime aborts': 'process.abort()',
    'V8 traps': 'process.kill(process.pid, "SIGTRAP")',
  }
  for (const [way, source] of Object.entries(ways)) {
    const [pid] = sandbox.pids
    t.same(await sandbox.hash(count(way, source), 'query'), { problem: 'hashing-unavailable' }, way)
    t.equal(count.of(way), 2, 'two tries, in two children')
    t.same(await sandbox.hash(program('return 5'), 'query'), { image: { quality: 5, signals: [] } }, `after: ${way}`)
    t.not(sandbox.pids[0], pid, 'the child was replaced')
  }
  t.equal(given, 3, 'the operator is told')
})

t.test('an idle child that is killed is replaced', async (t) => {
  const { sandbox } = await openObedient(t, { children: 2 })
  await until(() => sandbox.pids.length === 2)
  const before = sandbox.pids

  for (const pid of before) process.kill(pid, 'SIGKILL')
  await until(() => sandbox.pids.length === 2 && sandbox.pids.every((pid) => !before.includes(pid)))

  const answers = await Promise.all(Array.from({ length: 4 }, () => sandbox.hash(program('return 5'), 'query')))
  t.same(
    answers,
    Array.from({ length: 4 }, () => ({ image: { quality: 5, signals: [] } })),
  )
})

t.test('a child killed at work costs its image one of two tries', async (t) => {
  const { sandbox, count } = await openObedient(t)
  const waiting =
    'const n = fs.readdirSync(place).length; if (n === 1) await new Promise(() => { setInterval(() => {}, 1000) }); return n'
  const answer = sandbox.hash(count('killed', waiting), 'query')
  await until(() => count.of('killed') === 1)
  const [pid] = sandbox.pids

  if (pid !== undefined) process.kill(pid, 'SIGKILL')

  t.same(await answer, { image: { quality: 2, signals: [] } })
})

t.test('several children killed at the same moment cost an image one of two tries', async (t) => {
  const { sandbox, count } = await openObedient(t, { children: 2 })
  const waiting =
    'if (fs.readdirSync(place).length === 1) await new Promise(() => { setInterval(() => {}, 1000) }); return 3'
  const together =
    'while (fs.readdirSync(place).length < 2) await new Promise((resolve) => { setTimeout(resolve, 5) }); return 1'
  for (let i = 0; i < 4; i++) {
    const both = count(`both ${i}`, together)
    await Promise.all([sandbox.hash(both, 'query'), sandbox.hash(both, 'query')]) // so that both are there
    const answer = sandbox.hash(count(`killed ${i}`, waiting), 'query')
    await until(() => count.of(`killed ${i}`) === 1)

    for (const pid of sandbox.pids) process.kill(pid, 'SIGKILL')

    t.same(await answer, { image: { quality: 3, signals: [] } })
  }
})

t.test('images that wait for a child are hashed by its replacement', async (t) => {
  const { sandbox } = await openObedient(t)

  const answers = await Promise.all([
    sandbox.hash(program('process.exit(1)'), 'query'),
    ...Array.from({ length: 5 }, (_, i) => sandbox.hash(program(`return ${i}`), 'query')),
  ])

  t.same(answers, [UNDECODABLE, ...Array.from({ length: 5 }, (_, i) => ({ image: { quality: i, signals: [] } }))])
})

t.test('a closed sandbox leaves no process behind', async (t) => {
  const { sandbox } = await openObedient(t, { children: 3 })
  await until(() => sandbox.pids.length === 3)
  const before = sandbox.pids

  await sandbox.close()

  t.same(sandbox.pids, [])
  for (const pid of before) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

t.test('children that cannot start are tried again more and more seldom, and the operator is told once why', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'tabir-broken-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const entry = join(place, 'child.mjs')
  // Children can write no file, but make a folder.
  const broken = `import { mkdirSync } from 'node:fs'
    mkdirSync(${JSON.stringify(place)} + '/' + process.pid)
    throw new Error('the decoder cannot be loaded')`
  writeFileSync(entry, broken)
  const reasons: string[] = []
  const options = { children: 2, memoryMb: 1536, timeLimitMs: 10_000, entry: [entry], sandboxCommand: NO_SANDBOX }
  const sandbox = openSandbox({ ...options, onFailedStart: (reason) => reasons.push(reason) })
  t.teardown(() => sandbox.close())
  const begun = () => readdirSync(place).length
  const beganAtMs = performance.now()

  await until(() => reasons.length > 0)
  t.match(reasons[0], /^status 1: .*the decoder cannot be loaded/)
  t.notOk(sandbox.canStart)
  await until(() => performance.now() - beganAtMs > 3000)
  t.ok(begun() < 12, `${begun()} starts in three seconds`)
  t.equal(reasons.length, 1)

  writeFileSync(entry, OBEDIENT_CHILD)
  t.same(await sandbox.hash(program('return 5'), 'query'), { image: { quality: 5, signals: [] } }, 'it recovers by itself')
  t.ok(sandbox.canStart)
})
