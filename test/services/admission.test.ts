import t from 'tap'
import { admissionFor, type DelayRule, delayGate } from '../../src/services/admission.js'

const RULE: DelayRule = { steadyMs: 20, burstMs: 500, intervalMs: 100 }

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

/** An event loop whose time passes by its own work alone. */
function loop() {
  let nowMs = 0
  let atEnd: (() => void)[] = []
  let pictureWaitedMs = 0
  const admission = admissionFor({
    rules: { turns: RULE, pictures: { steadyMs: 10, burstMs: 50, intervalMs: 100 } },
    pictureWaitedMs: () => pictureWaitedMs,
    now: () => nowMs,
    atEndOfTurn: (callback) => atEnd.push(callback),
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
        if (admission.shortageFor({ pictures: false }) !== undefined) continue
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
    picture(waitedMs: number) {
      pictureWaitedMs = waitedMs
      return admission.shortageFor({ pictures: true })
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
  t.equal(turn(50, 1).admitted, 50, 'as before, once a turn was short')
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

t.test('pictures wait for workers, and for nothing else', async (t) => {
  const { picture, rest } = loop()
  t.equal(picture(0), undefined)
  t.equal(picture(11), undefined)
  rest(99)
  t.equal(picture(50), undefined, 'a burst')
  rest(1)
  t.equal(picture(11), 'pictures')
  t.equal(picture(10), undefined)
  t.equal(picture(50), undefined)
})
