import t from 'tap'
import { admissionFor, type DelayRule, delayGate } from '../../src/services/load/admission.js'

const RULE: DelayRule = { steadyMs: 20, longMs: 20, burstMs: 500, intervalMs: 100, calmMs: 200 }

t.test('a burst is admitted; a queue that stays long admits only short waits', async (t) => {
  let nowMs = 0
  const gate = delayGate(RULE, () => nowMs)
  gate.observe(5)
  nowMs = 1000
  t.ok(gate.admits(400), 'an old observation does not count')
  gate.observe(300)
  t.ok(gate.admits(400), 'a burst')
  t.notOk(gate.admits(501), 'longer than the burst limit')
  nowMs = 1099
  gate.observe(300)
  t.ok(gate.admits(400))
  nowMs = 1100
  t.notOk(gate.admits(21), 'long for the whole interval')
  t.ok(gate.admits(20))
  gate.observe(20)
  t.ok(gate.admits(400), 'one short wait ends the overload')
})

t.test('an overload ends when few requests are refused, not after a single short wait', async (t) => {
  let nowMs = 0
  const gate = delayGate(RULE, () => nowMs)
  for (; nowMs <= 100; nowMs += 10) gate.observe(300)
  t.notOk(gate.admits(21))
  gate.observe(10)
  t.notOk(gate.admits(21), 'the queue is short because nothing was admitted')
  /** Sends a hundred requests during `calmMs`; the given number of them would wait too long. */
  const ask = (tooMany: number) => {
    for (let i = 0; i < 100; i++) {
      nowMs += RULE.calmMs / 100
      t.equal(gate.admits(i % 20 < tooMany / 5 ? 21 : 20), i % 20 >= tooMany / 5)
    }
  }
  for (const tooMany of [60, 10, 10, 5]) ask(tooMany)
  t.ok(gate.admits(400), 'a few longer waits are normal without overload')
})

t.test('an overload ends after a while without refusals', async (t) => {
  let nowMs = 0
  const gate = delayGate(RULE, () => nowMs)
  for (; nowMs <= 100; nowMs += 10) gate.observe(300)
  t.notOk(gate.admits(21))
  nowMs += RULE.calmMs - 1
  t.ok(gate.admits(20))
  t.notOk(gate.admits(21))
  nowMs += RULE.calmMs
  t.ok(gate.admits(400), 'a burst is admitted again')
})

t.test('a wait above the steady limit but below the long limit is no overload', async (t) => {
  let nowMs = 0
  const gate = delayGate({ ...RULE, longMs: 60 }, () => nowMs)
  for (; nowMs <= 1000; nowMs += 10) {
    gate.observe(60)
    t.ok(gate.admits(60))
  }
  for (; nowMs <= 1200; nowMs += 10) gate.observe(61)
  t.notOk(gate.admits(21))
})

/** An event loop whose clock advances only by its own work. */
function loop() {
  let nowMs = 0
  let atEnd: (() => void)[] = []
  let pictureWaitMs = 0
  let queuedMs = 0
  const admission = admissionFor({
    rules: { 'event-loop': RULE, pictures: { steadyMs: 10, longMs: 10, burstMs: 50, intervalMs: 100, calmMs: 200 } },
    queuedMs: () => queuedMs,
    pictureWaitMs: (coming) => pictureWaitMs + 5 * coming,
    now: () => nowMs,
    atEndOfTick: (callback) => atEnd.push(callback),
  })
  const end = () => {
    const ended = atEnd
    atEnd = []
    for (const callback of ended) callback()
  }
  return {
    /**
     * Sends `count` requests in one tick. Each admitted request takes `eachMs`.
     * @returns how many were admitted, and the longest wait.
     */
    tick(count: number, eachMs: number, otherMs = 0) {
      const beganAtMs = nowMs
      let admitted = 0
      let longestMs = 0
      for (let i = 0; i < count; i++) {
        if (admission.shortageFor({ pictures: false, coming: 0 }) !== undefined) continue
        longestMs = nowMs - beganAtMs
        admitted++
        nowMs += eachMs
      }
      nowMs += otherMs
      end()
      return { admitted, longestMs }
    },
    /** Nothing arrives for this long. */
    rest(ms: number) {
      while (atEnd.length > 0) end()
      nowMs += ms
    },
    /** An admitted request has waited this long. */
    queue(ms: number) {
      queuedMs = ms
    },
    picture(waitMs: number, coming = 0) {
      pictureWaitMs = waitMs
      return admission.shortageFor({ pictures: true, coming })
    },
  }
}

