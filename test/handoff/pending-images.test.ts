import { mock } from 'node:test'
import t from 'tap'
import { Blocks } from '../../src/handoff/blocks.js'
import type { HandoffAnswer } from '../../src/handoff/message.js'
import { PendingImages } from '../../src/handoff/pending-images.js'

const LONG_MS = 60_000
const REFUSED: HandoffAnswer = { problem: 'image-undecodable' }

t.test('an image is given once, to whoever shows its ticket', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  t.teardown(() => pendingImages.close())
  const image = Buffer.from('a picture')
  const { ticket } = pendingImages.put(image)
  t.match(ticket, /^[A-Za-z0-9_-]{43}$/)

  for (const wrong of ['', ticket.slice(1), ticket.toUpperCase(), `${ticket} `, '__proto__'])
    t.equal(pendingImages.claim(wrong), undefined)
  t.same(pendingImages.claim(ticket), [image])
  t.equal(pendingImages.claim(ticket), undefined)
})

t.test('an image is left and given in the pieces it came in, and every piece is overwritten', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const pieces = ['a ', 'pic', 'ture'].map((text) => Buffer.from(text))
  const { ticket, answer } = pendingImages.put(pieces)
  t.same(pendingImages.claim(ticket), pieces)
  pendingImages.wipe(ticket)
  t.ok(pieces.every(isWiped))
  pendingImages.close()
  await t.rejects(answer, { code: 'hashing-unavailable' })
})

t.test('no two tickets are alike, and none opens another image', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  t.teardown(() => pendingImages.close())
  const left = Array.from({ length: 100 }, (_, i) => ({ image: Buffer.from([i]), ...pendingImages.put(Buffer.from([i])) }))

  t.equal(new Set(left.map(({ ticket }) => ticket)).size, 100)
  for (const { ticket, image } of left) t.same(pendingImages.claim(ticket), [image])
})

t.test('an answer reaches whoever left the image, and is taken once', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const { ticket, answer } = pendingImages.put(Buffer.from('a picture'))
  pendingImages.claim(ticket)

  t.equal(pendingImages.answer(ticket, REFUSED), true)
  t.equal(pendingImages.answer(ticket, { problem: 'media-unsupported' }), false)
  t.same(await answer, REFUSED)
  t.equal(pendingImages.size, 0)
})

t.test('a worker that could not hash says nothing of the image: whoever waits is told to come again', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)
  pendingImages.claim(ticket)

  t.equal(pendingImages.answer(ticket, { problem: 'hashing-unavailable' }), true)

  await t.rejects(answer, { code: 'hashing-unavailable', retryAfterS: 5 })
  t.ok(image.every((byte) => byte === 0))
})

t.test('an answer for an image that nobody took is refused, and the image stays', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)

  t.equal(pendingImages.answer(ticket, REFUSED), false)
  t.equal(pendingImages.answer('another', REFUSED), false)

  t.same(pendingImages.claim(ticket)?.[0]?.toString(), 'a picture')
  t.equal(pendingImages.answer(ticket, REFUSED), true)
  t.same(await answer, REFUSED)
})

t.test('an image that nobody takes in time is overwritten, and its ticket is worth nothing', async (t) => {
  const pendingImages = new PendingImages(20)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)

  await t.rejects(answer, { code: 'hashing-unavailable', retryAfterS: Number })

  t.ok(isWiped(image))
  t.equal(pendingImages.claim(ticket), undefined)
  t.equal(pendingImages.answer(ticket, REFUSED), false)
  t.equal(pendingImages.size, 0)
})

t.test('an image waits as long as it was said, and no longer', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { answer } = pendingImages.put(image)

  mock.timers.tick(LONG_MS - 1)
  t.equal(image.toString(), 'a picture')
  mock.timers.tick(1)

  t.ok(isWiped(image))
  await t.rejects(answer, { code: 'hashing-unavailable' })
})

