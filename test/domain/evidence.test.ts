import t from 'tap'
import { decisionBits, reviewBits, strongBits, WHOLE_VIEWS } from '../../src/domain/evidence.js'
import { VIEW_NAMES } from '../../src/domain/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../../src/domain/signal-types.js'

const everyPair = VIEW_NAMES.flatMap((asked) => VIEW_NAMES.map((registered) => ({ asked, registered })))

t.test('what is strong is a match, and what is a match is worth a look', async (t) => {
  for (const type of SIGNAL_TYPE_NAMES) {
    for (const views of everyPair) {
      const near = decisionBits(type, views)
      t.ok(
        (strongBits(type, views) ?? 0) <= near && near <= reviewBits(type, views),
        `${type} ${views.asked} ${views.registered}`,
      )
    }
  }
})

t.test('a search within the widest radius of a type misses no match of any of its views', async (t) => {
  for (const type of SIGNAL_TYPE_NAMES) {
    const { thresholdBits, maxThresholdBits } = SIGNAL_TYPES[type]
    t.equal(Math.max(...everyPair.map((views) => decisionBits(type, views))), thresholdBits, type)
    t.equal(Math.max(...everyPair.map((views) => reviewBits(type, views))), maxThresholdBits, type)
  }
})

t.test('a part of a picture has to be nearer than all of it', async (t) => {
  const whole = decisionBits('pdq-area', WHOLE_VIEWS)

  for (const views of everyPair) t.ok(decisionBits('pdq-area', views) <= whole)
  t.ok(decisionBits('pdq-area', { asked: 'piece', registered: 'whole' }) < whole)
  t.ok(decisionBits('pdq-area', { asked: 'whole', registered: 'tilted' }) < whole)
})

t.test('the hash of a whole picture, that anybody may send, is not strong alone', async (t) => {
  for (const type of ['pdq', 'blockhash', 'sha256'] as const) t.equal(strongBits(type, WHOLE_VIEWS), undefined)
})
