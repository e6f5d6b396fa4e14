// How many videos a process and a caller may hold at a time, and how long one waits for a worker that can decode it.

import t from 'tap'
import { VIDEO_LIMITS } from '../../src/domain/media/video-limits.js'
import { Problem } from '../../src/domain/problem.js'
import { createPendingVideos } from '../../src/handoff/pending-videos.js'
import { type HashVideoJob, LARGE_VIDEO_BEHIND } from '../../src/jobs/hash-video-job.js'
import { FREE } from '../../src/services/intake/hashing.js'
import { createVideoHashing } from '../../src/services/intake/video-hashing.js'
import { createVideoRoom } from '../../src/services/intake/video-room.js'
import { until } from '../helpers/service.js'
import { fileOf } from '../helpers/videos.js'

const OVERLOADED = { code: 'overloaded' }

t.test('all callers together have a limit, and one caller has half of it', async (t) => {
  const room = createVideoRoom({ maxBytes: 100, maxInFlightBytes: 200 })
  t.equal(room.maxBytes, 100)
  const leaves = [room.enter('one', 60), room.enter('one', 40)]
  t.throws(() => room.enter('one', 1), OVERLOADED)
  leaves.push(room.enter('two', 90))
  t.throws(() => room.enter('three', 11), OVERLOADED)
  leaves.push(room.enter('three', 10))
  leaves[0]?.()
  leaves[0]?.() // counts once
  t.throws(() => room.enter('three', 61), OVERLOADED)
  room.enter('one', 60)
})

t.test('the first video of a caller may have any size that fits', async (t) => {
  const room = createVideoRoom({ maxBytes: 100, maxInFlightBytes: 80 })
  t.equal(room.maxBytes, 80)
  room.enter('one', 80)
})

t.test('the number of videos is limited, per caller and in all', async (t) => {
  const room = createVideoRoom({ maxBytes: 100, maxInFlightBytes: 1000 })
  for (let i = 0; i < 16; i++) room.enter('one', 1)
  t.throws(() => room.enter('one', 1), OVERLOADED)
  for (let i = 0; i < 16; i++) room.enter('two', 1)
  t.throws(() => room.enter('three', 1), OVERLOADED)
})

t.test('a waiting video is refused when the last worker with a decoder ends', async (t) => {
  const pendingVideos = createPendingVideos(60_000)
  t.teardown(() => pendingVideos.close())
  const tickets: string[] = []
  const store = { isLacking: false, isGone: false, asked: 0 }
  const hashing = createVideoHashing({
    ...{ pendingVideos, handoffUrl: '', limits: VIDEO_LIMITS, recheckMs: 1 },
    enqueue: async ({ ticket }) => void tickets.push(ticket),
    lackWorkers: async () => false,
    async lackDecoders() {
      store.asked++
      if (store.isGone) throw new Problem('store-unavailable')
      return store.isLacking
    },
  })
  const send = () => {
    const video = hashing.receive({ group: 'one', member: 'one', ...FREE }, 10)
    video.add(Buffer.alloc(10, 1))
    return video.hash('query', new AbortController().signal)
  }
  const claimed = send()
  await until(() => tickets.length === 1)
  const waiting = send()
  await until(() => tickets.length === 2)
  t.ok(pendingVideos.claim(tickets[0] ?? ''))
  store.isGone = true
  const before = store.asked
  await until(() => store.asked > before + 4)
  t.equal(pendingVideos.size, 2, 'a store that is gone says nothing about workers')
  store.isGone = false
  store.isLacking = true
  await t.rejects(waiting, { code: 'video-unavailable' })
  t.ok(pendingVideos.isTaken(tickets[0] ?? ''))
  pendingVideos.answer(tickets[0] ?? '', { problem: 'video-undecodable', costMs: 0 })
  await t.rejects(claimed, { code: 'video-undecodable' })
  t.equal(pendingVideos.size, 0)
})

t.test('a video that no worker takes is refused as soon as a picture would be', async (t) => {
  const pendingVideos = createPendingVideos(60_000)
  t.teardown(() => pendingVideos.close())
  const workers = { areGone: true, asked: 0 }
  const hashing = createVideoHashing({
    ...{ pendingVideos, handoffUrl: '', limits: VIDEO_LIMITS, recheckMs: 1, workersMs: 20 },
    enqueue: async () => {},
    lackDecoders: async () => false,
    async lackWorkers() {
      workers.asked++
      return workers.areGone
    },
  })
  const send = () => {
    const video = hashing.receive({ group: 'one', member: 'one', ...FREE }, 10)
    video.add(Buffer.alloc(10, 1))
    return video.hash('query', new AbortController().signal)
  }
  await t.rejects(send(), { code: 'hashing-unavailable' })
  t.equal(pendingVideos.size, 0, 'nothing of it is kept')

  workers.areGone = false
  const waiting = send()
  const before = workers.asked
  const beganAtMs = performance.now()
  await until(() => workers.asked > before + 4 && performance.now() - beganAtMs > 60)
  t.equal(pendingVideos.size, 1, 'behind other videos it may wait longer')
  pendingVideos.close()
  await t.rejects(waiting, { code: 'hashing-unavailable' })
})

