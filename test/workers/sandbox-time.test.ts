// How long a child of the sandbox may take, by the clock and when other processes hold the processors.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openObedient, program, UNDECODABLE } from '../helpers/sandbox.js'
import { until } from '../helpers/service.js'

t.test('a child that takes too long is killed, and its image is not tried again', async (t) => {
  const set: number[] = []
  let ring = () => {}
  const alarm = (ms: number, whenTooSlow: () => void) => {
    set.push(ms)
    ring = whenTooSlow
    return () => {}
  }
  const { sandbox, count } = await openObedient(t, { timeLimitMs: 300, alarm, isStarved: async () => false })
  const before = sandbox.pids

  for (const source of ['for (;;);', 'await new Promise(() => { setInterval(() => {}, 1000) })']) {
    const name = `slow ${source.length}`
    const answer = sandbox.hash(count(name, source), 'query')
    await until(() => count.of(name) === 1)
    ring()
    t.same(await answer, UNDECODABLE)
    t.equal(count.of(name), 1)
  }
  t.same(set, [300, 300])

  t.same(await sandbox.hash(program('return 5'), 'query'), { image: { quality: 5, signals: [] } })
  t.notOk(sandbox.pids.some((pid) => before.includes(pid)))
})

t.test('by default the time limit uses the real clock', async (t) => {
  const { sandbox } = await openObedient(t, { timeLimitMs: 50, isStarved: async () => false })

  t.same(await sandbox.hash(program('await new Promise(() => { setInterval(() => {}, 1000) })'), 'query'), UNDECODABLE)
})

t.test('a child that is slow because others hold the processors gets more time', async (t) => {
  const asked: number[] = []
  let place = ''
  const isStarved = async (pid: number) => {
    asked.push(pid)
    writeFileSync(join(place, 'now'), '')
    await new Promise((resolve) => setTimeout(resolve, 20))
    return true
  }
  const alarm = (_: number, ring: () => void) => {
    setImmediate(ring)
    return () => {}
  }
  const opened = await openObedient(t, { timeLimitMs: 20_000, isStarved, alarm })
  place = opened.place
  const before = opened.sandbox.pids
  const late = `while (!fs.existsSync('${join(place, 'now')}')) await new Promise((resolve) => { setTimeout(resolve, 20) }); return 8`
  t.same(await opened.sandbox.hash(program(late), 'query'), { image: { quality: 8, signals: [] } })
  t.same(opened.sandbox.pids, before, 'it is not killed')
  t.ok(asked.length > 0 && asked.every((pid) => before.includes(pid)))
})

t.test('a child starved for too long is killed, and its image is not called undecodable', async (t) => {
  const isStarved = () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 20))
  const { sandbox, count } = await openObedient(t, { timeLimitMs: 200, isStarved })
  const before = sandbox.pids
  const never = 'await new Promise(() => { setInterval(() => {}, 1000) })'

  t.same(await sandbox.hash(count('never', never), 'query'), { problem: 'hashing-unavailable' })

  await until(() => !sandbox.pids.some((pid) => before.includes(pid)))
  t.ok(count.of('never') <= 1, 'it is not tried again')
})
