import t from 'tap'
import { createPictureShares } from '../../src/services/intake/picture-shares.js'

const at = (group: string, member: string) => ({ group, member })

t.test('the first picture of every submitter comes before the second of any', async (t) => {
  const shares = createPictureShares()
  const flood = Array.from({ length: 60 }, (_, i) => shares.enter(at('attacker', `case ${i % 3}`), 10))

  t.equal(shares.enter(at('she', 'case'), 2).behind, 0, 'no picture of the flood goes before her first')
  t.equal(shares.enter(at('she', 'case'), 2).behind, 2, 'her second picture waits for her first')
  t.ok(
    (flood.at(-1)?.behind ?? 0) >= 500,
    'the last of the flood is behind all others of the flood, however it is split into cases',
  )
})

t.test('each case behind a shared address has an equal share', async (t) => {
  const shares = createPictureShares()
  for (let i = 0; i < 60; i++) shares.enter(at('one address', `case ${i % 3}`), 10)

  t.equal(shares.enter(at('one address', 'hers'), 2).behind, 6, 'as much of each other case as she sends')
})

t.test('more cases behind one address gain no more of the workers', async (t) => {
  const shares = createPictureShares()
  const behind = Array.from({ length: 100 }, (_, i) => shares.enter(at('attacker', `case ${i}`), 1).behind)

  t.same(behind, [...behind.keys()])
})

t.test('a picture that has left is not counted, and leaves only once', async (t) => {
  const shares = createPictureShares()
  const first = shares.enter(at('she', 'case'), 5)
  const second = shares.enter(at('she', 'case'), 5)
  first.leave()
  first.leave()
  t.equal(shares.enter(at('she', 'case'), 5).behind, 5, 'leaving twice counts once')
  second.leave()
})
