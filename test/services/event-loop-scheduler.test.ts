// Admitted requests wait in one queue. The first tests use a simulated loop whose clock advances by work alone; the
// last one uses Node's.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import fc from 'fast-check'
import { t } from 'tap'
import { createEventLoopScheduler } from '../../src/services/load/event-loop-scheduler.js'
import { runs } from '../helpers/runs.js'

const RULE = { sliceMs: 4, pieceMs: 1 }

/**
 * An event loop whose clock advances by work alone. `turn` runs the pending callbacks and returns how long they
 * took.
 */
function loop() {
  let nowMs = 0
  let next: (() => void)[] = []
  const scheduler = createEventLoopScheduler(
    RULE,
    () => nowMs,
    (callback) => next.push(callback),
  )
  return {
    scheduler,
    work(ms: number) {
      nowMs += ms
    },
    now: () => nowMs,
    isIdle: () => next.length === 0,
    async turn(): Promise<number> {
      const beganAtMs = nowMs
      const due = next
      next = []
      for (const callback of due) {
        callback()
        await new Promise((resolve) => setImmediate(resolve)) // what it started runs before the next, as in Node
      }
      return nowMs - beganAtMs
    },
  }
}

t.test('a request that comes alone begins at once', async (t) => {
  const { scheduler, turn, work, isIdle } = loop()
  for (let i = 0; i < 10; i++) {
    t.equal(scheduler.begin(), undefined)
    work(0.5)
    t.equal(scheduler.waitMs, 0)
    await turn()
  }
  await turn()
  t.ok(isIdle(), 'the scheduler is idle when there is nothing to do')
})

t.test('many requests begin in order of arrival, one slice per turn', async (t) => {
  const { scheduler, turn, work, now, isIdle } = loop()
  const begun: number[] = []
  const request = async (i: number) => {
    const wait = scheduler.begin()
    if (wait !== undefined) await wait
    begun.push(i)
    work(0.5)
  }
  const all = Array.from({ length: 200 }, (_, i) => request(i))
  t.equal(begun.length, 8, 'as many as fit into the slice')
  let longestMs = 0
  while (begun.length < 200) {
    longestMs = Math.max(longestMs, await turn())
    const toComeMs = 0.5 * (200 - begun.length)
    if (now() > 8)
      t.ok(scheduler.waitMs >= toComeMs, `${scheduler.waitMs}: one more would wait for all before it, ${toComeMs} ms`)
    t.ok(scheduler.waitMs <= Math.max(now(), 1.2 * toComeMs), `${scheduler.waitMs}: and not for much longer`)
  }
  await Promise.all(all)
  t.ok(longestMs <= RULE.sliceMs + 0.5, `${longestMs} ms`)
  t.same(
    begun,
    [...begun].sort((a, b) => a - b),
  )
  for (let i = 0; i < 3 && !isIdle(); i++) await turn()
  t.ok(isIdle())
  t.equal(scheduler.waitMs, 0)
})

t.test('a batch and questions do not starve each other', async (t) => {
  const { scheduler, turn, work } = loop()
  let done = 0
  const batch = async () => {
    const yieldIfNeeded = scheduler.yielder()
    for (let i = 0; i < 100; i++) {
      work(0.25)
      const wait = yieldIfNeeded()
      if (wait !== undefined) await wait
    }
    done++
  }
  const batches = Array.from({ length: 20 }, batch)
  let answered = 0
  const question = async () => {
    const wait = scheduler.begin()
    if (wait !== undefined) await wait
    work(0.5)
    answered++
  }
  const questions: Promise<void>[] = []
  let count = 0
  for (; done < 20 && count < 2000; count++) {
    questions.push(question(), question(), question(), question())
    t.ok((await turn()) <= RULE.sliceMs + RULE.pieceMs + 0.5)
  }
  t.equal(done, 20, 'all batches finish while questions keep coming')
  t.ok(answered > count, `${answered} questions were answered in ${count} turns`)
  await Promise.all(batches)
  while (answered < questions.length) await turn()
  await Promise.all(questions)
})

