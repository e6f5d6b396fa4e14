import t from 'tap'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { subjectGroupOf } from '../../src/services/intake/subject-groups.js'
import { bitsFrom, hashNamed, symmetricOf } from '../helpers/hashes.js'

const any = hashNamed('any')
const symmetric = symmetricOf(hashNamed('symmetric'))

t.test('a picture joins the subject group of an image that one of its views would find alone, and no other', async (t) => {
  const catalogue = new Catalogue()
  const signals = [any, symmetric].map((hash) => ({ type: 'pdq-area', view: 'deframed', quality: 100, hash }) as const)
  const details = { width: 480, height: 320, subjectGroup: 9, rows: [{ place: 1, pose: 1, hash: hashNamed('row') }] }
  const image = { bank: 'cases', tier: 'verified', category: undefined, ref: undefined, createdAtMs: 1 } as const
  catalogue.put('01234567-89ab-7def-8123-456789abcdef', { ...image, signals, details })
  const subjectGroupOfView = (hash: Hash256, quality = 100) => {
    const search = subjectGroupOf(catalogue.searcher(), [{ type: 'pdq-area', view: 'deframed', quality, hash }])
    let step = search.next()
    while (step.done !== true) step = search.next()
    return step.value
  }

  t.same(
    [42, 43].map((bits) => subjectGroupOfView(bitsFrom(any, bits))),
    [9, undefined],
  )
  t.same(
    [34, 35].map((bits) => subjectGroupOfView(bitsFrom(any, bits), 69)),
    [9, undefined],
    'a plain view has to be nearer',
  )
  t.same(
    [22, 23].map((bits) => subjectGroupOfView(bitsFrom(symmetric, bits))),
    [9, undefined],
    'so does a view that is symmetric about a diagonal',
  )
})
