import { t } from 'tap'
import { tickEnds, yielder } from '../../src/services/load/yielding.js'

t.test('the event loop turns when work has kept it for a slice, and not before', async (t) => {
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
  t.ok(scheduler > 0, 'others had their turn')

  t.equal(yieldIfNeeded(), undefined, 'the slice begins anew')
  nowMs += 5
  t.ok(yieldIfNeeded())
})

t.test('who asks within one turn waits for the same end, and goes on in the order of asking', async (t) => {
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
  t.same(done, [], 'nobody searches while others still come in')
  ends.shift()?.()
  await Promise.all(first)
  t.same(done, ['one searches', 'two searches', 'one answers', 'two answers'], 'each step of all, then the next')

  const late = work('three')
  t.equal(ends.length, 1, 'who comes later waits for the end of another turn')
  ends.shift()?.()
  await late
})
