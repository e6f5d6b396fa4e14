// A process that passes pictures through collects its garbage regularly.

import t from 'tap'
import { collectEvery } from '../../workers/heap.js'

t.test('all garbage is collected after a number of pictures', async (t) => {
  const after = collectEvery(3)
  for (const round of ['first', 'second']) {
    const garbage = new WeakRef({ round })
    after()
    after()
    await new Promise((resolve) => setImmediate(resolve)) // its creator holds it until then
    after()
    t.equal(garbage.deref(), undefined, round)
  }
})
