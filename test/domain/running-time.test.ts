import t from 'tap'
import { afterRunning, afterRunningBy } from '../../src/domain/running-time.js'

/** Timers of a clock that the test moves. After a pause, what is due rings once, as in Node and browsers. */
function clock() {
  let nowMs = 0
  let timers: { readonly ring: () => void; readonly atMs: number }[] = []
  return {
    set(ring: () => void, ms: number) {
      const timer = { ring, atMs: nowMs + ms }
      timers.push(timer)
      return timer
    },
    clear(timer: object) {
      timers = timers.filter((other) => other !== timer)
    },
    runs(ms: number) {
      for (const endMs = nowMs + ms; nowMs < endMs; this.rings()) nowMs++
    },
    pauses(ms: number) {
      nowMs += ms
      this.rings()
    },
    rings() {
      const due = timers.filter(({ atMs }) => atMs <= nowMs)
      timers = timers.filter(({ atMs }) => atMs > nowMs)
      for (const { ring } of due) ring()
    },
  }
}

t.test('a time limit does not count a pause of the process', async (t) => {
  const time = clock()
  let rings = 0
  afterRunningBy(time, 1000, () => rings++)
  time.runs(500)
  time.pauses(60_000)
  time.runs(390)
  t.equal(rings, 0)
  time.runs(110)
  t.equal(rings, 1)
  time.runs(5000)
  t.equal(rings, 1)
})

t.test('a cancelled time limit does not ring', async (t) => {
  const time = clock()
  let rings = 0
  const cancel = afterRunningBy(time, 1000, () => rings++)
  time.runs(999)
  cancel()
  time.runs(2000)
  t.equal(rings, 0)
})

t.test('by default it uses the timers of the system', async (t) => {
  await t.resolves(new Promise<void>((resolve) => afterRunning(1, resolve)))
})
