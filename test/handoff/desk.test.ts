import { mock } from 'node:test'
import t from 'tap'
import { Blocks } from '../../src/handoff/blocks.js'
import { HandoffDesk } from '../../src/handoff/desk.js'
import type { HandoffAnswer } from '../../src/handoff/message.js'

const LONG_MS = 60_000
const REFUSED: HandoffAnswer = { problem: 'image-undecodable' }

t.test('an image is given once, to whoever shows its ticket', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  t.teardown(() => desk.close())
  const image = Buffer.from('a picture')
  const { ticket } = desk.leave(image)
  t.match(ticket, /^[A-Za-z0-9_-]{43}$/)

  for (const wrong of ['', ticket.slice(1), ticket.toUpperCase(), `${ticket} `, '__proto__'])
    t.equal(desk.take(wrong), undefined)
  t.same(desk.take(ticket), [image])
  t.equal(desk.take(ticket), undefined)
})

t.test('an image is left and given in the pieces it came in, and every piece is overwritten', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const pieces = ['a ', 'pic', 'ture'].map((text) => Buffer.from(text))
  const { ticket, answer } = desk.leave(pieces)
  t.same(desk.take(ticket), pieces)
  desk.wipe(ticket)
  t.ok(pieces.every(isWiped))
  desk.close()
  await t.rejects(answer, { code: 'hashing-unavailable' })
})

t.test('no two tickets are alike, and none opens another image', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  t.teardown(() => desk.close())
  const left = Array.from({ length: 100 }, (_, i) => ({ image: Buffer.from([i]), ...desk.leave(Buffer.from([i])) }))

  t.equal(new Set(left.map(({ ticket }) => ticket)).size, 100)
  for (const { ticket, image } of left) t.same(desk.take(ticket), [image])
})

t.test('an answer reaches whoever left the image, and is taken once', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const { ticket, answer } = desk.leave(Buffer.from('a picture'))
  desk.take(ticket)

  t.equal(desk.answer(ticket, REFUSED), true)
  t.equal(desk.answer(ticket, { problem: 'media-unsupported' }), false)
  t.same(await answer, REFUSED)
  t.equal(desk.size, 0)
})

t.test('a worker that could not hash says nothing of the image: whoever waits is told to come again', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = desk.leave(image)
  desk.take(ticket)

  t.equal(desk.answer(ticket, { problem: 'hashing-unavailable' }), true)

  await t.rejects(answer, { code: 'hashing-unavailable', retryAfterS: 5 })
  t.ok(image.every((byte) => byte === 0))
})

t.test('an answer for an image that nobody took is refused, and the image stays', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = desk.leave(image)

  t.equal(desk.answer(ticket, REFUSED), false)
  t.equal(desk.answer('another', REFUSED), false)

  t.same(desk.take(ticket)?.[0]?.toString(), 'a picture')
  t.equal(desk.answer(ticket, REFUSED), true)
  t.same(await answer, REFUSED)
})

t.test('an image that nobody takes in time is overwritten, and its ticket is worth nothing', async (t) => {
  const desk = new HandoffDesk(20)
  const image = Buffer.from('a picture')
  const { ticket, answer } = desk.leave(image)

  await t.rejects(answer, { code: 'hashing-unavailable', retryAfterS: Number })

  t.ok(isWiped(image))
  t.equal(desk.take(ticket), undefined)
  t.equal(desk.answer(ticket, REFUSED), false)
  t.equal(desk.size, 0)
})

t.test('an image waits as long as it was said, and no longer', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const desk = new HandoffDesk(LONG_MS)
  const image = Buffer.from('a picture')
  const { answer } = desk.leave(image)

  mock.timers.tick(LONG_MS - 1)
  t.equal(image.toString(), 'a picture')
  mock.timers.tick(1)

  t.ok(isWiped(image))
  await t.rejects(answer, { code: 'hashing-unavailable' })
})

t.test('an answer that comes too late is refused', async (t) => {
  const desk = new HandoffDesk(20)
  const { ticket, answer } = desk.leave(Buffer.from('a picture'))
  desk.take(ticket)

  await t.rejects(answer, { code: 'hashing-unavailable' })

  t.equal(desk.answer(ticket, REFUSED), false)
  t.equal(desk.size, 0)
})

t.test('an image that was taken is overwritten once it is sent, and its answer may still come', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer } = desk.leave(image)
  desk.wipe(ticket)
  t.equal(image.toString(), 'a picture', 'not before it is taken')
  desk.take(ticket)

  desk.wipe(ticket)
  desk.wipe(ticket)
  desk.wipe('another')

  t.ok(isWiped(image))
  t.equal(desk.take(ticket), undefined)
  t.equal(desk.answer(ticket, REFUSED), true)
  t.same(await answer, REFUSED)
})

t.test('an image that was taken and not sent in time is overwritten all the same', async (t) => {
  const desk = new HandoffDesk(20)
  const image = Buffer.from('a picture')
  const { ticket, answer } = desk.leave(image)
  desk.take(ticket)

  await t.rejects(answer, { code: 'hashing-unavailable' })

  t.ok(isWiped(image))
})

t.test('an image that is called off is overwritten at once', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const image = Buffer.from('a picture')
  const { ticket, answer, callOff } = desk.leave(image)

  callOff()

  t.ok(isWiped(image))
  t.equal(desk.take(ticket), undefined)
  await t.rejects(answer, { code: 'hashing-unavailable' })
  callOff()
  t.equal(desk.size, 0)
})

t.test('calling off changes nothing about an answer that was there first', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const { ticket, answer, callOff } = desk.leave(Buffer.from('a picture'))
  desk.take(ticket)
  desk.answer(ticket, REFUSED)

  callOff()

  t.same(await answer, REFUSED)
})

