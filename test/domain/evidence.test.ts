import t from 'tap'
import {
  aloneBits,
  matchBits,
  reviewBits,
  WHOLE_VIEWS,
  widestMatchBits,
  widestWitnessBits,
  witnessBits,
} from '../../src/domain/evidence.js'
import { VIEW_NAMES } from '../../src/domain/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../../src/domain/signal-types.js'

const everyPair = [false, true].flatMap((turned) =>
  VIEW_NAMES.flatMap((asked) => VIEW_NAMES.map((registered) => ({ asked, registered, turned }))),
)

t.test('what decides alone may be a match, and what may be a match is worth a look', async (t) => {
  for (const type of SIGNAL_TYPE_NAMES) {
    for (const views of everyPair) {
      const match = matchBits(type, views)
      t.ok(aloneBits(type, views) <= match && match <= reviewBits(type, views), `${type} ${views.asked} ${views.registered}`)
    }
  }
})

t.test('a search within the widest radius of a type or a view misses no match and no witness', async (t) => {
  for (const type of SIGNAL_TYPE_NAMES) {
    const { thresholdBits, maxThresholdBits } = SIGNAL_TYPES[type]
    t.equal(Math.max(...everyPair.map((views) => matchBits(type, views))), thresholdBits, type)
    t.equal(Math.max(...everyPair.map((views) => reviewBits(type, views))), maxThresholdBits, type)
    for (const views of everyPair) t.ok(matchBits(type, views) <= widestMatchBits(type, views.asked, views.turned))
  }
  for (const views of everyPair) t.ok((witnessBits('pdq-area', views) ?? 0) <= widestWitnessBits(views.asked))
})

t.test('a part of a picture has to be nearer than all of it', async (t) => {
  const whole = matchBits('pdq-area', WHOLE_VIEWS)

  for (const views of everyPair) t.ok(matchBits('pdq-area', views) <= whole)
  t.ok(matchBits('pdq-area', { ...WHOLE_VIEWS, asked: 'piece' }) < whole)
  t.ok(matchBits('pdq-area', { ...WHOLE_VIEWS, registered: 'tilted' }) < whole)
})

t.test('a turned picture has to be as near as one that stands alone', async (t) => {
  for (const views of everyPair) t.equal(matchBits('pdq-area', { ...views, turned: true }), aloneBits('pdq-area', views))
  t.ok(matchBits('pdq-area', { ...WHOLE_VIEWS, turned: true }) < matchBits('pdq-area', WHOLE_VIEWS))
})

t.test('types without views have no witnesses; PDQ and the file need none, blockhash needs another algorithm', async (t) => {
  for (const type of ['pdq', 'blockhash', 'sha256'] as const) t.equal(witnessBits(type, WHOLE_VIEWS), undefined)
  for (const type of ['pdq', 'sha256'] as const) t.equal(aloneBits(type, WHOLE_VIEWS), matchBits(type, WHOLE_VIEWS))
  t.ok(aloneBits('blockhash', WHOLE_VIEWS) < 0)
})
