// The answer about submitted signals, which can be very many.

import { text } from 'node:stream/consumers'
import t from 'tap'
import { type RegisteredSignal, RegisteredSignals, RegisteredSignalsAnswer } from '../../src/http/registered-signals.js'

t.test('all lines are counted, and the details of at most 500,000 are kept', async (t) => {
  const answer = new RegisteredSignalsAnswer()
  const batch = Array.from({ length: 1000 }, (): RegisteredSignal => ({ line: 1, state: 'refused' }))
  for (let i = 0; i < 499; i++) answer.add(batch)
  answer.add([{ line: 499_001, state: 'registered' }])
  answer.add(batch)
  answer.add(batch)
  const { accepted, refused, signals } = RegisteredSignals.parse(JSON.parse(await text(answer.json().text)))
  t.same([accepted, refused, signals.length], [1, 501_000, 500_000])
})
