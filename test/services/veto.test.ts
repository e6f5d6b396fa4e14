// What is known to be harmless, as far as its bank says, and what is asked of the index for it.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { type Bank, HARMLESS_BANK_NAME } from '../../src/domain/bank.js'
import { uuidV7 } from '../../src/domain/ids.js'
import type { Signal } from '../../src/domain/signal.js'
import { SIGNAL_TYPES } from '../../src/domain/signal-types.js'
import { type Hash256, hashFromBytes } from '../../src/hash/hash256.js'
import { Catalogue } from '../../src/services/catalogue.js'
import { harmlessAmong, isHarmless } from '../../src/services/veto.js'
import { bitsFrom } from '../helpers/hashes.js'
import { imageOf } from '../helpers/registered-image.js'

const USUAL_BITS = SIGNAL_TYPES.pdq.thresholdBits

t.test('a picture is harmless as far as a harmless bank goes, and no bit farther', async (t) => {
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

t.test('of several banks each goes as far as its own, and what is to be found is not harmless', async (t) => {
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
  t.ok(isHarmless(catalogue, [signalOf(wanted), signalOf(narrow)]), 'one of several is enough')
})

t.test('nothing is looked for farther than a harmless bank goes, which may be far less than anybody may ask', async (t) => {
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

  isHarmless(catalogue, [signalOf(hashFromBytes(randomBytes(32)))])
  catalogue.banks.set('wide', bankOf({ name: 'wide', purpose: 'harmless', pdq: 40 }))
  isHarmless(catalogue, [
    signalOf(hashFromBytes(randomBytes(32))),
    { ...signalOf(hashFromBytes(randomBytes(32))), view: 'crop' },
  ])

  t.same(asked, [USUAL_BITS, 40])
})

t.test('of many pictures each is looked at when others had their turn, by what is known then', async (t) => {
  const known = new Catalogue()
  const hash = put(known, HARMLESS_BANK_NAME)
  const pictures = [[signalOf(hash)], [], [signalOf(bitsFrom(hash, 200))], [signalOf(hash)]]
  let catalogue = new Catalogue()
  let asked = 0
  const othersTurn = async () => {
    await undefined
    catalogue = known
  }
  const giveWay = () => {
    asked++
    return asked % 2 === 0 ? othersTurn() : undefined
  }

  t.same(await harmlessAmong(() => catalogue, pictures, giveWay), [false, false, false, true])
  t.equal(asked, pictures.length)
  const cold = () => {
    throw new Error('nothing is known yet')
  }
  t.same(await harmlessAmong(cold, [[]], giveWay), [false], 'of no signals nothing has to be known')
  await t.rejects(harmlessAmong(cold, [[signalOf(hash)]], giveWay), { message: 'nothing is known yet' })
})

function bankOf({ name, purpose, pdq }: { name: string; purpose: Bank['purpose']; pdq?: number }): Bank {
  return { name, purpose, orgId: undefined, thresholdBits: pdq === undefined ? {} : { pdq }, createdAtMs: 0 }
}

function put(catalogue: Catalogue, bank: string): Hash256 {
  const hash = hashFromBytes(randomBytes(32))
  catalogue.put(uuidV7(1, randomBytes(10)), { ...imageOf(hash), bank })
  return hash
}

function signalOf(hash: Hash256): Signal {
  return { type: 'pdq', view: 'whole', quality: 100, hash }
}
