// Which pictures count as harmless, within the threshold of the harmless bank, and which index searches that needs.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { t } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { type Bank, CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { Signal, View } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createJsonReader } from '../../src/exchange/json-signals.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { harmlessAmong, harmlessLike, harmlessStep } from '../../src/services/matching/harmless/harmless-filter.js'
import { isVetoed } from '../../src/services/matching/veto.js'
import { bitsFrom } from '../helpers/hashes.js'
import { imageOf } from '../helpers/registered-image.js'

const USUAL_BITS = SIGNAL_TYPES.pdq.thresholdBits

function isHarmless(...given: Parameters<typeof harmlessLike>): boolean {
  return harmlessLike(...given) !== undefined
}

function unvetoed(...[catalogue, type, asked, hits]: Parameters<typeof harmlessStep.vetoOf>) {
  const veto = harmlessStep.vetoOf(catalogue, type, asked, hits)
  return hits.filter((hit) => !isVetoed(veto, hit))
}

t.test('a picture is harmless within the threshold of a harmless bank, and not one bit beyond', async (t) => {
  for (const [thresholdBits, bits] of [
    [undefined, USUAL_BITS],
    [20, 20],
    [60, 60],
    [SIGNAL_TYPES.pdq.maxThresholdBits, SIGNAL_TYPES.pdq.maxThresholdBits],
  ] as const) {
    const catalogue = new Catalogue()
    const logos = { name: 'logos', purpose: 'harmless', ...(thresholdBits !== undefined && { pdq: thresholdBits }) } as const
    catalogue.banks.set('logos', bankOf(logos))
    const hash = put(catalogue, 'logos')

    t.ok(isHarmless(catalogue, [signalOf(bitsFrom(hash, bits))]), `${bits} bits`)
    t.notOk(isHarmless(catalogue, [signalOf(bitsFrom(hash, bits + 1))]), `${bits + 1} bits`)
  }
})

t.test('each harmless bank has its own threshold, and a match bank makes nothing harmless', async (t) => {
  const catalogue = new Catalogue()
  catalogue.banks.set('narrow', bankOf({ name: 'narrow', purpose: 'harmless', pdq: 10 }))
  catalogue.banks.set('wide', bankOf({ name: 'wide', purpose: 'harmless', pdq: 50 }))
  catalogue.banks.set('wanted', bankOf({ name: 'wanted', purpose: 'match', pdq: 90 }))
  const [narrow, wide, wanted] = ['narrow', 'wide', 'wanted'].map((name) => put(catalogue, name)) as [
    Hash256,
    Hash256,
    Hash256,
  ]

  t.notOk(isHarmless(catalogue, [signalOf(bitsFrom(narrow, 11))]))
  t.ok(isHarmless(catalogue, [signalOf(bitsFrom(wide, 50))]))
  t.notOk(isHarmless(catalogue, [signalOf(wanted)]))
  t.ok(isHarmless(catalogue, [signalOf(wide), signalOf(narrow)]))
})

t.test('an animation is harmless if all of its frames or its file are; one harmless frame is not enough', async (t) => {
  const catalogue = new Catalogue()
  catalogue.banks.set('logos', bankOf({ name: 'logos', purpose: 'harmless' }))
  const [one, two, file] = [put(catalogue, 'logos'), put(catalogue, 'logos'), putFile(catalogue, 'logos')] as const
  const other = signalOf(hashFromBytes(randomBytes(32)))
  const ofFile = (hash: Hash256) => ({ ...signalOf(hash), type: 'sha256' }) as const

  t.notOk(isHarmless(catalogue, [other, signalOf(one)]))
  t.notOk(isHarmless(catalogue, [signalOf(one), signalOf(two), other]))
  t.ok(isHarmless(catalogue, [signalOf(one), signalOf(two)]))
  t.ok(isHarmless(catalogue, [other, signalOf(two), ofFile(file)]), 'the file is known')
  t.ok(isHarmless(catalogue, [{ ...other, type: 'blockhash' }, signalOf(two)]), 'for a still picture any type is enough')
})

t.test('the search goes no farther than the threshold of the harmless banks', async (t) => {
  const catalogue = new Catalogue()
  catalogue.banks.set('wanted', bankOf({ name: 'wanted', purpose: 'match', pdq: 90 }))
  put(catalogue, HARMLESS_BANK_NAME)
  const index = catalogue.index('pdq')
  const { within } = index
  const asked: number[] = []
  index.within = (needles, thresholdBits) => {
    asked.push(thresholdBits)
    return within.call(index, needles, thresholdBits)
  }

  harmlessLike(catalogue, [signalOf(hashFromBytes(randomBytes(32)))])
  catalogue.banks.set('wide', bankOf({ name: 'wide', purpose: 'harmless', pdq: 40 }))
  harmlessLike(catalogue, [
    signalOf(hashFromBytes(randomBytes(32))),
    { ...signalOf(hashFromBytes(randomBytes(32))), view: 'crop' },
  ])

  t.same(asked, [USUAL_BITS, 40])
})

t.test('between many pictures other work has its turn, and each is judged by the latest catalogue', async (t) => {
  const known = new Catalogue()
  const hash = put(known, HARMLESS_BANK_NAME)
  const pictures = [[signalOf(hash)], [], [signalOf(bitsFrom(hash, 200))], [signalOf(hash)]]
  let catalogue = new Catalogue()
  let asked = 0
  const othersTurn = async () => {
    await undefined
    catalogue = known
  }
  const yieldIfNeeded = () => {
    asked++
    return asked % 2 === 0 ? othersTurn() : undefined
  }

  t.same(await harmlessAmong(() => catalogue, pictures, yieldIfNeeded), [false, false, false, true])
  t.equal(asked, pictures.length)
  const cold = () => {
    throw new Error('nothing is known yet')
  }
  t.same(await harmlessAmong(cold, [[]], yieldIfNeeded), [false], 'nothing has to be known without signals')
  await t.rejects(harmlessAmong(cold, [[signalOf(hash)]], yieldIfNeeded), { message: 'nothing is known yet' })
})

