import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { VIDEO_CODES } from '../../packages/core/src/matching/signal-types.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { decodeImage, encodeImage, RECORD } from '../../src/store/images/image-record.js'
import { BATCH_IMAGES, ColumnsBuilder } from '../../src/store/images/reader/columns.js'
import { anyImageOrVideo, comparable, comparablesOf, longestVideo } from './sample-images.js'

const plain: RegisteredImage = {
  bank: 'cases',
  tier: 'self-reported',
  category: undefined,
  ref: undefined,
  createdAtMs: 1,
  signals: [],
}
const id = fc.uint8Array({ minLength: 16, maxLength: 16 })

t.test('columns contain the same data as the records of their images', async () => {
  const builder = new ColumnsBuilder()
  fc.assert(
    fc.property(fc.array(fc.tuple(id, anyImageOrVideo), { maxLength: 30 }), (given) => {
      for (const [bytes, image] of given) add(builder, bytes, encodeImage(image))
      const { columns, memory } = builder.take()

      assert.deepEqual(
        comparablesOf(columns),
        given.map(([bytes, image]) => comparable(formatUuid(bytes), image)),
      )
      assert.deepEqual(columns.bankNames, [...new Set(given.map(([, { bank }]) => bank))])
      assert.ok(
        [columns.ids, columns.banks, columns.framesAtMs, columns.signals.pdq.hashes].every(
          ({ buffer }) => buffer === memory,
        ),
      )
    }),
  )
})

t.test('unknown categories, types and views of a newer version are omitted, as by decodeImage', async () => {
  const places = fc.constantFrom(RECORD.categoryAt, 'type', 'view')
  fc.assert(
    fc.property(id, anyImageOrVideo, places, (bytes, image, place) => {
      const record = encodeImage(image)
      if (typeof place === 'number') record[place] = 250
      else if (image.signals.length > 0 && image.details === undefined)
        record[record.length - RECORD.signalBytes + (place === 'type' ? 0 : 1)] = 250
      const builder = new ColumnsBuilder()
      add(builder, bytes, record)

      assert.deepEqual(comparablesOf(builder.take().columns), [comparable(formatUuid(bytes), decodeImage(record))])
    }),
  )
})

t.test('a batch takes its declared number of images, with all of their signals', async (t) => {
  const hash = hashFromBytes(Buffer.alloc(32, 5))
  const signals = Array.from({ length: 12 }, () => ({ type: 'pdq', view: 'whole', quality: 90, hash }) as const)
  const builder = new ColumnsBuilder()
  for (let i = 0; i < BATCH_IMAGES; i++) {
    assert.equal(builder.isFull, false)
    add(builder, Buffer.alloc(16, i), encodeImage({ ...plain, signals }))
  }

  t.ok(builder.isFull)
  const { columns } = builder.take()
  t.equal(columns.images, BATCH_IMAGES)
  t.equal(columns.signals.pdq.count, BATCH_IMAGES * signals.length)
  const text = comparable(formatUuid(Buffer.alloc(16, 77)), { ...plain, signals })
  t.equal(comparablesOf(columns)[77], text)
  t.equal(builder.images, 0)
})

t.test('a batch is full before its videos have more frames than two bytes can number', async (t) => {
  const video = longestVideo(7)
  const record = encodeImage(video)
  const builder = new ColumnsBuilder()
  const given = [plain, video, plain, video, plain]
  for (const [i, image] of given.entries()) {
    assert.equal(builder.isFull, i > 3)
    if (!builder.isFull) add(builder, Buffer.alloc(16, i), image === video ? record : encodeImage(plain))
  }
  const { columns } = builder.take()
  t.equal(columns.images, 4)
  t.same([...columns.frameCounts], [0, 10_000, 0, 10_000])
  const { owners } = columns.signals.pdq
  t.same([owners[0], owners[9_999], owners[10_000], owners[19_999]], [2, 10_001, 10_004, 20_003])
  t.notOk(builder.isFull)
  add(builder, Buffer.alloc(16, 9), record)
  t.equal(comparablesOf(builder.take().columns)[0], comparable(formatUuid(Buffer.alloc(16, 9)), decodeImage(record)))
})

t.test('bytes that are not a record are refused', async (t) => {
  const record = encodeImage(plain)
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(record)
    copy[at] = value
    return copy
  }

  const frame = Buffer.alloc(RECORD.signalBytes, VIDEO_CODES.frame)
  const bad = [
    Buffer.concat([record, frame]),
    changed(0, 9),
    changed(RECORD.tierAt, 0),
    changed(RECORD.bankAt, 255),
    Buffer.concat([record, record]),
  ]
  for (const bytes of bad) t.throws(() => add(new ColumnsBuilder(), Buffer.alloc(16), bytes), RangeError)
})

function add(builder: ColumnsBuilder, idBytes: Uint8Array, record: Uint8Array): void {
  builder.add(Buffer.concat([idBytes, record]), 0, 16, 16 + record.length)
}
