import { t } from 'tap'
import { tickEnds, yielder } from '../../src/services/load/yielding.js'

t.test('work yields to the event loop after a slice, not before', async (t) => {
  let nowMs = 100
  const yieldIfNeeded = yielder(5, () => nowMs)
  let scheduler = 0
  const turning = () => {
    scheduler++
    waiting = setImmediate(turning)
  }
  let waiting = setImmediate(turning)
  t.teardown(() => clearImmediate(waiting))

  nowMs += 4.9
  t.equal(yieldIfNeeded(), undefined, 'nothing to wait for')
  nowMs += 0.1
  const turn = yieldIfNeeded()
  t.ok(turn)
  await turn
  t.ok(scheduler > 0, 'other work had its turn')

  t.equal(yieldIfNeeded(), undefined, 'the slice begins again')
  nowMs += 5
  t.ok(yieldIfNeeded())
})

t.test('work that asks within one turn waits for the same end, and continues in the order of asking', async (t) => {
  const ends: (() => void)[] = []
  const tickEnd = tickEnds((callback) => ends.push(callback))
  const done: string[] = []
  const work = async (name: string) => {
    await tickEnd()
    done.push(`${name} searches`)
    await undefined
    done.push(`${name} answers`)
  }

  const first = [work('one'), work('two')]
  t.equal(ends.length, 1, 'one look at the queue for both')
  t.same(done, [], 'nothing searches while more requests arrive')
  ends.shift()?.()
  await Promise.all(first)
  t.same(done, ['one searches', 'two searches', 'one answers', 'two answers'], 'one step of all, then the next')

  const late = work('three')
  t.equal(ends.length, 1, 'a later request waits for the end of another turn')
  ends.shift()?.()
  await late
})
