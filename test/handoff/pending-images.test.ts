import { mock } from 'node:test'
import t from 'tap'
import { Blocks } from '../../src/handoff/blocks.js'
import type { HandoffAnswer } from '../../src/handoff/message.js'
import { PendingImages } from '../../src/handoff/pending-images.js'

const LONG_MS = 60_000
const REFUSED: HandoffAnswer = { problem: 'image-undecodable' }

t.test('an image is given once, for its ticket', async (t) => {
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

t.test('an image is kept and given in its pieces, and every piece is overwritten', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const pieces = ['a ', 'pic', 'ture'].map((text) => Buffer.from(text))
  const { ticket, answer } = pendingImages.put(pieces)
  t.same(pendingImages.claim(ticket), pieces)
  pendingImages.wipe(ticket)
  t.ok(pieces.every(isWiped))
  pendingImages.close()
  await t.rejects(answer, { code: 'hashing-unavailable' })
})

t.test('tickets are unique, and each gives its own image only', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  t.teardown(() => pendingImages.close())
  const left = Array.from({ length: 100 }, (_, i) => ({ image: Buffer.from([i]), ...pendingImages.put(Buffer.from([i])) }))

  t.equal(new Set(left.map(({ ticket }) => ticket)).size, 100)
  for (const { ticket, image } of left) t.same(pendingImages.claim(ticket), [image])
})

t.test('an answer reaches the request that left the image, and is taken once', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const { ticket, answer } = pendingImages.put(Buffer.from('a picture'))
  pendingImages.claim(ticket)

  t.equal(pendingImages.answer(ticket, REFUSED), true)
  t.equal(pendingImages.answer(ticket, { problem: 'media-unsupported' }), false)
  t.same(await answer, REFUSED)
  t.equal(pendingImages.size, 0)
})

t.test('a worker that could not hash makes the request fail with Retry-After, without blaming the image', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)
  pendingImages.claim(ticket)

  t.equal(pendingImages.answer(ticket, { problem: 'hashing-unavailable' }), true)

  await t.rejects(answer, { code: 'hashing-unavailable', retryAfterS: 5 })
  t.ok(image.every((byte) => byte === 0))
})

t.test('an answer for an image that was not taken is refused, and the image stays', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)

  t.equal(pendingImages.answer(ticket, REFUSED), false)
  t.equal(pendingImages.answer('another', REFUSED), false)

  t.same(pendingImages.claim(ticket)?.[0]?.toString(), 'a picture')
  t.equal(pendingImages.answer(ticket, REFUSED), true)
  t.same(await answer, REFUSED)
})

t.test('an image that is not taken in time is overwritten, and its ticket becomes invalid', async (t) => {
  const pendingImages = new PendingImages(20)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)

  await t.rejects(answer, { code: 'hashing-unavailable', retryAfterS: Number })

  t.ok(isWiped(image))
  t.equal(pendingImages.claim(ticket), undefined)
  t.equal(pendingImages.answer(ticket, REFUSED), false)
  t.equal(pendingImages.size, 0)
})

t.test('an image waits exactly as long as configured', async (t) => {
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

t.test('a taken image is overwritten once it is sent, and may still be answered', async (t) => {
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

t.test('an image that was taken and not sent in time is overwritten', async (t) => {
  const pendingImages = new PendingImages(20)
  const image = Buffer.from('a picture')
  const { ticket, answer } = pendingImages.put(image)
  pendingImages.claim(ticket)

  await t.rejects(answer, { code: 'hashing-unavailable' })

  t.ok(isWiped(image))
})

t.test('a cancelled image is overwritten at once', async (t) => {
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

t.test('cancelling does not change an earlier answer', async (t) => {
  const pendingImages = new PendingImages(LONG_MS)
  const { ticket, answer, cancel } = pendingImages.put(Buffer.from('a picture'))
  pendingImages.claim(ticket)
  pendingImages.answer(ticket, REFUSED)

  cancel()

  t.same(await answer, REFUSED)
})

t.test(
  'memory of an image is reused once it is sent or cancelled untaken, and never while it may be in transit',
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
    t.equal(blocks.freeCount, 4, 'sent, and not answered yet')
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

t.test('a process that stops leaves no image behind and no request waiting', async (t) => {
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
