import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { encodeImage } from '../../src/store/images/image-record.js'
import { createOwnWrites } from '../../src/store/images/read-your-writes.js'
import type { Change } from '../../src/store/scripts/change-ops.js'
import { imageOf } from '../helpers/registered-image.js'
import { longestVideo } from './sample-images.js'

function written() {
  const id = uuidV7(Date.now(), randomBytes(10))
  return { id, image: imageOf(hashFromBytes(randomBytes(32))) }
}

function recordsOf(...all: readonly ReturnType<typeof written>[]) {
  return new Map(all.map(({ id, image }) => [id, encodeImage(image)]))
}

function changeOf(revision: number, mark: Buffer, ...ids: string[]): Change {
  return { op: 'image', revision, imageIds: ids, by: mark.toString('latin1') }
}

t.test('an own write is recognised by its mark, once, and only for the images of the change', (t) => {
  const own = createOwnWrites()
  const [one, two] = [written(), written()]
  const mark = own.mark(recordsOf(one, two))
  t.same([...own.of([{ op: 'image', revision: 1, imageIds: [one.id] }])], [], 'a change without a mark is not an own write')
  t.same([...own.of([changeOf(1, randomBytes(8), one.id)])], [])
  t.same([...own.of([changeOf(1, mark, two.id)])], [[two.id, two.image]], 'the other image was not changed')
  t.same([...own.of([changeOf(1, mark, one.id, two.id)])], [])
  t.end()
})

t.test('an image with a second change in the same batch is not recognised as an own write', (t) => {
  const [one, two, three, four] = [written(), written(), written(), written()]
  const own = createOwnWrites()
  const [mark, again] = [own.mark(recordsOf(one, two, three, four)), own.mark(recordsOf(four))]
  const known = own.of([
    { op: 'tombstone', revision: 1, imageIds: [one.id] },
    changeOf(2, mark, one.id, two.id, three.id, four.id),
    { op: 'trustStatus', revision: 3, imageIds: [two.id] },
    { op: 'image', revision: 4, imageIds: [three.id] },
    changeOf(5, again, four.id),
  ])
  t.same([...known.keys()], [two.id], 'a trust status does not change the record')
  t.end()
})

t.test('an own write that failed, was followed or is too old is forgotten', (t) => {
  const one = written()
  const isKnown = (own: ReturnType<typeof createOwnWrites>, mark: Buffer) => own.of([changeOf(9, mark, one.id)]).size === 1
  const marked = () => {
    const own = createOwnWrites()
    return { own, mark: own.mark(recordsOf(one)) }
  }
  const failed = marked()
  failed.own.wrote(failed.mark, undefined)
  t.notOk(isKnown(failed.own, failed.mark), 'unknown whether it happened')

  const passed = marked()
  passed.own.followed(8)
  passed.own.wrote(passed.mark, 8)
  passed.own.followed(7)
  passed.own.followed(8)
  t.notOk(isKnown(passed.own, passed.mark), 'the stream is already beyond it')

  const due = marked()
  due.own.wrote(due.mark, 9)
  due.own.followed(8)
  t.ok(isKnown(due.own, due.mark))

  const anew = marked()
  anew.own.forgetAll()
  t.notOk(isKnown(anew.own, anew.mark))

  const unfollowed = marked()
  for (let i = 0; i < 256; i++) unfollowed.own.mark(recordsOf(one))
  t.notOk(isKnown(unfollowed.own, unfollowed.mark))
  t.end()
})

t.test('a write of more than 50 images is not remembered', (t) => {
  const own = createOwnWrites()
  t.equal(own.mark(recordsOf(...Array.from({ length: 51 }, written))).length, 0)
  t.end()
})

t.test('writes that take more than one short step to apply are read back, alone or together', (t) => {
  const own = createOwnWrites()
  t.equal(own.mark(recordsOf({ id: written().id, image: longestVideo(1) })).length, 0, '700 KB')
  const photograph = () => {
    const { id, image } = written()
    const rows = Array.from({ length: 194 }, () => image.signals).flat()
    return { id, image: { ...image, signals: rows } }
  }
  const all = Array.from({ length: 20 }, () => {
    const one = photograph()
    return { ...one, mark: own.mark(recordsOf(one)) }
  })
  t.ok(all.every(({ mark }) => mark.length > 0))
  const changes = all.map(({ id, mark }, i) => changeOf(i, mark, id))
  t.equal(own.of(changes).size, 9, '64 KB of 20 times 7 KB')
  t.equal(own.of(changes).size, 0, 'the others are not kept either')
  t.end()
})
