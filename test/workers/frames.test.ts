// Messages between a worker and its child: each arrives whole, and the buffers it came in are overwritten.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { readFrames, writeFrame } from '../../workers/frames.js'

const MAX_BYTES = 1 << 16

/** The chunks of a stream, cut to these sizes in rotation. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = sizes[pieces.length % sizes.length] ?? 1
    pieces.push(Buffer.from(bytes.subarray(at, at + size)))
    at += size
  }
  return pieces
}

function written(messages: readonly (readonly Uint8Array[])[]): Buffer {
  const stream = new PassThrough()
  for (const message of messages) writeFrame(stream, ...message)
  return stream.read() ?? Buffer.alloc(0)
}

t.test('messages arrive whole and in order, however the stream is cut, and their chunks are overwritten', async () => {
  const piece = fc.uint8Array({ minLength: 0, maxLength: 300 })
  const messages = fc.array(fc.array(piece, { maxLength: 4 }), { maxLength: 6 })
  const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(messages, sizes, async (messages, sizes) => {
      const pieces = cut(written(messages), sizes)
      const read: Buffer[] = []
      const stream = new PassThrough()
      readFrames(stream, MAX_BYTES, (message) => read.push(message))

      for (const each of pieces) stream.emit('data', each)

      assert.deepEqual(
        read,
        messages.map((message) => Buffer.concat(message)),
      )
      assert.ok(pieces.every((each) => each.every((byte) => byte === 0)))
    }),
  )
})

t.test('a message that claims to exceed the limit ends the stream', async (t) => {
  const longest = written([[Buffer.alloc(MAX_BYTES, 1)]])
  const tooLong = written([[Buffer.alloc(MAX_BYTES + 1, 1)]])
  for (const [bytes, isTaken] of [
    [longest, true],
    [tooLong, false],
  ] as const) {
    const stream = new PassThrough()
    let isRead = false
    readFrames(stream, MAX_BYTES, () => {
      isRead = true
    })
    stream.emit('data', bytes)
    t.equal(isRead, isTaken)
    t.equal(stream.destroyed, !isTaken)
  }
})
