// An HEVC item may hold any number of frames. The first shown frame is the picture, and the others cost nothing.

import t from 'tap'
import { hevcFrames } from '../../src/domain/media/heif/hevc-items.js'
import { isTooCostly, pictureCost } from '../../src/domain/media/picture-cost.js'
import { decode } from '../../workers/media/decode.js'
import { heic, placeOf } from '../helpers/heic.js'

const two = heic('two')
/** Id, source, base offset, count, and one extent with offset and length. */
const ITEM_BYTES = 18
const [OFFSET_AT, LENGTH_AT] = [4, 14]
const itemAt = (item: number) => placeOf(two, 'iloc') + 8 + ITEM_BYTES * item
const [first, second] = [0, 1].map((item) => {
  const from = two.readUInt32BE(itemAt(item) + OFFSET_AT)
  return two.subarray(from, from + two.readUInt32BE(itemAt(item) + LENGTH_AT))
}) as [Buffer, Buffer]

/** A file whose primary item has this data. */
function fileOf(...data: readonly Buffer[]): Buffer {
  const file = Buffer.concat([two, ...data])
  file.writeUInt32BE(two.length, itemAt(0) + OFFSET_AT)
  file.writeUInt32BE(file.length - two.length, itemAt(0) + LENGTH_AT)
  return file
}

const unit = (...bytes: readonly number[]) => Buffer.from([0, 0, 0, bytes.length, ...bytes])
/** Parameter set 1, whose pictures carry a shown flag, and a picture that is hidden. */
const HIDING = unit(34 << 1, 1, 0b0101_0100, 0b0100_0000)
const HIDDEN = unit(1 << 1, 1, 0b1010_0110, 0x80)
const SHOWN = unit(1 << 1, 1, 0b1010_0111, 0x80)

t.test('of many HEVC frames the first is the picture, however many follow', async (t) => {
  const [one, other] = await Promise.all([decode(fileOf(first)), decode(fileOf(second))])
  t.notOk(one.data.equals(other.data))
  t.same(hevcFrames(fileOf(first)), { decoded: 1, patches: [] })
  for (const [name, file, expected] of [
    ['two', fileOf(first, second), one],
    ['in another order', fileOf(second, first), other],
    ['a hundred', fileOf(second, ...Array<Buffer>(99).fill(first)), other],
  ] as const) {
    const before = Buffer.from(file)
    t.ok((await decode(file)).data.equals(expected.data), name)
    t.ok(file.equals(before), 'the file itself is unchanged')
    t.match(hevcFrames(file), { decoded: 1, patches: { length: name === 'a hundred' ? 99 : 1 } }, name)
  }
})

t.test('an item whose data begins within that of another is shown', async (t) => {
  const file = fileOf(second)
  const one = await decode(file)
  const shared = Buffer.concat([file.subarray(0, two.length), first, second])
  shared.writeUInt32BE(two.length + first.length, itemAt(0) + OFFSET_AT)
  shared.writeUInt32BE(two.length, itemAt(1) + OFFSET_AT)
  shared.writeUInt32BE(first.length + second.length, itemAt(1) + LENGTH_AT)
  t.same(hevcFrames(shared).patches, [])
  t.ok((await decode(shared)).data.equals(one.data))
})

t.test('hidden frames that are decoded for the shown one are counted', async (t) => {
  const hidden = (count: number, then = first) => fileOf(HIDING, ...Array<Buffer>(count).fill(HIDDEN), then)
  t.equal(hevcFrames(hidden(3)).decoded, 4)
  t.equal(hevcFrames(hidden(3, SHOWN)).decoded, 4)
  t.equal(hevcFrames(fileOf(HIDDEN, HIDDEN, first)).decoded, 1, 'without such a parameter set a slice has no shown flag')
  t.ok(isTooCostly(pictureCost(hidden(10_000)), 40_000), '10,000 of them')
  await t.rejects(decode(hidden(10_000)), { code: 'image-too-many-pixels' })
  const endless = fileOf(...Array<Buffer>(40_000).fill(unit(35 << 1, 1, 0)))
  t.ok(isTooCostly(pictureCost(endless), endless.length), 'endless units')
  await t.rejects(decode(endless), { code: 'image-too-many-pixels' })
})

t.test('a truncated HEVC item is read as far as it goes', async (t) => {
  const file = fileOf(HIDING, HIDDEN, first, second)
  for (let length = 0; length < file.length; length += length < 600 ? 1 : 997) {
    try {
      hevcFrames(file.subarray(0, length))
    } catch (error) {
      t.ok(error instanceof RangeError, `${length}: ${error}`)
    }
  }
})