t.test('short ticks admit every request', async (t) => {
  const { tick } = loop()
  for (let i = 0; i < 1000; i++) t.equal(tick(10, 1).admitted, 10)
})

t.test('long ticks admit only requests with a short wait, as long as they last', async (t) => {
  const { tick, rest } = loop()
  let answered = 0
  for (let i = 0; i < 200; i++) {
    const { admitted, longestMs } = tick(100, 1) // a hundred each time: more than can be answered
    answered += admitted
    if (i > 3) t.ok(longestMs <= RULE.steadyMs, `${longestMs} ms`)
  }
  t.ok(answered > 1000, `${answered} were answered all the same`)
  rest(50)
  tick(5, 1)
  rest(1)
  t.equal(tick(50, 1).admitted, RULE.steadyMs + 1, 'one tick was short, perhaps because few were admitted')
  rest(RULE.calmMs)
  tick(5, 1)
  rest(1)
  t.equal(tick(50, 1).admitted, 50, 'as before')
})

t.test('slices of long calls count as load too', async (t) => {
  const { tick, rest } = loop()
  for (let i = 0; i < 5; i++) tick(1, 1, 60)
  t.equal(tick(1, 1, 60).admitted, 0, 'it would have waited for the tick before')
  tick(0, 0, 60)
  t.equal(tick(1, 1).admitted, 0, 'an empty tick that was not idle')
  rest(1)
  t.equal(tick(1, 1).admitted, 1)
})

t.test('a long queue of admitted requests refuses new ones although ticks are short', async (t) => {
  const { tick, queue, rest } = loop()
  queue(30)
  for (let i = 0; i < 11; i++) t.equal(tick(5, 1, 5).admitted, 5, 'a burst')
  for (let i = 0; i < 100; i++) t.equal(tick(5, 1, 5).admitted, 0, 'it stays long')
  for (let i = 0; i < 10; i++) tick(0, 0, 5)
  t.equal(tick(5, 1, 5).admitted, 0, 'although nothing came for a while')
  queue(5)
  t.ok(tick(5, 1, 5).admitted > 0, 'requests with a short wait are admitted')
  queue(0)
  rest(1)
  t.equal(tick(5, 1).admitted, 5)
})

t.test('uploads are refused by the wait for workers alone', async (t) => {
  const { picture, rest } = loop()
  t.equal(picture(0), undefined)
  t.equal(picture(11), undefined)
  rest(99)
  t.equal(picture(50), undefined, 'a burst')
  rest(1)
  t.equal(picture(11), 'pictures')
  t.equal(picture(10), undefined)
  t.equal(picture(50), 'pictures', 'one short wait does not end the overload')
  rest(RULE.calmMs)
  t.equal(picture(0), undefined)
  t.equal(picture(50), undefined)
})

t.test('when no upload is admitted, one now and then is let through as a probe', async (t) => {
  const { picture, rest } = loop()
  t.equal(picture(5000), undefined)
  for (let i = 0; i < 10; i++) t.equal(picture(5000), 'pictures')
  rest(RULE.calmMs - 1)
  t.equal(picture(5000), 'pictures')
  rest(1)
  t.equal(picture(5000), undefined)
  t.equal(picture(5000), 'pictures')
  t.equal(picture(50), 'pictures', 'not while the queue is as long as under load')
})
