// How long pictures wait for a worker, and how long one more would.

import t from 'tap'
import { PendingImages } from '../../src/handoff/pending-images.js'

const LONG_MS = 60_000

t.test('what no worker has taken is what waits for one', async (t) => {
  let nowMs = 0
  const pendingImages = new PendingImages(LONG_MS, () => nowMs)
  t.equal(pendingImages.untakenMs, 0)
  const first = pendingImages.put(Buffer.from('a picture'))
  nowMs = 10
  const second = pendingImages.put(Buffer.from('another'))
  nowMs = 30
  t.equal(pendingImages.untakenMs, 30)
  pendingImages.claim(first.ticket)
  t.equal(pendingImages.untakenMs, 20, 'one that takes long to hash does not count')
  pendingImages.claim(second.ticket)
  t.equal(pendingImages.untakenMs, 0)
  t.equal(pendingImages.oldestMs, 30)
  for (const { answer } of [first, second]) answer.catch(() => {})
  pendingImages.close()
})

t.test('how long one more would wait is told by how fast those before it were taken', async (t) => {
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
  t.equal(pendingImages.expectedMs(), 15 * 25, 'and not the 125 ms that the oldest has waited')
  take(0)
  t.equal(pendingImages.expectedMs(), 15 * 25, 'taking one again is no taking')
  left[19]?.cancel()
  left[4]?.cancel()
  t.equal(pendingImages.expectedMs(), 14 * 25, 'one that was called off waits no more; one that was taken did not')
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
  t.equal(pendingImages.expectedMs(), 5000, 'nobody takes it')
  pendingImages.close()
  t.equal(pendingImages.expectedMs(), 0)
})

t.test('a picture whose worker died before it was fetched is not taken for a sign that workers are short', async (t) => {
  let nowMs = 0
  const pendingImages = new PendingImages(LONG_MS, () => nowMs)
  const leave = (priority: number) => {
    const left = pendingImages.put(Buffer.from('a picture'), priority)
    left.answer.catch(() => {})
    return left
  }
  const orphan = leave(10)
  nowMs += 5000
  t.equal(pendingImages.expectedMs(), 5000, 'as long as nothing is taken, nobody may be there')
  const next = leave(10)
  pendingImages.claim(next.ticket)
  t.equal(pendingImages.expectedMs(), 0, 'one that came later was taken')
  t.equal(pendingImages.untakenMs, 0)

  // Who has a right to go first overtakes nobody who is no longer in the line.
  const platform = leave(10)
  nowMs += 100
  const person = leave(1)
  pendingImages.claim(person.ticket)
  t.equal(pendingImages.untakenMs, 100, 'a person goes first, and the platform still waits')
  pendingImages.claim(platform.ticket)
  t.equal(pendingImages.untakenMs, 0)
  t.ok(pendingImages.claim(orphan.ticket), 'and it is given to whoever finds its job')
  pendingImages.close()
})