t.test(
  'parts of two harmless pictures near to each other are an element, and a match by it has to be much nearer',
  async (t) => {
    const catalogue = new Catalogue()
    const element = hashFromBytes(randomBytes(32))
    const registered = putPart(catalogue, CASES_BANK_NAME, element, 'deframed')
    const asked = { asked: 'deframed', rotated: false } as const
    const found = (needle: Hash256) => {
      const hits = catalogue.index('pdq-area').within([needle], 52)
      return unvetoed(catalogue, 'pdq-area', asked, hits).map(({ image }) => catalogue.image(image)?.id)
    }
    // Bits of their own, so that the needle is as far from each as both are from the element.
    const needle = flipped(element, 0, 14)
    t.same(found(needle), [registered])
    putPart(catalogue, HARMLESS_BANK_NAME, flipped(element, 20, 6), 'piece')
    t.same(found(needle), [registered], 'one post stands for itself')
    putPart(catalogue, HARMLESS_BANK_NAME, flipped(element, 30, 6), 'whole')
    t.same(found(needle), [registered], 'so does a picture that is harmless as a whole')
    putPart(catalogue, HARMLESS_BANK_NAME, flipped(element, 40, 6), 'deframed')
    t.same(found(needle), [], 'two share an element: 14 bits are not 16 less than 20')
    t.same(found(flipped(element, 0, 2)), [], '2 bits are not 16 less than 8')
    const far = flipped(element, 60, 10)
    t.same(
      unvetoed(catalogue, 'pdq-area', { ...asked, asked: 'whole' }, catalogue.index('pdq-area').within([needle], 52)).length,
      1,
    )
    putPart(catalogue, CASES_BANK_NAME, flipped(far, 100, 30), 'deframed')
    t.equal(found(flipped(far, 100, 30)).length, 1, 'another picture that is much nearer is found')
  },
)

t.test('two frames of one harmless video share no element', async (t) => {
  const catalogue = new Catalogue()
  const element = hashFromBytes(randomBytes(32))
  const registered = putPart(catalogue, CASES_BANK_NAME, element, 'deframed')
  const needle = flipped(element, 0, 14)
  const found = () => {
    const hits = catalogue.index('pdq-area').within([needle], 52)
    return unvetoed(catalogue, 'pdq-area', { asked: 'deframed', rotated: false }, hits).map(
      ({ image }) => catalogue.image(image)?.id,
    )
  }
  const part = (hash: Hash256, frame: number) =>
    ({ type: 'pdq-area', view: 'piece', quality: 100, hash, frame }) satisfies Signal
  catalogue.put(uuidV7(1, randomBytes(10)), {
    ...imageOf(element),
    bank: HARMLESS_BANK_NAME,
    signals: [part(flipped(element, 20, 6), 0), part(flipped(element, 30, 6), 1)],
    video: { durationMs: 4000, framesAtMs: [0, 2000] },
  })
  t.same(found(), [registered])
  putPart(catalogue, HARMLESS_BANK_NAME, flipped(element, 40, 6), 'piece')
  t.same(found(), [], 'a second image with the same frame makes an element')
})

t.test('every element of the bundled bank is told from the others and is refused as harmless', async (t) => {
  const lines = readFileSync(new URL('../../../harmless/elements.ndjson', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const catalogue = new Catalogue()
  const elements = lines.map((line) => {
    const [read] = createJsonReader().read(line, 1)
    if (read?.record.kind !== 'put') throw new Error(`${line.slice(0, 80)}: ${JSON.stringify(read)}`)
    return read.record.signal
  })
  t.ok(elements.length > 100)
  t.equal(new Set(elements.map(({ ref }) => ref)).size, elements.length)
  for (const { picture = [] } of elements)
    catalogue.put(uuidV7(1, randomBytes(10)), {
      ...imageOf(hashFromBytes(randomBytes(32))),
      bank: HARMLESS_BANK_NAME,
      signals: picture,
    })
  for (const { picture = [], ref } of elements) t.ok(isHarmless(catalogue, picture), ref ?? '')
})

function flipped(hash: Hash256, from: number, count: number): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (let bit = from; bit < from + count; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return hashFromBytes(bytes)
}

function putPart(catalogue: Catalogue, bank: string, hash: Hash256, view: View): string {
  const id = uuidV7(1, randomBytes(10))
  catalogue.put(id, { ...imageOf(hash), bank, signals: [{ type: 'pdq-area', view, quality: 100, hash }] })
  return id
}

function bankOf({ name, purpose, pdq }: { name: string; purpose: Bank['purpose']; pdq?: number }): Bank {
  return { name, purpose, orgId: undefined, thresholdBits: pdq === undefined ? {} : { pdq }, createdAtMs: 0 }
}

function put(catalogue: Catalogue, bank: string): Hash256 {
  const hash = hashFromBytes(randomBytes(32))
  catalogue.put(uuidV7(1, randomBytes(10)), { ...imageOf(hash), bank })
  return hash
}

function putFile(catalogue: Catalogue, bank: string): Hash256 {
  const hash = hashFromBytes(randomBytes(32))
  const signals = [{ type: 'sha256', view: 'whole', quality: 100, hash }] as const
  catalogue.put(uuidV7(1, randomBytes(10)), { ...imageOf(hash), bank, signals })
  return hash
}

function signalOf(hash: Hash256): Signal {
  return { type: 'pdq', view: 'whole', quality: 100, hash }
}
