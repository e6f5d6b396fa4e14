import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import { encodeSupport, tierWith } from '../../src/domain/trust/tier.js'
import type { ImageFacts } from '../../src/services/index/image-facts.js'
import { ImageTable } from '../../src/services/index/image-table.js'
import { runs } from '../helpers/runs.js'

const VERIFIED = encodeSupport({ verifications: 1, attestations: 0, confirmations: 0, notBlocked: 0 })

const trustStatus = fc.record({ support: fc.nat(255), disputed: fc.boolean() })

const facts = fc.record<Omit<ImageFacts, 'disputed'>>({
  bank: fc.constantFrom('cases', 'a', 'b'),
  tier: fc.constantFrom('self-reported', 'ngo-attested', 'platform-confirmed', 'verified'),
  category: fc.constantFrom(undefined, 'nude', 'composite'),
})

/** Ids that meet in one shard and mostly in one slot, unlike random ones. */
function crowdedId(n: number): Uint8Array {
  const id = new Uint8Array(16)
  new DataView(id.buffer).setUint32(0, n)
  id[10] = n % 3
  id[15] = 7
  return id
}

t.test('an image table equals a map, whatever is added and removed and however ids collide', async () => {
  const step = fc.record({ act: fc.constantFrom('add', 'remove', 'judge'), n: fc.nat(60), facts, trustStatus })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const table = new ImageTable()
      const model = new Map<number, { ordinal: number; tier: Tier; facts: ImageFacts }>()
      let next = 0
      for (const { act, n, facts, trustStatus } of steps) {
        const known = model.get(n)
        if (act === 'judge') {
          if (known === undefined) continue
          table.setTrustStatus(known.ordinal, trustStatus)
          const { tier: registered } = known
          const tier = tierWith(registered, trustStatus.support)
          model.set(n, { ...known, facts: { ...known.facts, tier, disputed: trustStatus.disputed } })
        } else if (act === 'remove') {
          if (table.remove(crowdedId(n)) !== known?.ordinal) return false
          model.delete(n)
        } else if (known === undefined) {
          if (table.add(crowdedId(n), facts) !== next) return false
          model.set(n, { ordinal: next++, tier: facts.tier, facts: { ...facts, disputed: false } })
        }
      }
      return (
        table.size === model.size &&
        Array.from({ length: 61 }, (_, n) => {
          const known = model.get(n)
          if (table.find(crowdedId(n)) !== known?.ordinal) return false
          if (known === undefined) return true
          const id = table.idOf(known.ordinal)
          return table.has(known.ordinal) && same(id, crowdedId(n)) && sameFacts(table.factsOf(known.ordinal), known.facts)
        }).every(Boolean)
      )
    }),
    { numRuns: runs(60) },
  )
})

t.test('a hundred thousand images are all found, at less than 40 bytes each', async (t) => {
  const table = new ImageTable()
  const ids = Array.from({ length: 100_000 }, () => randomBytes(16))
  for (const id of ids) table.add(id, { bank: 'cases', tier: 'verified', category: undefined })
  t.ok(ids.every((id, ordinal) => table.find(id) === ordinal))
  t.ok(table.bytes / ids.length < 40, `${table.bytes / ids.length} bytes`)
  t.equal(table.find(randomBytes(16)), undefined)
})

t.test('setting the trust status of an unknown image throws', async (t) => {
  const table = new ImageTable()
  table.add(randomBytes(16), { bank: 'cases', tier: 'verified', category: 'nude' })
  t.throws(() => table.setTrustStatus(1, { support: VERIFIED, disputed: true }), RangeError)
})

t.test('a removed image leaves nothing of its id behind', async (t) => {
  const table = new ImageTable()
  const id = Uint8Array.from({ length: 16 }, (_, i) => i + 1)
  table.add(id, { bank: 'cases', tier: 'verified', category: 'nude' })
  table.remove(id)
  t.equal(table.has(0), false)
  t.equal(table.idOf(0), undefined)
  t.equal(table.factsOf(0), undefined)
  for (const page of table.pages()) t.same([...page.ids, ...page.facts, ...page.banks], new Array(18).fill(0))
  t.equal(table.remove(id), undefined)
})

