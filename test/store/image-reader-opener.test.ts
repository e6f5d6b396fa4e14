import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { imageContext } from '../../src/store/images/image-record.js'
import { makeOpener } from '../../src/store/images/reader/opener.js'
import type { Opener } from '../../src/store/images/reader/opener-type.js'
import { makeKeyring, SEALED } from '../../src/store/sealing/seal.js'
import { runs } from '../helpers/runs.js'

interface SealedImage {
  readonly id: Uint8Array
  readonly sealed: Uint8Array
}

const one = Buffer.alloc(32, 1)
const two = Buffer.alloc(32, 2)
const refusal = { name: 'SealError' }
const id = fc.uint8Array({ minLength: 16, maxLength: 16 })
const record = fc.uint8Array({ maxLength: 600 })

t.test('records sealed by node:crypto open to the same bytes in order, under every key of the ring', async () => {
  const ring = makeKeyring([two, one])
  const opener = makeOpener(ring.keys)
  const images = fc.array(fc.tuple(id, record, fc.boolean()), { maxLength: 40 })
  fc.assert(
    fc.property(images, fc.integer({ min: 0, max: 100 }), (given, at) => {
      const sealed = given.map(([idBytes, plain, isOld]) => sealedImage(idBytes, plain, isOld ? one : two))

      assert.deepEqual(
        openAll(opener, sealed, at),
        given.map(([idBytes, plain]) => [Buffer.from(idBytes), Buffer.from(plain)]),
      )
      for (const [i, { id, sealed: bytes }] of sealed.entries()) {
        assert.deepEqual(ring.unseal(bytes, imageContext(id)), Buffer.from(given[i]?.[1] ?? []))
      }
    }),
    { numRuns: runs(100) },
  )
})

t.test('a changed bit, another image or another key refuses the whole batch and wipes it', async (t) => {
  const opener = makeOpener(makeKeyring([one]).keys)
  const plain = randomBytes(60)
  const good = sealedImage(randomBytes(16), plain, one)
  const { id, sealed } = good
  const input = Buffer.from(opener.bytes.buffer, opener.bytes.byteOffset, opener.inputBytes)
  const zeros = Buffer.alloc(opener.inputBytes)
  const refused = (bad: SealedImage, what: string) => {
    for (const batch of [[bad], [good, bad], [bad, good]]) {
      const told = () => assert.fail(`a record of a refused batch was reported: ${what}`)
      assert.throws(() => tellAll(opener, batch, 0, told), refusal, what)
      assert.ok(input.equals(zeros), `not wiped: ${what}`)
    }
  }
  for (let bit = 0; bit < 8 * sealed.length; bit++) refused({ id, sealed: flipped(sealed, bit) }, `bit ${bit} of the record`)
  for (let bit = 0; bit < 128; bit++) refused({ id: flipped(id, bit), sealed }, `bit ${bit} of the id`)
  for (let length = 0; length < sealed.length; length++)
    refused({ id, sealed: sealed.subarray(0, length) }, `${length} bytes`)
  refused(sealedImage(id, plain, two), 'another key')
  refused({ id, sealed: makeKeyring([one]).seal(plain, id) }, 'another kind of record')
  refused({ id, sealed: sealedImage(randomBytes(16), plain, one).sealed }, 'a record of another image')
  t.same(openAll(opener, [good]), [[id, plain]], 'the unchanged record still opens')
})

t.test('a refusal says whether a key is missing', async (t) => {
  const opener = makeOpener(makeKeyring([one]).keys)
  const image = sealedImage(randomBytes(16), one, one)
  const message = (bad: SealedImage) => {
    try {
      return openAll(opener, [image, bad])
    } catch (error) {
      return error instanceof Error ? error.message : ''
    }
  }
  t.match(message({ ...image, sealed: flipped(image.sealed, 8 * SEALED.hintAt) }), 'a key that is not in the ring')
  t.match(message({ ...image, sealed: flipped(image.sealed, 8 * SEALED.nonceAt) }), 'does not open')
  t.match(message({ ...image, sealed: flipped(image.sealed, 0) }), 'not a sealed record')
})

t.test('two keys with the same hint are both tried', async (t) => {
  const [first, second] = collidingSecrets()
  const ring = makeKeyring([first, second])
  const opener = makeOpener(ring.keys)
  const images = [first, second, second, first].map((secret) => sealedImage(randomBytes(16), secret, secret))
  t.same(
    openAll(opener, images).map(([, plain]) => plain),
    [first, second, second, first],
  )
  for (const { id, sealed } of images) t.ok(ring.unseal(sealed, imageContext(id)))
  const foreign = sealedImage(randomBytes(16), one, one).sealed
  foreign[SEALED.hintAt] = images[0]?.sealed[SEALED.hintAt] ?? 0
  t.throws(() => openAll(opener, [...images, { id: randomBytes(16), sealed: foreign }]), refusal)
})

t.test('a full opener opens all of its records and refuses one more', async (t) => {
  const opener = makeOpener(makeKeyring([one]).keys)
  const image = sealedImage(randomBytes(16), one, one)
  opener.bytes.set(image.id)
  let added = 0
  for (; !opener.isFull; added++) {
    opener.bytes.set(image.sealed, 16 + image.sealed.length * added)
    opener.add(0, 16 + image.sealed.length * added, 16 + image.sealed.length * (added + 1))
  }
  t.throws(() => opener.add(0, 16, 16 + image.sealed.length), RangeError)
  let told = 0
  opener.open((_, from, to) => {
    told++
    assert.ok(one.equals(opener.bytes.subarray(from, to)))
  })
  t.equal(told, added)
  opener.open(() => t.fail('nothing was added since'))
  opener.bytes.set(image.sealed, opener.inputBytes - 10)
  t.throws(() => opener.add(0, opener.inputBytes - 10, opener.inputBytes - 10 + image.sealed.length), RangeError)
})

function sealedImage(idBytes: Uint8Array, plain: Uint8Array, secret: Uint8Array): SealedImage & { readonly sealed: Buffer } {
  return { id: Buffer.from(idBytes), sealed: makeKeyring([secret]).seal(plain, imageContext(idBytes)) }
}

/** @returns ids and records in the order reported. */
function openAll(opener: Opener, images: readonly SealedImage[], at = 0): [Buffer, Buffer][] {
  const told: [Buffer, Buffer][] = []
  tellAll(opener, images, at, (id, plain) => told.push([id, plain]))
  return told
}

function tellAll(
  opener: Opener,
  images: readonly SealedImage[],
  at: number,
  tell: (id: Buffer, plain: Buffer) => void,
): void {
  let next = at
  for (const { id, sealed } of images) {
    opener.bytes.set(id, next)
    opener.bytes.set(sealed, next + 16)
    opener.add(next, next + 16, next + 16 + sealed.length)
    next += 16 + sealed.length
  }
  opener.open((idAt, from, to) => {
    tell(Buffer.from(opener.bytes.slice(idAt, idAt + 16)), Buffer.from(opener.bytes.slice(from, to)))
  })
}

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

function collidingSecrets(): [Buffer, Buffer] {
  const byHint = new Map<number, Buffer>()
  for (;;) {
    const secret = randomBytes(32)
    const hint = makeKeyring([secret]).seal(one, two)[SEALED.hintAt] ?? 0
    const other = byHint.get(hint)
    if (other !== undefined) return [other, secret]
    byHint.set(hint, secret)
  }
}
