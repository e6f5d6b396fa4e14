// What a put changes in the catalogue, and what it leaves in place.

import { t } from 'tap'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { encodeSupport } from '../../src/domain/trust/tier.js'
import { NO_TRUST_STATUS } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { Searcher } from '../../src/services/index/searcher.js'
import { hashNamed } from '../helpers/hashes.js'

const VERIFIED = encodeSupport({ verifications: 1, attestations: 0, confirmations: 0, notBlocked: 0 })

const ID = '01234567-89ab-7def-8123-456789abcdef'
const hash = hashNamed('a')
const row = { place: 3, pose: 4, hash: hashNamed('row') }
const image: RegisteredImage = {
  bank: 'cases',
  tier: 'ngo-attested',
  category: undefined,
  ref: undefined,
  createdAtMs: 1,
  signals: [
    { type: 'pdq', view: 'whole', quality: 100, hash },
    { type: 'pdq', view: 'crop', quality: 90, hash: hashNamed('b') },
    { type: 'sha256', view: 'whole', quality: 100, hash: hashNamed('file') },
  ],
  details: { width: 480, height: 320, subjectGroup: 9, rows: [row] },
}

function registered(record: RegisteredImage = image) {
  const catalogue = new Catalogue()
  for (let n = 1; n <= 9; n++) catalogue.put(ID.replace(/^0/, String(n)), { ...image, signals: image.signals.slice(1) })
  catalogue.put(ID, record)
  const ordinal = () => catalogue.index('pdq').within([hash], 0)[0]?.image
  return { catalogue, ordinal, first: ordinal() }
}

t.test('an image that is put unchanged, or with another quality or reference, keeps its rows', async (t) => {
  const { catalogue, ordinal, first } = registered()
  const rows = catalogue.index('pdq').rows
  catalogue.put(ID, { ...image })
  catalogue.put(ID, {
    ...image,
    ref: 'other',
    createdAtMs: 2,
    signals: image.signals.map((one) => ({ ...one, quality: 7 })),
  })
  t.equal(ordinal(), first)
  t.equal(catalogue.index('pdq').rows, rows, 'no row was written')
  while (catalogue.tidy());
  catalogue.put(ID, image)
  t.equal(ordinal(), first, 'also after compaction')
})

t.test('another bank or category changes the image in place and keeps its trust status', async (t) => {
  const { catalogue, ordinal, first } = registered()
  catalogue.setTrustStatus(ID, { ...NO_TRUST_STATUS, support: VERIFIED, disputed: true })
  catalogue.put(ID, { ...image, bank: 'other', category: 'composite' })
  t.equal(ordinal(), first)
  const facts = { bank: 'other', category: 'composite', tier: 'verified', disputed: true }
  t.same(catalogue.image(first ?? -1), { id: ID, ...facts })
  catalogue.put(ID, { ...image, bank: 'other', signals: image.signals.slice(0, 1) })
  t.same(catalogue.image(ordinal() ?? -1), { id: ID, ...facts, category: undefined }, 'also with other rows')
})

const [whole, crop, file] = image.signals
const { details } = image
if (whole === undefined || crop === undefined || file === undefined || details === undefined)
  throw new Error('they are above')
type Other = Partial<Omit<RegisteredImage, 'details'>> & { readonly details?: RegisteredImage['details'] | undefined }
const otherRows: Readonly<Record<string, Other>> = {
  'one more': { signals: [...image.signals, crop] },
  'one less': { signals: [whole, crop] },
  'another hash': { signals: [whole, crop, { ...file, hash }] },
  'another view': { signals: [whole, { ...crop, view: 'piece' }, file] },
  'another type': { signals: [whole, crop, { ...file, type: 'blockhash' }] },
  'another order': { signals: [crop, whole, file] },
  'no details': { details: undefined },
  'another subject group': { details: { ...details, subjectGroup: 8 } },
  'another size': { details: { ...details, height: 318 } },
  'another place': { details: { ...details, rows: [{ ...row, place: 5 }] } },
  'another detail': { details: { ...details, rows: [{ ...row, hash }] } },
}

for (const [how, change] of Object.entries(otherRows)) {
  t.test(`other rows replace the old ones in search: ${how}`, async (t) => {
    const { catalogue, ordinal, first } = registered()
    const { details: changed, ...rest } = { ...image, ...change }
    const record: RegisteredImage = changed === undefined ? rest : { ...rest, details: changed }
    const before = catalogue.searcher()
    catalogue.put(ID, record)
    t.ok(before.has(first ?? -1), 'a search that began before still knows the old rows')
    before.release()
    t.notOk(before.has(first ?? -1))
    t.not(ordinal(), first)
    const fresh = registered(record)
    for (const type of ['pdq', 'blockhash', 'sha256', 'detail'] as const)
      t.equal(catalogue.index(type).liveRows, fresh.catalogue.index(type).liveRows, type)
    t.same(catalogue.places.sizeOf(ordinal() ?? -1), fresh.catalogue.places.sizeOf(fresh.first ?? -1))
    t.equal(catalogue.images, 10)
  })
}

t.test('a search finds details at the places they had when it began', async (t) => {
  const { catalogue, first } = registered()
  const detailsSeen = (searcher: Searcher) => {
    const search = searcher.search('detail', [row.hash], 0)
    let step = search.next()
    while (step.done !== true) step = search.next()
    return step.value.flatMap((hit) => {
      const seen = searcher.image(hit.image)
      return seen?.id === ID ? [{ ordinal: hit.image, ...searcher.places.rowOf(hit.image, hit.view) }] : []
    })
  }
  const before = catalogue.searcher()
  const old = { ordinal: first, place: 3, pose: 4 }
  t.same(detailsSeen(before), [old])
  const other = { place: 9, pose: 9, hash: hashNamed('other row') }
  catalogue.put(ID, { ...image, details: { ...details, rows: [other, { ...row, place: 7 }] } })
  const after = catalogue.searcher()
  t.same(detailsSeen(before), [old])
  t.match(detailsSeen(after), [{ place: 7, pose: 4 }])
  before.release()
  t.match(detailsSeen(after), [{ place: 7, pose: 4 }])
  after.release()
})

t.test('a withdrawal reaches searches that still see older rows of the image', async (t) => {
  const { catalogue, first } = registered()
  const before = catalogue.searcher()
  for (const view of ['piece', 'deframed', 'crop'] as const)
    catalogue.put(ID, { ...image, signals: [whole, { ...crop, view, hash: hashNamed(view) }] })
  t.ok(before.has(first ?? -1))
  catalogue.remove(ID)
  t.notOk(before.has(first ?? -1))
  t.equal(before.image(first ?? -1), undefined)
  t.equal(catalogue.index('pdq').liveRows, 9)
  before.release()
  t.equal(catalogue.index('pdq').liveRows, 9)
})