t.test('restored pages give the same table with the same ordinals, removed ones included', async (t) => {
  const table = new ImageTable()
  const ids = Array.from({ length: 70_000 }, () => randomBytes(16))
  ids.forEach((id, i) => {
    table.add(id, { bank: `bank ${i % 5}`, tier: 'ngo-attested', category: 'synthetic' })
  })
  ids.forEach((id, i) => {
    if (i % 7 === 0) table.remove(id)
  })
  table.setTrustStatus(1, { support: VERIFIED, disputed: true })
  const copy = new ImageTable()
  copy.bankNumber('another, so that numbers differ')
  for (const page of table.pages()) for (const _ of copy.restore(page, table.bankNames));

  t.equal(copy.size, table.size)
  t.ok(copy.bytes <= table.bytes, 'it takes no more memory')
  const next = randomBytes(16)
  t.equal(copy.add(next, { bank: 'a', tier: 'verified', category: undefined }), 70_000, 'removed ordinals are not reused')
  t.ok(ids.every((id, i) => copy.find(id) === (i % 7 === 0 ? undefined : i)))
  t.match(table.factsOf(1), { tier: 'verified', disputed: true })
  t.match(copy.factsOf(1), { tier: 'ngo-attested', disputed: false }, 'trust status comes from the store')
  table.setTrustStatus(1, { support: 0, disputed: false })
  t.ok(ids.every((_, i) => sameFacts(copy.factsOf(i), table.factsOf(i))))
})

t.test('more than 65,536 banks are told apart, and numbers of banks without images are reused', async (t) => {
  const table = new ImageTable()
  const facts = { tier: 'verified', category: undefined } as const
  const ids = Array.from({ length: 70_000 }, () => randomBytes(16))
  ids.forEach((id, i) => {
    table.add(id, { ...facts, bank: `bank ${i}` })
  })
  t.ok(ids.every((_, i) => table.factsOf(i)?.bank === `bank ${i}`))
  const copy = new ImageTable()
  for (const page of table.pages()) for (const _ of copy.restore(page, table.bankNames));
  t.ok(ids.every((_, i) => copy.factsOf(i)?.bank === `bank ${i}`))
  const counted = finished(copy.countByOwner())
  t.equal(counted.length, 70_000)
  t.match(counted[69_999], { bank: 'bank 69999', tier: 'verified', images: 1 })

  ids.slice(10).forEach((id) => {
    copy.remove(id)
  })
  copy.describe(9, { ...facts, bank: 'renamed' })
  for (let i = 0; i < 100; i++) {
    const id = randomBytes(16)
    const ordinal = copy.add(id, { ...facts, bank: `new ${i}` })
    if (copy.factsOf(ordinal)?.bank !== `new ${i}`) t.fail('another bank')
    copy.remove(id)
  }
  t.equal(copy.bankNames.length, 70_000, 'no new number was needed')
  t.same(
    Array.from({ length: 10 }, (_, i) => copy.factsOf(i)?.bank),
    [...Array.from({ length: 9 }, (_, i) => `bank ${i}`), 'renamed'],
  )
})

function finished<T>(work: Generator<void, T, void>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0
}

function sameFacts(a: ImageFacts | undefined, b: ImageFacts | undefined): boolean {
  return a?.bank === b?.bank && a?.tier === b?.tier && a?.category === b?.category && a?.disputed === b?.disputed
}

t.test('an image of hashes alone is known as one until an organisation supports it', async (t) => {
  const table = new ImageTable()
  const facts = { bank: 'cases', tier: 'self-reported', category: 'nude' } as const
  const ordinal = table.add(randomBytes(16), { ...facts, isByHashes: true })
  const other = table.add(randomBytes(16), facts)
  const copy = new ImageTable()
  for (const page of table.pages()) for (const _ of copy.restore(page, table.bankNames));
  t.same([copy.factsOf(ordinal)?.isByHashes, copy.factsOf(other)?.isByHashes], [true, undefined])
  t.match(finished(copy.countByOwner()), [{ ...facts, images: 2 }])
  copy.setTrustStatus(ordinal, {
    support: encodeSupport({ verifications: 0, attestations: 1, confirmations: 0, notBlocked: 0 }),
    disputed: true,
  })
  t.match(copy.factsOf(ordinal), { tier: 'ngo-attested', category: 'nude', disputed: true })
  t.equal(copy.factsOf(ordinal)?.isByHashes, undefined)
})
