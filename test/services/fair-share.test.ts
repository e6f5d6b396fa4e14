import t from 'tap'
import { mostMatchesOf, shareOfMatches } from '../../src/services/fair-share.js'

t.test('of very many matches each bank keeps its first, and what is for review takes no other’s place', async (t) => {
  const of = (bank: string, count: number, grade: 'near' | 'review' = 'near') =>
    Array.from({ length: count }, (_, i) => ({ imageId: `${String(i).padStart(13, '0')}-x`, match: { bank, grade } }))
  const banksOf = (kept: readonly { readonly match: { readonly bank: string } }[]) =>
    Array.from(new Set(kept.map(({ match }) => match.bank)), (bank) => [
      bank,
      kept.filter(({ match }) => match.bank === bank).length,
    ])
  const all = [...of('crowd', 500, 'review'), ...of('loud', 500), ...of('cases', 500), ...of('quiet', 1)]

  t.same(banksOf(shareOfMatches(all, 101)), [
    ['loud', 50],
    ['cases', 50],
    ['quiet', 1],
  ])
  t.same(banksOf(shareOfMatches([...of('crowd', 500, 'review'), ...of('quiet', 1)], 100)), [
    ['crowd', 99],
    ['quiet', 1],
  ])
  t.equal(mostMatchesOf(1), 100)
  t.equal(mostMatchesOf(200), 100)
  t.equal(mostMatchesOf(1000), 20, 'a call has a bounded answer')
})
