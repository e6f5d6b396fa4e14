// Which images changed last, within bounded memory.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { createRecentChanges } from '../../src/services/index/recent-changes.js'

const MAX = 4096

/** Like real ids, but their last bytes rotate, so that each occurs equally often. */
function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = randomBytes(16)
    bytes[15] = i & 0xff
    return formatUuid(bytes)
  })
}

t.test('the last change of an image counts, whatever its kind', async (t) => {
  const recent = createRecentChanges()
  const [first = '', second = ''] = idsOf(2)
  recent.note([
    { op: 'image', revision: 1, imageIds: [first, second] },
    { op: 'bank', revision: 2, name: 'bank' },
    { op: 'tombstone', revision: 3, imageIds: [first] },
  ])
  t.equal(recent.changedAfter(first, 2), true)
  t.equal(recent.changedAfter(first, 3), false)
  t.equal(recent.changedAfter(second, 0), true)
  t.equal(recent.changedAfter(second, 1), false)
  t.equal(recent.changedAfter(idsOf(1)[0] ?? '', 0), false, 'an image that never changed')
})

t.test(
  'of very many changes the newest are kept, within the limit; an image that changes again counts as new',
  async (t) => {
    const recent = createRecentChanges(MAX)
    const ids = idsOf(4 * MAX)
    const [again = ''] = ids
    for (const [i, id] of ids.entries())
      recent.note([{ op: 'image', revision: i + 1, imageIds: i % 500 === 499 ? [id, again] : [id] }])
    const known = ids.map((id) => recent.changedAfter(id, 0))
    t.equal(known.filter(Boolean).length, MAX, 'all shards are full, and none has more')
    t.equal(known.slice(0, MAX).filter(Boolean).length, 1)
    t.equal(recent.changedAfter(again, 4 * MAX - 500), true)
    t.ok(known.slice(-MAX / 2).every(Boolean), 'the newest are all there')
  },
)
