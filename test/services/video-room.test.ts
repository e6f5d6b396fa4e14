// How many videos a process and a caller may hold at a time.

import t from 'tap'
import { createVideoRoom } from '../../src/services/intake/video-room.js'

const OVERLOADED = { code: 'overloaded' }

t.test('all callers together have a limit, and one caller has half of it', async (t) => {
  const room = createVideoRoom({ maxBytes: 100, maxInFlightBytes: 200 })
  t.equal(room.maxBytes, 100)
  const leaves = [room.enter('one', 60), room.enter('one', 40)]
  t.throws(() => room.enter('one', 1), OVERLOADED)
  leaves.push(room.enter('two', 90))
  t.throws(() => room.enter('three', 11), OVERLOADED)
  leaves.push(room.enter('three', 10))
  leaves[0]?.()
  leaves[0]?.() // counts once
  t.throws(() => room.enter('three', 61), OVERLOADED)
  room.enter('one', 60)
})

t.test('the first video of a caller may have any size that fits', async (t) => {
  const room = createVideoRoom({ maxBytes: 100, maxInFlightBytes: 80 })
  t.equal(room.maxBytes, 80)
  room.enter('one', 80)
})

t.test('the number of videos is limited, per caller and in all', async (t) => {
  const room = createVideoRoom({ maxBytes: 100, maxInFlightBytes: 1000 })
  for (let i = 0; i < 16; i++) room.enter('one', 1)
  t.throws(() => room.enter('one', 1), OVERLOADED)
  for (let i = 0; i < 16; i++) room.enter('two', 1)
  t.throws(() => room.enter('three', 1), OVERLOADED)
})
