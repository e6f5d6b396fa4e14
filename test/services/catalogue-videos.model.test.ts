// A catalogue of pictures and videos against a plain list, through puts, replacements, trust changes, withdrawals,
// dumps and loads.

import assert from 'node:assert/strict'
import { serialize } from 'node:v8'
import fc from 'fast-check'
import t from 'tap'
import { formatUuid, parseUuid } from '../../packages/core/src/ids.js'
import { CASES_BANK, JUDGED_HARMLESS_BANK } from '../../packages/core/src/matching/bank.js'
import { type RegisteredImage, signalsByFrame, viewOf } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, type SignalType } from '../../packages/core/src/matching/signal-types.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { MAX_STOPPED_VIEWS, MAX_VIEW } from '../../src/domain/trust/flood.js'
import { encodeSupport, tierWith } from '../../src/domain/trust/tier.js'
import { NO_TRUST_STATUS, type TrustStatus } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { readPiece } from '../../src/services/index/catalogue-dump.js'
import { ID_PARTS } from '../../src/services/index/ordinals-by-id.js'
import { encodeImage } from '../../src/store/images/image-record.js'
import { ColumnsBuilder } from '../../src/store/images/reader/columns.js'
import { hashNamed } from '../helpers/hashes.js'
import { runs } from '../helpers/runs.js'

const IMAGES = 4
const MAX_FRAMES = 4
const VARIANTS = 2
const VERIFIED = encodeSupport({ verifications: 1, attestations: 0, confirmations: 0, notBlocked: 0 })

const hashes = new Map<string, { readonly type: SignalType; readonly hash: Hash256 }>()
/** Frame −1 stands for the file. */
function hashOf(n: number, frame: number, variant: number, type: SignalType): Hash256 {
  const name = `${n} ${frame} ${variant} ${type}`
  const hash = hashes.get(name)?.hash ?? hashNamed(name)
  hashes.set(name, { type, hash })
  return hash
}

const nth = fc.nat(IMAGES - 1)
const frame = fc.record({ atMs: fc.nat(600_000), variant: fc.nat(VARIANTS - 1), areas: fc.nat(2) })
const put = fc.record({
  do: fc.constant('put' as const),
  nth,
  bank: fc.constantFrom(CASES_BANK.name, 'other'),
  variant: fc.nat(VARIANTS - 1),
  frames: fc.option(fc.array(frame, { maxLength: MAX_FRAMES })),
})
const judge = fc.record({
  do: fc.constant('judge' as const),
  nth,
  status: fc.record({
    support: fc.constantFrom(0, VERIFIED),
    disputed: fc.boolean(),
    matches: fc.boolean(),
    narrowed: fc.boolean(),
    stoppedViews: fc.uniqueArray(fc.nat(MAX_VIEW), { maxLength: MAX_STOPPED_VIEWS }),
    harmless: fc.boolean(),
  }),
})
const simple = fc.oneof(
  { weight: 6, arbitrary: put },
  { weight: 2, arbitrary: judge },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'put again' as const), nth }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('tidy' as const, 'search' as const, 'release' as const) }) },
)
type Simple = typeof simple extends fc.Arbitrary<infer T> ? T : never
const change = fc.oneof(
  { weight: 12, arbitrary: simple },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('load' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('dump' as const), during: fc.array(simple, { maxLength: 4 }) }) },
)

function imageOf({ nth, bank, variant, frames }: typeof put extends fc.Arbitrary<infer T> ? T : never): RegisteredImage {
  const row = (frame: number, of: number, type: 'pdq' | 'pdq-area' | 'sha256') =>
    ({ type, view: 'whole', quality: 90, hash: hashOf(nth, frame, of, type) }) as const
  const facts = { bank, tier: 'ngo-attested', category: 'nude', ref: undefined, createdAtMs: 1 } as const
  const file = [row(-1, variant, 'sha256')]
  if (frames === null) return { ...facts, signals: [...file, row(0, variant, 'pdq')] }
  const signals = frames.flatMap(({ variant, areas }, frame) =>
    [
      row(frame, variant, 'pdq'),
      row(frame, variant, 'pdq-area'),
      { ...row(frame, variant, 'pdq-area'), view: 'crop' } as const,
    ]
      .slice(0, 1 + areas)
      .map((signal) => ({ ...signal, frame })),
  )
  return {
    ...facts,
    video: { durationMs: 600_000, framesAtMs: frames.map(({ atMs }) => atMs) },
    signals: [...file, ...signals],
  }
}

/** As read from the store at a start, and as a change of the stream. */
function applyStatus(catalogue: Catalogue, id: string, image: RegisteredImage, status: TrustStatus): void {
  if (!catalogue.setTrustStatus(id, status)) return
  catalogue.put(id, image)
  assert.equal(catalogue.setTrustStatus(id, status), false)
}

class World {
  catalogue = new Catalogue()
  readonly #images = new Map<number, RegisteredImage>()
  readonly #statuses = new Map<number, TrustStatus>()
  readonly #ordinals = new Set<number>()
  #searchers: ReturnType<Catalogue['searcher']>[] = []

  take(each: Simple): void {
    if ('nth' in each) this.#write(each.nth, each)
    else if (each.do === 'tidy') this.catalogue.tidy()
    else if (each.do === 'search') this.#searchers.push(this.catalogue.searcher())
    else this.#searchers.shift()?.release()
  }

