// Garbage of a process that passes pictures through does not lie for hours.

import t from 'tap'
import { collectEvery } from '../../workers/heap.js'

t.test('all garbage is gone after so many pictures', async (t) => {
  const after = collectEvery(3)
  for (const round of ['first', 'second']) {
    const garbage = new WeakRef({ round })
    after()
    after()
    await new Promise((resolve) => setImmediate(resolve)) // until then whoever made it holds it
    after()
    t.equal(garbage.deref(), undefined, round)
  }
})
