// The memory in which pictures wait: complete to the last byte, and never mixed with another picture.

import t from 'tap'
import { Blocks } from '../../src/handoff/blocks.js'

const BLOCK = 1 << 16

/** In its own memory, like a chunk from a socket. */
function chunk(sizeBytes: number, first = 1): Buffer {
  const made = Buffer.allocUnsafeSlow(sizeBytes)
  for (let i = 0; i < sizeBytes; i++) made[i] = ((first + i) % 255) + 1
  return made
}

function isWiped(piece: Buffer): boolean {
  return piece.every((byte) => byte === 0)
}

t.test('an image is held to the last byte, in whatever pieces it arrived', async (t) => {
  const blocks = new Blocks()
  const sizes = [
    [BLOCK],
    [BLOCK - 1, 1],
    [BLOCK + 1],
    [1, BLOCK, 1],
    [BLOCK, BLOCK, BLOCK],
    [3 * BLOCK - 1, 0, 2],
    Array.from({ length: 300 }, (_, i) => i * 7),
  ]
  for (const lengths of sizes) {
    const pieces = lengths.map((length, i) => chunk(length, i))
    const whole = Buffer.concat(pieces)
    const held = blocks.hold(pieces)
    t.ok(Buffer.concat(held.pieces).equals(whole), lengths.slice(0, 5).join())
    held.release()
    t.ok(held.pieces.every(isWiped))
  }
})

t.test('the memory of the chunks is released at once, unless other data shares it', async (t) => {
  const own = chunk(BLOCK)
  const shared = chunk(BLOCK)
  const beside = Buffer.from(shared.subarray(0, 100))
  const part = shared.subarray(100)

  new Blocks().hold([own, part])

  t.equal(own.buffer.byteLength, 0, 'V8 has released it')
  t.equal(part.length, BLOCK - 100)
  t.ok(isWiped(part))
  t.ok(shared.subarray(0, 100).equals(beside), 'it may be the start of the next picture')
})

t.test('a small image stays in place and is overwritten there', async (t) => {
  const blocks = new Blocks()
  const pieces = [chunk(BLOCK - 2), chunk(1)]
  const held = blocks.hold(pieces)
  t.same(held.pieces, pieces)
  held.release()
  t.ok(pieces.every((piece) => piece.length > 0 && isWiped(piece)))
  t.equal(blocks.freeCount, 0)
})

t.test('memory is reused without anything of the previous image', async (t) => {
  const blocks = new Blocks()
  const first = blocks.hold([chunk(4 * BLOCK)])
  first.release()
  t.equal(blocks.freeCount, 4)

  const second = blocks.hold([chunk(2 * BLOCK + 10)])

  t.equal(blocks.freeCount, 1)
  t.ok(second.pieces.every((piece) => first.pieces.some(({ buffer }) => buffer === piece.buffer)))
  const last = second.pieces.at(-1)
  t.ok(last !== undefined && isWiped(Buffer.from(last.buffer).subarray(last.length)), 'after its last byte')
})

t.test('two images never share memory, and a double release counts once', async (t) => {
  const blocks = new Blocks()
  const before = blocks.hold([chunk(3 * BLOCK)])
  before.release()
  before.release()
  t.equal(blocks.freeCount, 3)

  const [one, other] = [blocks.hold([chunk(2 * BLOCK, 5)]), blocks.hold([chunk(2 * BLOCK, 9)])]

  const places = [...one.pieces, ...other.pieces].map(({ buffer }) => buffer)
  t.equal(new Set(places).size, 4)
  t.ok(Buffer.concat(one.pieces).equals(chunk(2 * BLOCK, 5)))
  t.ok(Buffer.concat(other.pieces).equals(chunk(2 * BLOCK, 9)))
})

t.test('memory that may still be read is overwritten and not reused', async (t) => {
  const blocks = new Blocks()
  const held = blocks.hold([chunk(3 * BLOCK)])
  held.wipe()
  t.ok(held.pieces.every(isWiped))
  t.equal(blocks.freeCount, 0)
})

t.test('no more free memory is kept than the limit', async (t) => {
  const blocks = new Blocks(3 * BLOCK)
  const held = [blocks.hold([chunk(2 * BLOCK)]), blocks.hold([chunk(2 * BLOCK)])]
  for (const each of held) each.release()
  t.equal(blocks.freeCount, 3)
  t.ok(held.flatMap(({ pieces }) => pieces).every(isWiped))
})
