import t from 'tap'
import type { Hit } from '../../packages/core/src/search/hit.js'
import type { Searcher } from '../../src/services/index/searcher.js'
import { maxMatchesOf, shareOfHits, shareOfMatches } from '../../src/services/matching/fair-share.js'

const pseudonymOf = (bank: string) => (bank === 'cases' ? undefined : bank.split('/')[0])

t.test('of very many matches each bank keeps its first, and a match for review takes no place of another', async (t) => {
  const of = (bank: string, count: number, grade: 'near' | 'review' = 'near') =>
    Array.from({ length: count }, (_, i) => ({ imageId: `${String(i).padStart(13, '0')}-x`, match: { bank, grade } }))
  const banksOf = (kept: readonly { readonly match: { readonly bank: string } }[]) =>
    Array.from(new Set(kept.map(({ match }) => match.bank)), (bank) => [
      bank,
      kept.filter(({ match }) => match.bank === bank).length,
    ])
  const all = [...of('crowd', 500, 'review'), ...of('loud', 500), ...of('cases', 500), ...of('quiet', 1)]

  t.same(banksOf(shareOfMatches(all, 101, pseudonymOf)), [
    ['loud', 50],
    ['cases', 50],
    ['quiet', 1],
  ])
  t.same(banksOf(shareOfMatches([...of('crowd', 500, 'review'), ...of('quiet', 1)], 100, pseudonymOf)), [
    ['crowd', 99],
    ['quiet', 1],
  ])
  t.equal(maxMatchesOf(1), 100)
  t.equal(maxMatchesOf(200), 100)
  t.equal(maxMatchesOf(1000), 20, 'the answer to a call is bounded')
})

t.test('opening many banks or cases gains no places in an answer', async (t) => {
  const of = (bank: string, count: number, case_?: number) =>
    Array.from({ length: count }, (_, i) => ({
      imageId: `${String(case_ ?? i).padStart(13, '0')}-${i}`,
      match: { bank, grade: 'near' as const },
    }))
  const loud = Array.from({ length: 150 }, (_, i) => of(`loud/${i}`, 2)).flat()
  const cases = Array.from({ length: 60 }, (_, i) => of('cases', 5, i)).flat()
  const kept = shareOfMatches([...loud, ...cases, ...of('cases', 1, 999), ...of('quiet/1', 1)], 130, pseudonymOf)
  t.equal(kept.length, 130)
  t.ok(kept.some(({ match }) => match.bank === 'quiet/1'))
  t.ok(
    kept.some(({ imageId }) => imageId.startsWith('0000000000999')),
    'the one image of a case, after five of each of 60 cases',
  )
})

/** Banks in order of distance: of each so many images, of so many cases. @returns how many are kept of each. */
function sharedHits(banks: readonly { readonly name: string; readonly images: number; readonly cases?: number }[]) {
  const images = banks.flatMap(({ name, images: count, cases = count }, nth) =>
    Array.from({ length: count }, (_, i) => ({ name, nth, origin: 100_000 * nth + (i % cases) })),
  )
  const searcher = {
    factsOf: (image: number) => ({ bank: images[image]?.name }),
    originOf: (image: number) => images[image]?.origin,
    imageOrdinal: (image: number) => image,
    banks: new Map(banks.map(({ name }) => [name, { orgId: pseudonymOf(name) }])),
  } as unknown as Searcher
  const hits = images.map((_, image) => ({ image, distanceBits: image / 1000 }) as Hit)
  const work = shareOfHits(searcher, hits, () => true)
  let step = work.next()
  while (step.done !== true) step = work.next()
  const { hits: kept, isAll } = step.value
  return { isAll, kept: banks.map((_, nth) => kept.filter(({ image }) => images[image]?.nth === nth).length) }
}

t.test('nearer copies in many banks and cases leave a place for what others registered', async (t) => {
  const five = Array.from({ length: 5 }, (_, i) => ({ name: `loud/${i}`, images: 400 }))
  for (const name of ['cases', 'quiet/1']) {
    const { kept, isAll } = sharedHits([...five, { name, images: 1 }])
    t.same([isAll, kept.at(-1)], [false, 1], `five banks of 400 before ${name}`)
  }
  const colluding = Array.from({ length: 9 }, (_, i) => ({ name: `loud${i}/1`, images: 400 }))
  t.equal(sharedHits([...colluding, { name: 'quiet/1', images: 1 }]).kept.at(-1), 1, 'of nine organisations')

  const { kept } = sharedHits([
    { name: 'cases', images: 640, cases: 80 },
    { name: 'cases', images: 1 },
  ])
  t.same(kept, [399, 1], 'one case after eighty cases of eight images')
})