  #write(n: number, each: Extract<Simple, { readonly nth: number }>): void {
    const known = this.#images.get(n)
    if (each.do === 'remove') {
      this.#images.delete(n)
      this.#statuses.delete(n)
      this.catalogue.remove(idOf(n))
    } else if (each.do === 'judge') {
      if (known === undefined) return
      this.#statuses.set(n, each.status)
      applyStatus(this.catalogue, idOf(n), known, each.status)
    } else {
      const image =
        each.do === 'put' ? imageOf(each) : known && { ...known, signals: known.signals.map((one) => ({ ...one })) }
      if (image === undefined) return
      this.#images.set(n, image)
      this.catalogue.put(idOf(n), image)
    }
  }

  /** Restarts from a snapshot written while changes came, which the stream then sends again. */
  dump(during: readonly Simple[]): void {
    const copy = new Catalogue()
    const left = during.slice()
    for (const piece of this.catalogue.dump()) {
      for (const _ of copy.restore(readPiece(serialize(piece))));
      const each = left.shift()
      if (each !== undefined) this.take(each)
    }
    assert.ok(copy.isRestored)
    for (const each of left) this.take(each)
    const touched = new Set(during.flatMap((each) => ('nth' in each ? [each.nth] : [])))
    for (const n of touched) {
      const image = this.#images.get(n)
      if (image === undefined) copy.remove(idOf(n))
      else copy.put(idOf(n), image)
    }
    this.#start(copy)
  }

  /** Restarts from the records in the store. */
  load(): void {
    const copy = new Catalogue()
    const builder = new ColumnsBuilder()
    for (const [n, image] of this.#images) {
      const bytes = Buffer.concat([parseUuid(idOf(n)) ?? Buffer.of(), encodeImage(image)])
      builder.add(bytes, 0, 16, bytes.length)
    }
    if (builder.images > 0) copy.load(builder.take().columns)
    this.#start(copy)
  }

  #start(copy: Catalogue): void {
    for (const searcher of this.#searchers) searcher.release()
    this.#searchers = []
    this.catalogue = copy
    this.#ordinals.clear()
    for (const [n, image] of this.#images) applyStatus(copy, idOf(n), image, this.#statuses.get(n) ?? NO_TRUST_STATUS)
  }

  check(): void {
    const matching = [...this.#images].filter(([n]) => {
      const { matches, harmless } = this.#statuses.get(n) ?? NO_TRUST_STATUS
      return matches || harmless
    })
    const rows: string[] = []
    for (const [n, image] of matching) {
      const status = this.#statuses.get(n) ?? NO_TRUST_STATUS
      const { disputed, support, harmless } = status
      const facts = [
        idOf(n),
        harmless ? JUDGED_HARMLESS_BANK.name : image.bank,
        tierWith(image.tier, support),
        ...[disputed, status.narrowed],
      ]
      for (const [place, own] of signalsByFrame(image).entries())
        for (const { type, view, hash } of own) {
          const views = own.filter((one) => one.type === type).map((one) => one.view)
          rows.push(
            JSON.stringify([name(hash), type, view, views, place === 0 ? null : image.video?.framesAtMs[place - 1], facts]),
          )
        }
    }
    assert.deepEqual(this.#found(), rows.sort())
    assert.equal(this.catalogue.images, matching.length)
    const ids = this.catalogue.imagesInParts(0, ID_PARTS).map(({ id }) => id)
    assert.deepEqual(ids.sort(), matching.map(([n]) => idOf(n)).sort())
    const counting = this.catalogue.countByOwner()
    let step = counting.next()
    while (step.done !== true) step = counting.next()
    const counted = step.value.reduce((sum, { images }) => sum + images, 0)
    assert.equal(counted, matching.length)
  }

  /** All that a new search finds, for every possible hash. */
  #found(): string[] {
    const searcher = this.catalogue.searcher()
    const rows = [...hashes.values()].flatMap(({ type, hash }) => {
      const search = searcher.search(type, [hash], 0)
      let step = search.next()
      while (step.done !== true) step = search.next()
      return step.value.map(({ image: ordinal, view }) => {
        const image = searcher.image(ordinal)
        assert.ok(image !== undefined && searcher.has(ordinal), 'a row of no image')
        const { id, bank, tier, disputed } = image
        const frame = searcher.frameOf(ordinal)
        this.#ordinals.add(ordinal)
        assert.equal(searcher.imageOrdinal(ordinal), frame?.video ?? ordinal)
        assert.equal(searcher.image(frame?.video ?? ordinal)?.id, id)
        const own = searcher.viewsOf(ordinal, type).map((one) => one.view)
        const facts = [id, bank, tier, disputed, this.catalogue.isNarrowed(id)]
        return JSON.stringify([name(hash), type, viewOf(view), own, frame?.atMs ?? null, facts])
      })
    })
    searcher.release()
    return rows.sort()
  }

  end(): void {
    for (const searcher of this.#searchers) searcher.release()
    for (let n = 0; n < IMAGES; n++) this.catalogue.remove(idOf(n))
    for (const ordinal of this.#ordinals) assert.equal(this.catalogue.frameOf(ordinal), undefined)
    while (this.catalogue.tidy());
    for (const type of SIGNAL_TYPE_NAMES)
      assert.equal(this.catalogue.index(type).rows, 0, 'no rows of withdrawn videos are left')
  }
}

t.test('a catalogue of pictures and videos equals the list after every change', async () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 20, size: 'max' }), (changes) => {
      const world = new World()
      hashes.clear()
      for (const each of changes) {
        if (each.do === 'load') world.load()
        else if (each.do === 'dump') world.dump(each.during)
        else world.take(each)
        world.check()
      }
      world.end()
    }),
    { numRuns: runs(12) },
  )
})

function name(hash: Hash256): string {
  return Buffer.from(hash.subarray(0, 8)).toString('hex')
}

/** As random as ids are in the bytes that the table uses. */
function idOf(n: number): string {
  return formatUuid(hashNamed(`id ${n}`).subarray(0, 16))
}