t.test(
  'where an image waited serves for another one when it is sent or was never taken, and never while it may be on its way',
  async (t) => {
    const blocks = new Blocks()
    const desk = new HandoffDesk(LONG_MS, undefined, blocks)
    const image = () => Buffer.alloc(200_000, 7)
    const left = () => {
      const { ticket, answer, callOff } = desk.leave(image())
      return { ticket, answer: answer.catch(() => {}), callOff }
    }

    left().callOff()
    t.equal(blocks.freeCount, 4, 'never taken')

    const sent = left()
    t.equal(blocks.freeCount, 0)
    desk.take(sent.ticket)
    desk.wipe(sent.ticket)
    t.equal(blocks.freeCount, 4, 'sent, and not answered for yet')
    desk.wipe(sent.ticket)
    desk.answer(sent.ticket, REFUSED)
    t.equal(blocks.freeCount, 4, 'and not twice')

    const early = left()
    const pieces = desk.take(early.ticket) ?? []
    desk.answer(early.ticket, REFUSED)
    t.ok(pieces.length > 0 && pieces.every(isWiped), 'answered before it was sent')
    t.equal(blocks.freeCount, 0)

    const late = left()
    const reading = desk.take(late.ticket) ?? []
    late.callOff()
    t.ok(reading.length > 0 && reading.every(isWiped), 'given up while it is sent')
    t.equal(blocks.freeCount, 0)
    desk.wipe(late.ticket)
    t.equal(blocks.freeCount, 0)
    for (const { answer } of [sent, early, late]) await answer
  },
)

t.test('a process that stops leaves no image behind and nobody waiting', async (t) => {
  const desk = new HandoffDesk(LONG_MS)
  const pictures = Array.from({ length: 3 }, () => Buffer.from('a picture'))
  const answers = pictures.map((image) => desk.leave(image).answer)

  desk.close()

  t.ok(pictures.every(isWiped))
  t.same(
    (await Promise.allSettled(answers)).map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  t.equal(desk.size, 0)
})

function isWiped(image: Buffer): boolean {
  return image.every((byte) => byte === 0)
}

t.test('what no worker has taken is what waits for one', async (t) => {
  let nowMs = 0
  const desk = new HandoffDesk(LONG_MS, () => nowMs)
  t.equal(desk.untakenMs, 0)
  const first = desk.leave(Buffer.from('a picture'))
  nowMs = 10
  const second = desk.leave(Buffer.from('another'))
  nowMs = 30
  t.equal(desk.untakenMs, 30)
  desk.take(first.ticket)
  t.equal(desk.untakenMs, 20, 'one that takes long to hash does not count')
  desk.take(second.ticket)
  t.equal(desk.untakenMs, 0)
  t.equal(desk.oldestMs, 30)
  for (const { answer } of [first, second]) answer.catch(() => {})
  desk.close()
})

t.test('how long one more would wait is told by how fast those before it were taken', async (t) => {
  let nowMs = 0
  const desk = new HandoffDesk(LONG_MS, () => nowMs)
  t.equal(desk.expectedMs(), 0)
  const left = Array.from({ length: 20 }, (_, i) => desk.leave(Buffer.from(`picture ${i}`)))
  for (const { answer } of left) answer.catch(() => {})
  t.equal(desk.expectedMs(), 0, 'nothing is known yet')
  const take = (i: number) => desk.take(left[i]?.ticket ?? '')
  for (let i = 0; i < 5; i++) {
    nowMs += 25
    take(i)
  }
  t.equal(desk.expectedMs(), 15 * 25, 'and not the 125 ms that the oldest has waited')
  take(0)
  t.equal(desk.expectedMs(), 15 * 25, 'taking one again is no taking')
  left[19]?.callOff()
  left[4]?.callOff()
  t.equal(desk.expectedMs(), 14 * 25, 'one that was called off waits no more; one that was taken did not')
  for (let i = 5; i < 19; i++) take(i)
  t.equal(desk.expectedMs(), 0)

  // Workers that wait for pictures are not slow.
  nowMs += 60_000
  const late = desk.leave(Buffer.from('late'))
  late.answer.catch(() => {})
  desk.take(late.ticket)
  const next = desk.leave(Buffer.from('next'))
  next.answer.catch(() => {})
  t.ok(desk.expectedMs() < 25, `${desk.expectedMs()} ms`)
  nowMs += 5000
  t.equal(desk.expectedMs(), 5000, 'nobody takes it')
  desk.close()
  t.equal(desk.expectedMs(), 0)
})

t.test('a picture whose worker died before it was fetched is not taken for a sign that workers are short', async (t) => {
  let nowMs = 0
  const desk = new HandoffDesk(LONG_MS, () => nowMs)
  const leave = (priority: number) => {
    const left = desk.leave(Buffer.from('a picture'), priority)
    left.answer.catch(() => {})
    return left
  }
  const orphan = leave(10)
  nowMs += 5000
  t.equal(desk.expectedMs(), 5000, 'as long as nothing is taken, nobody may be there')
  const next = leave(10)
  desk.take(next.ticket)
  t.equal(desk.expectedMs(), 0, 'one that came later was taken')
  t.equal(desk.untakenMs, 0)

  // Who has a right to go first overtakes nobody who is no longer in the line.
  const platform = leave(10)
  nowMs += 100
  const person = leave(1)
  desk.take(person.ticket)
  t.equal(desk.untakenMs, 100, 'a person goes first, and the platform still waits')
  desk.take(platform.ticket)
  t.equal(desk.untakenMs, 0)
  t.ok(desk.take(orphan.ticket), 'and it is given to whoever finds its job')
  desk.close()
})
