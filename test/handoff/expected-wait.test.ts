// How long pictures wait for a worker, and how long one more would wait.

import t from 'tap'
import { PendingImages } from '../../src/handoff/pending-images.js'

const LONG_MS = 60_000

t.test('the wait for a worker counts only pictures that no worker has taken', async (t) => {
  let nowMs = 0
  const pendingImages = new PendingImages(LONG_MS, () => nowMs)
  t.equal(pendingImages.untakenMs, 0)
  const first = pendingImages.put(Buffer.from('a picture'))
  nowMs = 10
  const second = pendingImages.put(Buffer.from('another'))
  nowMs = 30
  t.equal(pendingImages.untakenMs, 30)
  pendingImages.claim(first.ticket)
  t.equal(pendingImages.untakenMs, 20, 'a picture that takes long to hash does not count')
  pendingImages.claim(second.ticket)
  t.equal(pendingImages.untakenMs, 0)
  t.equal(pendingImages.oldestMs, 30)
  for (const { answer } of [first, second]) answer.catch(() => {})
  pendingImages.close()
})

t.test('the expected wait of one more picture follows the rate at which workers take pictures', async (t) => {
  let nowMs = 0
  const pendingImages = new PendingImages(LONG_MS, () => nowMs)
  t.equal(pendingImages.expectedMs(), 0)
  const left = Array.from({ length: 20 }, (_, i) => pendingImages.put(Buffer.from(`picture ${i}`)))
  for (const { answer } of left) answer.catch(() => {})
  t.equal(pendingImages.expectedMs(), 0, 'nothing is known yet')
  const take = (i: number) => pendingImages.claim(left[i]?.ticket ?? '')
  for (let i = 0; i < 5; i++) {
    nowMs += 25
    take(i)
  }
  t.equal(pendingImages.expectedMs(), 15 * 25, 'not the 125 ms that the oldest has waited')
  take(0)
  t.equal(pendingImages.expectedMs(), 15 * 25, 'taking one twice does not count')
  left[19]?.cancel()
  left[4]?.cancel()
  t.equal(pendingImages.expectedMs(), 14 * 25, 'a cancelled picture waits no more; a taken one did not wait')
  for (let i = 5; i < 19; i++) take(i)
  t.equal(pendingImages.expectedMs(), 0)

  // Workers that wait for pictures are not slow.
  nowMs += 60_000
  const late = pendingImages.put(Buffer.from('late'))
  late.answer.catch(() => {})
  pendingImages.claim(late.ticket)
  const next = pendingImages.put(Buffer.from('next'))
  next.answer.catch(() => {})
  t.ok(pendingImages.expectedMs() < 25, `${pendingImages.expectedMs()} ms`)
  nowMs += 5000
  t.equal(pendingImages.expectedMs(), 5000, 'no worker takes it')
  pendingImages.close()
  t.equal(pendingImages.expectedMs(), 0)
})

t.test('a picture whose worker died before fetching it is no sign of too few workers', async (t) => {
  let nowMs = 0
  const pendingImages = new PendingImages(LONG_MS, () => nowMs)
  const leave = (priority: number) => {
    const left = pendingImages.put(Buffer.from('a picture'), priority)
    left.answer.catch(() => {})
    return left
  }
  const orphan = leave(10)
  nowMs += 5000
  t.equal(pendingImages.expectedMs(), 5000, 'as long as nothing is taken, there may be no worker')
  const next = leave(10)
  pendingImages.claim(next.ticket)
  t.equal(pendingImages.expectedMs(), 0, 'a later one was taken')
  t.equal(pendingImages.untakenMs, 0)

  // A prioritised picture does not affect one that is no longer in the queue.
  const platform = leave(10)
  nowMs += 100
  const person = leave(1)
  pendingImages.claim(person.ticket)
  t.equal(pendingImages.untakenMs, 100, 'a person goes first, and the platform still waits')
  pendingImages.claim(platform.ticket)
  t.equal(pendingImages.untakenMs, 0)
  t.ok(pendingImages.claim(orphan.ticket), 'it is still given to the worker that finds its job')
  pendingImages.close()
})
