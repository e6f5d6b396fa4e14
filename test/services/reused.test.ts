// An answer is reused for a while, by all who ask meanwhile; a failure is not.

import t from 'tap'
import { reused } from '../../src/services/load/reused.js'

t.test('it is read once in a while, and once by all who wait for it', async (t) => {
  let [nowMs, reads] = [0, 0]
  const ask = reused(
    async () => ++reads,
    1000,
    () => nowMs,
  )
  t.same(await Promise.all([ask(), ask()]), [1, 1])
  nowMs = 999
  t.equal(await ask(), 1)
  nowMs = 1000
  t.equal(await ask(), 2)
  nowMs = 0
  t.equal(await ask(), 3, 'a clock that was set back')
})

t.test('a failure is not reused, and a late one forgets no newer answer', async (t) => {
  let nowMs = 0
  const answers = [Promise.reject(new Error('gone')), Promise.resolve('there')]
  const ask = reused(
    () => answers.shift() ?? Promise.resolve('again'),
    1000,
    () => nowMs,
  )
  await t.rejects(ask(), /gone/)
  t.equal(await ask(), 'there')
  t.equal(await ask(), 'there')
  let fail = (_: Error) => {}
  answers.push(new Promise<never>((_, reject) => (fail = reject)), Promise.resolve('newer'))
  nowMs = 1000
  const late = ask()
  nowMs = 2000
  t.equal(await ask(), 'newer')
  fail(new Error('late'))
  await t.rejects(late, /late/)
  t.equal(await ask(), 'newer')
})
