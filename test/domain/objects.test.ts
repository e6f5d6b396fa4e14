// How near pictures of objects have to be: with hashes made at given distances.

import t from 'tap'
import { type AskedPart, objectSurplusBits } from '../../packages/core/src/matching/objects.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

const NONE = Number.POSITIVE_INFINITY

const of = (view: AskedPart['view'], name: string, bits = 0): AskedPart => ({
  type: 'pdq-area',
  view,
  hash: bitsFrom(hashNamed(name), bits),
  rotated: false,
  content: 'full',
})
const surplus = (asked: AskedPart, ...registered: AskedPart[]) => objectSurplusBits([asked], registered, NONE)

t.test('boxes of two objects have to be nearer than other parts', async (t) => {
  t.equal(surplus(of('deframed', 'a', 20), of('piece', 'b'), of('deframed', 'a')), 0)
  t.equal(surplus(of('deframed', 'a', 22), of('piece', 'b'), of('deframed', 'a')), -2)
  t.equal(surplus(of('whole', 'a', 24), of('whole', 'a')), 0)
  t.equal(surplus(of('tilted', 'a', 26), of('crop', 'a')), -2)
  t.equal(surplus(of('piece', 'a', 26), of('piece', 'a')), -2)
})

t.test('a part given as a hash that nobody vouches for is no exception', async (t) => {
  const given = (view: AskedPart['view']) => ({ ...of(view, 'a'), isByHashes: true as const })
  for (const label of ['crop', 'tilted', 'deframed', 'piece'] as const) {
    t.equal(surplus(of('deframed', 'a', 22), given(label)), -2, label)
    t.equal(surplus(of('tilted', 'a', 26), given(label)), -2, label)
  }
  t.equal(surplus(of('deframed', 'a', 42), given('whole')), 0)
})

t.test('a copy in a frame, and a tilted one, is found within the usual distance', async (t) => {
  t.equal(surplus(of('deframed', 'a', 42), of('whole', 'a')), 0)
  t.equal(surplus(of('tilted', 'a', 40), of('whole', 'a')), 0)
  t.equal(
    surplus(of('deframed', 'a', 42), of('deframed', 'a'), of('piece', 'b')),
    0,
    'what is in a registered frame is no box',
  )
  t.equal(surplus({ ...of('deframed', 'a', 36), rotated: true }, of('whole', 'a')), -2, 'rotated copies are nearer')
  t.equal(surplus({ ...of('deframed', 'a', 36), content: 'plain' }, of('whole', 'a')), -2, 'and plain ones')
})

t.test('two observations together are enough within a smaller sum than usual', async (t) => {
  const far = [of('whole', 'a', 60)] as const
  t.equal(objectSurplusBits(far, [of('whole', 'a')], 84), 0)
  t.equal(objectSurplusBits(far, [of('whole', 'a')], 86), -2)
})

t.test('hashes of different algorithms are not compared', async (t) => {
  t.equal(surplus({ ...of('whole', 'a'), type: 'pdq' }, of('whole', 'a')), Number.NEGATIVE_INFINITY)
})

t.test('another object of one kind is for review, and a copy is not', async (t) => {
  const replica = { catalogue: new Catalogue() }
  const matcher = bareMatcher({ replica })
  const signals = [of('whole', 'shirt'), of('piece', 'half'), of('deframed', 'box')].map(({ type, view, hash }) => {
    return { type, view, hash, quality: 100 }
  })
  replica.catalogue.put('00000000-0000-4000-8000-000000000001', imageWith(signals))
  const gradesOf = async (asked: readonly AskedPart[], isObject: boolean) => {
    const query = asked.map(({ type, view, hash }) => ({ type, view, quality: 100, hashes: [hash] }))
    const options = { orgId: 'org', banks: undefined, thresholdBits: 52 }
    const [matches = []] = await matchesOf(matcher, [{ signals: query, isObject }], options)
    return matches.map(({ grade }) => grade)
  }
  const other = [of('whole', 'other'), of('piece', 'other half'), of('deframed', 'box', 30)]
  t.same(await gradesOf(other, false), ['near'], 'flagged if the query does not say what it shows')
  t.same(await gradesOf(other, true), ['review'])
  t.same(await gradesOf([of('whole', 'other'), of('deframed', 'box', 30)], true), ['review'], 'also without pieces')
  t.same(await gradesOf([of('whole', 'shirt', 10), of('piece', 'half', 10)], true), ['strong'])
})