t.test('work that arrives in a turn runs before work that continues', async (t) => {
  const { scheduler, turn, work, now } = loop()
  let done = false
  const batch = async () => {
    const yieldIfNeeded = scheduler.yielder()
    await scheduler.next()
    for (let i = 0; i < 40; i++) {
      work(0.25)
      const wait = yieldIfNeeded()
      if (wait !== undefined) await wait
    }
    done = true
  }
  const going = batch()
  let waitedMs = 0
  let asked = 0
  for (; !done; asked++) {
    const sinceMs = now()
    scheduler.atEndOfTick(() => {
      waitedMs = Math.max(waitedMs, now() - sinceMs)
    })
    await turn()
  }
  await going
  t.ok(asked > 5, `${asked} turns`)
  t.equal(waitedMs, 0, 'it waits only for work that began earlier')
})

t.test('long work continues in slices half as long', async (t) => {
  const { scheduler, turn, work, now } = loop()
  const pieces: number[] = []
  const long = async () => {
    const yieldIfNeeded = scheduler.yielder()
    let begunAtMs = now()
    while (pieces.length < 12) {
      work(0.125)
      const away = yieldIfNeeded()
      if (away === undefined) continue
      pieces.push(now() - begunAtMs)
      await away
      begunAtMs = now()
    }
  }
  const done = long()
  for (let i = 0; i < 40; i++) await turn()
  await done
  t.same(pieces, [...Array(8).fill(1), ...Array(4).fill(0.5)])
})

t.test('whatever arrives in any order, every task gets its turn and no turn is long', async () => {
  const task = fc.record({
    atTurn: fc.nat(20),
    pieces: fc.integer({ min: 1, max: 12 }),
    pieceMs: fc.constantFrom(0.1, 0.5, 1),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(task, { maxLength: 40 }), async (tasks) => {
      const { scheduler, turn, work } = loop()
      let done = 0
      const run = async ({ pieces, pieceMs }: (typeof tasks)[number]) => {
        const wait = scheduler.begin()
        if (wait !== undefined) await wait
        const yieldIfNeeded = scheduler.yielder()
        for (let i = 0; i < pieces; i++) {
          work(pieceMs)
          const away = yieldIfNeeded()
          if (away !== undefined) await away
        }
        done++
      }
      for (let i = 0; i < 600 && (i <= 20 || done < tasks.length); i++) {
        for (const each of tasks) if (each.atTurn === i) void run(each)
        const tookMs = await turn()
        if (tookMs > RULE.sliceMs + RULE.pieceMs + 1) throw new Error(`a turn took ${tookMs} ms`)
      }
      if (done < tasks.length) throw new Error(`${tasks.length - done} never came to their end`)
    }),
    { numRuns: runs(25) },
  )
})

t.test('new connections are accepted while many requests wait', async (t) => {
  const CONNECTIONS = 40
  const scheduler = createEventLoopScheduler(RULE, () => performance.now())
  const server = createServer((socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  let taken = 0
  let begun = 0
  let begunMeanwhile: number | undefined
  server.on('connection', () => {
    taken++
    if (taken === CONNECTIONS) begunMeanwhile = begun
  })
  const clients = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1'))
  const crowd = Array.from({ length: 500 }, async () => {
    while (begunMeanwhile === undefined) {
      await scheduler.begin()
      begun++
      const untilMs = performance.now() + 1
      while (performance.now() < untilMs);
    }
  })
  await Promise.all(clients.map((client) => once(client.resume(), 'close')))
  await Promise.all(crowd)
  // Without a slice, each turn would have begun all that wait: 500 for each connection.
  t.ok((begunMeanwhile ?? Number.POSITIVE_INFINITY) < 40 * CONNECTIONS, `${begunMeanwhile} were begun meanwhile`)
})
