import { t } from 'tap'
import { paceMaker } from '../../src/services/pace.js'

t.test('the event loop turns when work has kept it for a slice, and not before', async (t) => {
  let nowMs = 100
  const giveWay = paceMaker(5, () => nowMs)
  let turns = 0
  const turning = () => {
    turns++
    waiting = setImmediate(turning)
  }
  let waiting = setImmediate(turning)
  t.teardown(() => clearImmediate(waiting))

  nowMs += 4.9
  t.equal(giveWay(), undefined, 'nothing to wait for')
  nowMs += 0.1
  const turn = giveWay()
  t.ok(turn)
  await turn
  t.ok(turns > 0, 'others had their turn')

  t.equal(giveWay(), undefined, 'the slice begins anew')
  nowMs += 5
  t.ok(giveWay())
})