t.test('an answer that comes too late is refused', async (t) => {
  const pendingImages = new PendingImages(20)
  const { ticket, answer } = pendingImages.put(Buffer.from('a picture'))
  pendingImages.claim(ticket)

  await t.rejects(answer, { code: 'hashing-unavailable' })

  t.equal(pendingImages.answer(ticket, REFUSED), false)
  t.equal(pendingImages.size, 0)
})

t.test('an image that was taken is overwritten once it is sent, and its answer may still come', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)
  pendingImages.wipe(ticket)
  t.equal(image.toString(), 'a picture', 'not before it is taken')
  pendingImages.claim(ticket)

  pendingImages.wipe(ticket)
  pendingImages.wipe(ticket)
  pendingImages.wipe('another')

  t.ok(isWiped(image))
  t.equal(pendingImages.claim(ticket), undefined)
  t.equal(pendingImages.answer(ticket, REFUSED), true)
  t.same(await answer, REFUSED)
})

t.test('an image that was taken and not sent in time is overwritten all the same', async (t) => {
  const pendingImages = new PendingImages(20)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)
  pendingImages.claim(ticket)

  await t.rejects(answer, { code: 'hashing-unavailable' })

  t.ok(isWiped(image))
})

t.test('an image that is called off is overwritten at once', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer, cancel } = pendingImages.put(image)

  cancel()

  t.ok(isWiped(image))
  t.equal(pendingImages.claim(ticket), undefined)
  await t.rejects(answer, { code: 'hashing-unavailable' })
  cancel()
  t.equal(pendingImages.size, 0)
})

t.test('calling off changes nothing about an answer that was there first', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const { ticket, answer, cancel } = pendingImages.put(Buffer.from('a picture'))
  pendingImages.claim(ticket)
  pendingImages.answer(ticket, REFUSED)

  cancel()

  t.same(await answer, REFUSED)
})

t.test(
  'where an image waited serves for another one when it is sent or was never taken, and never while it may be on its way',
  async (t) => {
    const blocks = new Blocks()
    const pendingImages = new PendingImages(LONG_MS, undefined, blocks)
    const image = () => Buffer.alloc(200_000, 7)
    const left = () => {
      const { ticket, answer, cancel } = pendingImages.put(image())
      return { ticket, answer: answer.catch(() => {}), cancel }
    }

    left().cancel()
    t.equal(blocks.freeCount, 4, 'never taken')

    const sent = left()
    t.equal(blocks.freeCount, 0)
    pendingImages.claim(sent.ticket)
    pendingImages.wipe(sent.ticket)
    t.equal(blocks.freeCount, 4, 'sent, and not answered for yet')
    pendingImages.wipe(sent.ticket)
    pendingImages.answer(sent.ticket, REFUSED)
    t.equal(blocks.freeCount, 4, 'and not twice')

    const early = left()
    const pieces = pendingImages.claim(early.ticket) ?? []
    pendingImages.answer(early.ticket, REFUSED)
    t.ok(pieces.length > 0 && pieces.every(isWiped), 'answered before it was sent')
    t.equal(blocks.freeCount, 0)

    const late = left()
    const reading = pendingImages.claim(late.ticket) ?? []
    late.cancel()
    t.ok(reading.length > 0 && reading.every(isWiped), 'given up while it is sent')
    t.equal(blocks.freeCount, 0)
    pendingImages.wipe(late.ticket)
    t.equal(blocks.freeCount, 0)
    for (const { answer } of [sent, early, late]) await answer
  },
)

t.test('a process that stops leaves no image behind and nobody waiting', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const pictures = Array.from({ length: 3 }, () => Buffer.from('a picture'))
  const answers = pictures.map((image) => pendingImages.put(image).answer)

  pendingImages.close()

  t.ok(pictures.every(isWiped))
  t.same(
    (await Promise.allSettled(answers)).map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  t.equal(pendingImages.size, 0)
})

function isWiped(image: Buffer): boolean {
  return image.every((byte) => byte === 0)
}

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
