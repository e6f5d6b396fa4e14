import t from 'tap'
import { admissionFor, type DelayRule, delayGate } from '../../src/services/load/admission.js'

const RULE: DelayRule = { steadyMs: 20, longMs: 20, burstMs: 500, intervalMs: 100, calmMs: 200 }

t.test('a burst waits, and a queue that stays long lets nobody in who would wait long', async (t) => {
  let nowMs = 0
  const gate = delayGate(RULE, () => nowMs)
  gate.observe(5)
  nowMs = 1000
  t.ok(gate.admits(400), 'nothing was seen for long, which says nothing')
  gate.observe(300)
  t.ok(gate.admits(400), 'a burst')
  t.notOk(gate.admits(501), 'but not for ever')
  nowMs = 1099
  gate.observe(300)
  t.ok(gate.admits(400))
  nowMs = 1100
  t.notOk(gate.admits(21), 'it has been long for the whole interval')
  t.ok(gate.admits(20))
  gate.observe(20)
  t.ok(gate.admits(400), 'short once is short')
})

t.test('what has stayed long is over when few have to be refused, and not when it was short once', async (t) => {
  let nowMs = 0
  const gate = delayGate(RULE, () => nowMs)
  for (; nowMs <= 100; nowMs += 10) gate.observe(300)
  t.notOk(gate.admits(21))
  gate.observe(10)
  t.notOk(gate.admits(21), 'it is short because nobody was let in')
  /** Of a hundred who ask during so long, so many would wait for too long. */
  const ask = (tooMany: number) => {
    for (let i = 0; i < 100; i++) {
      nowMs += RULE.calmMs / 100
      t.equal(gate.admits(i % 20 < tooMany / 5 ? 21 : 20), i % 20 >= tooMany / 5)
    }
  }
  for (const tooMany of [60, 10, 10, 5]) ask(tooMany)
  t.ok(gate.admits(400), 'now and then one waits for longer also where there is enough of everything')
})

t.test('what has stayed long is over when nobody had to be refused for a while', async (t) => {
  let nowMs = 0
  const gate = delayGate(RULE, () => nowMs)
  for (; nowMs <= 100; nowMs += 10) gate.observe(300)
  t.notOk(gate.admits(21))
  nowMs += RULE.calmMs - 1
  t.ok(gate.admits(20))
  t.notOk(gate.admits(21))
  nowMs += RULE.calmMs
  t.ok(gate.admits(400), 'a burst may wait again')
})

t.test(
  'what is longer than is let in while it stays long, and no longer than is usual now and then, is no overload',
  async (t) => {
    let nowMs = 0
    const gate = delayGate({ ...RULE, longMs: 60 }, () => nowMs)
    for (; nowMs <= 1000; nowMs += 10) {
      gate.observe(60)
      t.ok(gate.admits(60))
    }
    for (; nowMs <= 1200; nowMs += 10) gate.observe(61)
    t.notOk(gate.admits(21))
  },
)

/** An event loop whose time passes by its own work alone. */
function loop() {
  let nowMs = 0
  let atEnd: (() => void)[] = []
  let pictureWaitMs = 0
  let queuedMs = 0
  const admission = admissionFor({
    rules: { turns: RULE, pictures: { steadyMs: 10, longMs: 10, burstMs: 50, intervalMs: 100, calmMs: 200 } },
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
    /** So many requests in one turn, each of which takes so long if it is let in. @returns how many were, and the longest wait. */
    turn(count: number, eachMs: number, otherMs = 0) {
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
    /** Nothing comes for so long. */
    rest(ms: number) {
      while (atEnd.length > 0) end()
      nowMs += ms
    },
    /** So long has somebody waited who was let in. */
    queue(ms: number) {
      queuedMs = ms
    },
    picture(waitMs: number, coming = 0) {
      pictureWaitMs = waitMs
      return admission.shortageFor({ pictures: true, coming })
    },
  }
}

t.test('short turns let everybody in', async (t) => {
  const { turn } = loop()
  for (let i = 0; i < 1000; i++) t.equal(turn(10, 1).admitted, 10)
})

t.test('turns that stay long let in what does not wait long, for as long as they are', async (t) => {
  const { turn, rest } = loop()
  let answered = 0
  for (let i = 0; i < 200; i++) {
    const { admitted, longestMs } = turn(100, 1) // a hundred every time: as many as never get done
    answered += admitted
    if (i > 3) t.ok(longestMs <= RULE.steadyMs, `${longestMs} ms`)
  }
  t.ok(answered > 1000, `${answered} were answered all the same`)
  rest(50)
  turn(5, 1)
  rest(1)
  t.equal(turn(50, 1).admitted, RULE.steadyMs + 1, 'a turn was short, which may be so because few were let in')
  rest(RULE.calmMs)
  turn(5, 1)
  rest(1)
  t.equal(turn(50, 1).admitted, 50, 'as before')
})

t.test('long calls that go on in turns of their own count as well', async (t) => {
  const { turn, rest } = loop()
  for (let i = 0; i < 5; i++) turn(1, 1, 60)
  t.equal(turn(1, 1, 60).admitted, 0, 'it would have waited for the turn before')
  turn(0, 0, 60)
  t.equal(turn(1, 1).admitted, 0, 'nobody came, and yet it was no idle one')
  rest(1)
  t.equal(turn(1, 1).admitted, 1)
})

t.test('turns are short, but the queue of those that were let in is long', async (t) => {
  const { turn, queue, rest } = loop()
  queue(30)
  for (let i = 0; i < 11; i++) t.equal(turn(5, 1, 5).admitted, 5, 'a burst')
  for (let i = 0; i < 100; i++) t.equal(turn(5, 1, 5).admitted, 0, 'it stays long')
  for (let i = 0; i < 10; i++) turn(0, 0, 5)
  t.equal(turn(5, 1, 5).admitted, 0, 'though nobody came for a while')
  queue(5)
  t.ok(turn(5, 1, 5).admitted > 0, 'who would wait for little is let in')
  queue(0)
  rest(1)
  t.equal(turn(5, 1).admitted, 5)
})

t.test('pictures wait for workers, and for nothing else', async (t) => {
  const { picture, rest } = loop()
  t.equal(picture(0), undefined)
  t.equal(picture(11), undefined)
  rest(99)
  t.equal(picture(50), undefined, 'a burst')
  rest(1)
  t.equal(picture(11), 'pictures')
  t.equal(picture(10), undefined)
  t.equal(picture(50), 'pictures', 'short once is not over')
  rest(RULE.calmMs)
  t.equal(picture(0), undefined)
  t.equal(picture(50), undefined)
})

t.test('where nobody is let in any more, one now and then finds out whether it still has to be', async (t) => {
  const { picture, rest } = loop()
  t.equal(picture(5000), undefined)
  for (let i = 0; i < 10; i++) t.equal(picture(5000), 'pictures')
  rest(RULE.calmMs - 1)
  t.equal(picture(5000), 'pictures')
  rest(1)
  t.equal(picture(5000), undefined)
  t.equal(picture(5000), 'pictures')
  t.equal(picture(50), 'pictures', 'not where the line is as long as a load makes it')
})