t.test('a sender pays for what a video cost, also if it is refused or its sender leaves', async (t) => {
  const pendingVideos = createPendingVideos(60_000)
  t.teardown(() => pendingVideos.close())
  const tickets: string[] = []
  let nowMs = 0
  let looks = 0
  const seen = { ...pendingVideos, isTaken: (ticket: string) => pendingVideos.isTaken(ticket) && ++looks > 0 }
  const hashing = createVideoHashing({
    ...{ pendingVideos: seen, handoffUrl: '', limits: VIDEO_LIMITS, recheckMs: 1 },
    enqueue: async ({ ticket }) => void tickets.push(ticket),
    lackDecoders: async () => false,
    lackWorkers: async () => false,
    now: () => nowMs,
  })
  let units = 0
  const from = {
    ...{ ...FREE, group: 'one', member: 'one', waitsForCost: true },
    chargeVideo: (_: number, least: number) => {
      units += least
    },
    settleVideo: (count: number) => {
      units += count
    },
  }
  const send = (sender: AbortController, who = from) => {
    const video = hashing.receive(who, 10)
    video.add(Buffer.alloc(10, 1))
    return video.hash('submission', sender.signal)
  }
  const refused = send(new AbortController())
  await until(() => pendingVideos.claim(tickets[0] ?? '') !== undefined)
  pendingVideos.answer(tickets[0] ?? '', { problem: 'video-undecodable', costMs: 154_000 })
  await t.rejects(refused, { code: 'video-undecodable' })
  t.equal(units, 154_000 / 50)

  units = 0
  const sender = new AbortController()
  const left = send(sender)
  await until(() => pendingVideos.claim(tickets[1] ?? '') !== undefined)
  const before = looks
  await until(() => looks > before)
  nowMs = 308_000
  sender.abort()
  await t.rejects(left, { code: 'hashing-unavailable' })
  t.equal(units, 154_000 / 50, 'half of the time')

  const inDebt = {
    ...from,
    chargeVideo() {
      throw new Problem('rate-limited')
    },
  }
  const [next, later] = [send(new AbortController()), send(new AbortController(), inDebt)]
  const another = send(new AbortController(), { ...from, group: 'two' })
  await until(() => tickets.length === 4)
  t.ok(pendingVideos.claim(tickets[2] ?? ''))
  t.ok(pendingVideos.claim(tickets[3] ?? ''), 'another address does not wait')
  t.equal(pendingVideos.size, 2, 'a second one of the address waits for the cost of the first')
  for (const ticket of tickets.slice(2)) pendingVideos.answer(ticket, { problem: 'video-undecodable', costMs: 0 })
  await t.rejects(next, { code: 'video-undecodable' })
  await t.rejects(another, { code: 'video-undecodable' })
  await t.rejects(later, { code: 'rate-limited' })

  const third = { ...from, group: 'three' }
  const waiting = [1, 2, 3, 4].map(() => hashing.receive(third, 1))
  t.throws(() => hashing.receive(third, 1), OVERLOADED, 'an address holds few videos')
  for (const each of waiting) each.release()
})

t.test(
  'a film that may take long is charged for it at once, waits behind others, and has a turn after a while',
  async (t) => {
    const pendingVideos = createPendingVideos(60_000)
    t.teardown(() => pendingVideos.close())
    const jobs: { cost: HashVideoJob['cost']; priority: number }[] = []
    let nowMs = 0
    const hashing = createVideoHashing({
      ...{ pendingVideos, handoffUrl: '', recheckMs: 1 },
      limits: { ...VIDEO_LIMITS, largeMs: 1000, patienceMs: 500 },
      enqueue: async ({ cost }, priority) => void jobs.push({ cost, priority }),
      lackDecoders: async () => false,
      lackWorkers: async () => false,
      now: () => nowMs,
    })
    const charged: number[] = []
    const send = (group: string, file: Buffer) => {
      const from = { ...FREE, group, member: group, chargeVideo: (units: number) => void charged.push(units) }
      const video = hashing.receive(from, file.length)
      video.add(Buffer.from(file))
      return video.hash('submission', new AbortController().signal)
    }
    const times = (count: number) => Array.from({ length: count }, (_, i) => 10 * i)
    const size = { width: 1920, height: 1080 }
    const all = [
      send('one', fileOf(times(900), size)),
      send('two', fileOf(times(100), size)),
      send('three', Buffer.alloc(9, 1)),
    ]
    await until(() => jobs.length === 3)
    const large = { cost: 'large', priority: LARGE_VIDEO_BEHIND + 1 } as const
    jobs.sort((one, other) => one.priority - other.priority)
    t.same(jobs, [{ cost: undefined, priority: 1 }, large, large], 'a file that does not show its cost is large as well')
    t.same(
      charged.sort((one, other) => one - other),
      [20, 20, 83],
      'frames, not bytes; and an unknown cost is charged by bytes',
    )
    nowMs = 500
    await until(() => jobs.length === 5)
    t.same(jobs.slice(3), [
      { cost: 'waited', priority: 1 },
      { cost: 'waited', priority: 1 },
    ])
    pendingVideos.close()
    for (const each of await Promise.allSettled(all)) t.equal(each.status, 'rejected')
    t.equal(jobs.length, 5, 'once')
  },
)
