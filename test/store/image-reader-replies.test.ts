import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ReplyReader } from '../../src/store/images/reader/replies.js'

const bytes = fc.uint8Array({ maxLength: 40 }).map((given) => Buffer.from(given))
// Names and values may contain anything, especially line ends and protocol text.
const text = fc.oneof(
  bytes,
  fc.constantFrom('\r', '\r\n', '*2\r\n', '$1\r\n\r\n').map((given) => Buffer.from(given)),
)
const replies = fc.array(fc.array(fc.tuple(text, text), { maxLength: 5 }), { minLength: 1, maxLength: 6 })
const CAPACITY = 200

t.test('fields are found wherever the stream is split', async () => {
  fc.assert(
    fc.property(replies, fc.boolean(), fc.array(fc.integer({ min: 1, max: 300 })), (given, isMap, cuts) => {
      const stream = Buffer.concat(given.map((fields) => replyOf(fields, isMap)))
      const { reader, found } = collect()
      let ended = 0
      let at = 0
      for (const length of [...cuts, stream.length]) {
        ended += reader.write(stream.subarray(at, at + length))
        at += length
      }

      assert.deepEqual(found, given.flat())
      assert.equal(ended, given.length)
    }),
  )
})

t.test('an error reply of Redis is thrown with its text', async (t) => {
  const { reader } = collect()
  t.throws(() => reader.write(Buffer.from('-LOADING Redis is loading\r\n')), { name: 'ReplyError', message: /^LOADING/ })
})

t.test('a reply that is not one of HGETALL is refused', async (t) => {
  for (const stream of ['+OK\r\n', ':1\r\n', '$-1\r\n', '*3\r\n', '*x\r\n', '*2\r\n:1\r\n', '*2\r\n$1\r\na\r\n*0\r\n']) {
    t.throws(() => collect().reader.write(Buffer.from(stream)), RangeError, JSON.stringify(stream))
  }
})

t.test('a field larger than the buffer is an error and does not block', async (t) => {
  const stream = replyOf([[Buffer.from('name'), Buffer.alloc(CAPACITY)]], false)
  t.throws(() => collect().reader.write(stream), RangeError)
})

function replyOf(fields: readonly (readonly [Buffer, Buffer])[], isMap: boolean): Buffer {
  const head = isMap ? `%${fields.length}\r\n` : `*${2 * fields.length}\r\n`
  const bulk = (value: Buffer) => [Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]
  return Buffer.concat([Buffer.from(head), ...fields.flat().flatMap(bulk)])
}

/** Reads reported places, then overwrites them. */
function collect() {
  const memory = Buffer.alloc(CAPACITY)
  const found: [Buffer, Buffer][] = []
  const reader = new ReplyReader(memory, (nameAt, nameEnd, valueAt, valueEnd) => {
    found.push([Buffer.from(memory.subarray(nameAt, nameEnd)), Buffer.from(memory.subarray(valueAt, valueEnd))])
    memory.fill(0x24, nameAt, nameEnd).fill(0x24, valueAt, valueEnd)
  })
  return { reader, found }
}
