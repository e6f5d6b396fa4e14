import t from 'tap'
import { createPictureShares } from '../../src/services/intake/picture-shares.js'

const at = (group: string, member: string) => ({ group, member })

t.test('the first picture of everybody comes before the second of anybody', async (t) => {
  const shares = createPictureShares()
  const flood = Array.from({ length: 60 }, (_, i) => shares.enter(at('attacker', `case ${i % 3}`), 10))

  t.equal(shares.enter(at('she', 'case'), 2).behind, 0, 'nothing of what he sends goes before what she sends')
  t.equal(shares.enter(at('she', 'case'), 2).behind, 2, 'her second comes behind her first')
  t.ok((flood.at(-1)?.behind ?? 0) >= 500, 'and his last behind all of his, whatever cases it is dealt out to')
})

t.test('who shares an address has as much of it as each case behind it', async (t) => {
  const shares = createPictureShares()
  for (let i = 0; i < 60; i++) shares.enter(at('one address', `case ${i % 3}`), 10)

  t.equal(shares.enter(at('one address', 'hers'), 2).behind, 6, 'of each of the others as much as she sends')
})

t.test('more cases behind one address are no more of the workers', async (t) => {
  const shares = createPictureShares()
  const behind = Array.from({ length: 100 }, (_, i) => shares.enter(at('attacker', `case ${i}`), 1).behind)

  t.same(behind, [...behind.keys()])
})

t.test('what waits no more is not counted, and nothing is kept of who has nothing waiting', async (t) => {
  const shares = createPictureShares()
  const first = shares.enter(at('she', 'case'), 5)
  const second = shares.enter(at('she', 'case'), 5)
  first.leave()
  first.leave()
  t.equal(shares.enter(at('she', 'case'), 5).behind, 5, 'told twice, it left once')
  second.leave()
})
