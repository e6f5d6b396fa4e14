import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { aes256, type BlockCipher, GcmBatch } from '../../src/store/images/reader/gcm.js'
import { runs } from '../helpers/runs.js'
import { addAll, KEY, openAll, type SealedMessage } from './gcm-messages.js'
import { sealByTwin } from './gcm-twin.js'

const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength, size: 'max' })
const key = bytes(32, 32)
const nonce = bytes(12, 12)
const context = bytes(100)
const message = fc.record({ nonce, context, plain: bytes(200) })

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B: test cases 13 to 16, AES-256 with nonces of 96 bits.
const PLAIN =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255'
const CIPHERTEXT =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad'
const SOME_KEY = 'feffe9928665731c6d6a8f9467308308'.repeat(2)
const SOME_NONCE = 'cafebabefacedbaddecaf888'
const CASES = [
  ['00'.repeat(32), '00'.repeat(12), '', '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
  [
    '00'.repeat(32),
    '00'.repeat(12),
    '',
    '00'.repeat(16),
    'cea7403d4d606b6e074ec5d3baf39d18',
    'd0d1c8a799996bf0265b98b5d48ab919',
  ],
  [SOME_KEY, SOME_NONCE, '', PLAIN, CIPHERTEXT, 'b094dac5d93471bdec1a502270e3cc6c'],
  [
    SOME_KEY,
    SOME_NONCE,
    'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    PLAIN.slice(0, 120),
    CIPHERTEXT.slice(0, 120),
    '76fc6ece0f4e1768cddf8853bb2d551b',
  ],
] as const

t.test('kernel, reference and node:crypto agree on test cases 13 to 16 of the GCM paper', async (t) => {
  const batch = new GcmBatch()
  for (const texts of CASES) {
    const [secret, nonce, context, plain, ciphertext, tag] = texts.map((text) => Buffer.from(text, 'hex'))
    assert(secret && nonce && context && plain && ciphertext && tag)
    const sealed = Buffer.concat([ciphertext, tag])

    t.same(openAll(batch, aes256(secret), [{ nonce, context, sealed }]), [plain])
    t.same(sealByTwin(aes256(secret), nonce, context, plain), sealed)
    t.same(sealByNode(secret, nonce, context, plain), sealed)
  }
})

t.test('messages sealed by node:crypto open at every length', async () => {
  const batch = new GcmBatch()
  const length = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 80 }))
  const lengths = fc.tuple(length, fc.integer({ min: 0, max: 100 }))
  fc.assert(
    fc.property(key, fc.array(lengths, { minLength: 1, maxLength: 12, size: 'max' }), (secret, given) => {
      const plains = given.map(([plainBytes]) => randomBytes(plainBytes))
      const messages = given.map(([, contextBytes], i) =>
        sealedByNode(secret, randomBytes(contextBytes), plains[i] ?? secret),
      )

      assert.deepEqual(openAll(batch, aes256(secret), messages), plains)
    }),
    { numRuns: runs(100) },
  )
})

t.test('messages sealed by the reference open under any hash key', async () => {
  const batch = new GcmBatch()
  // A stand-in for the cipher, so that the hash key can be any number and not only an output of AES.
  const cipherOf = (hashKey: Uint8Array): BlockCipher => ({
    hashKey,
    encrypt: (blocks) => blocks.map((byte) => byte ^ 0x5a),
  })
  const edges = fc.constantFrom(...[0x00, 0xff].map((byte) => new Uint8Array(16).fill(byte)), ...oneBits())
  fc.assert(
    fc.property(fc.oneof(bytes(16, 16), edges), message, (hashKey, { nonce, context, plain }) => {
      const cipher = cipherOf(hashKey)
      const sealed = sealByTwin(cipher, nonce, context, plain)

      assert.deepEqual(openAll(batch, cipher, [{ nonce, context, sealed }]), [Buffer.from(plain)])
    }),
    { numRuns: runs(100) },
  )
  fc.assert(
    fc.property(key, message, (secret, { nonce, context, plain }) => {
      assert.deepEqual(sealByTwin(aes256(secret), nonce, context, plain), sealByNode(secret, nonce, context, plain))
    }),
  )
})

t.test('a message with any single bit changed does not open', async () => {
  const batch = new GcmBatch()
  const secret = randomBytes(32)
  const cipher = aes256(secret)
  for (const [contextBytes, plainBytes] of [
    [0, 0],
    [22, 58],
    [16, 32],
    [20, 75],
  ] as const) {
    const { nonce, context, sealed } = sealedByNode(secret, randomBytes(contextBytes), randomBytes(plainBytes))
    const whole = Buffer.concat([nonce, context, sealed])
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const changed = flipped(whole, bit)
      const [a, b] = [12, 12 + contextBytes]
      const parts = { nonce: changed.subarray(0, a), context: changed.subarray(a, b), sealed: changed.subarray(b) }
      assert.equal(openAll(batch, cipher, [parts]), undefined, `bit ${bit} of ${whole.length} bytes`)
    }
  }
})

t.test('one changed bit in one of many messages: it is not decrypted, and the batch reports it', async () => {
  const batch = new GcmBatch()
  const plains = fc.array(bytes(300), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(key, plains, fc.nat(), fc.nat(), (secret, given, which, where) => {
      const messages = given.map((plain) => sealedByNode(secret, randomBytes(22), plain))
      const bad = which % messages.length
      const changed = messages.map(({ nonce, context, sealed }, i) => ({
        nonce,
        context,
        sealed: i === bad ? flipped(sealed, where % (8 * sealed.length)) : sealed,
      }))
      const places = addAll(batch, changed)
      batch.open(KEY, aes256(secret))

      assert.equal(batch.waitsFor, KEY)
      const [from, to] = places[bad] ?? []
      assert.deepEqual(batch.bytes.slice(from, to), Uint8Array.from(changed[bad]?.sealed.subarray(0, -16) ?? []))
      batch.clear()
    }),
    { numRuns: runs(100) },
  )
})

t.test('a message that is truncated or has parts of another one does not open', async () => {
  const batch = new GcmBatch()
  fc.assert(
    fc.property(key, bytes(200, 1), bytes(200, 1), fc.nat(), (secret, plainA, plainB, cut) => {
      const cipher = aes256(secret)
      const a = sealedByNode(secret, randomBytes(22), plainA)
      const b = sealedByNode(secret, randomBytes(22), plainB)
      const shut = (bad: SealedMessage) => assert.equal(openAll(batch, cipher, [b, bad]), undefined)

      assert.notEqual(openAll(batch, cipher, [a, b]), undefined)
      shut({ ...a, sealed: a.sealed.subarray(0, 16 + (cut % plainA.length)) })
      shut({ ...a, sealed: a.sealed.subarray(1) })
      shut({ ...a, sealed: Buffer.concat([a.sealed, Buffer.alloc(1)]) })
      shut({ ...a, sealed: Buffer.concat([a.sealed.subarray(0, -16), b.sealed.subarray(-16)]) })
      shut({ ...a, context: b.context })
      shut({ ...a, context: Buffer.concat([a.context, Buffer.alloc(1)]) })
      shut({ ...a, nonce: b.nonce })
      shut({ ...a, sealed: b.sealed })
      assert.equal(openAll(batch, aes256(randomBytes(32)), [a]), undefined)
    }),
    { numRuns: runs(100) },
  )
})

t.test('a message that one key does not open can be opened with the next', async (t) => {
  const batch = new GcmBatch()
  const secret = randomBytes(32)
  const message = sealedByNode(secret, randomBytes(22), Buffer.from('some bytes'))
  const [[from, to] = [0, 0]] = addAll(batch, [message])
  batch.open(KEY, aes256(randomBytes(32)))
  t.equal(batch.waitsFor, KEY)
  batch.open(KEY + 1, aes256(secret))
  t.equal(batch.waitsFor, KEY, 'under another hint')
  batch.open(KEY, aes256(secret))
  t.equal(batch.waitsFor, undefined)
  batch.open(KEY, aes256(secret))
  t.equal(Buffer.from(batch.bytes.subarray(from, to)).toString(), 'some bytes', 'it is opened once')
  t.same(batch.bytes.slice(to, to + 16), Uint8Array.from(message.sealed.subarray(-16)), 'the bytes behind it are unchanged')
})

t.test('a message beyond the bounds or capacity of the batch is refused', async (t) => {
  const batch = new GcmBatch()
  const end = batch.bytes.length
  const bad: readonly [number, number, number, number, number][] = [
    [KEY, end - 27, 0, 0, 0],
    [KEY, 0, end - 27, 0, 0],
    [KEY, -1, 0, 0, 0],
    [KEY, 100, -1, 0, 0],
    [KEY, 0, 0, -1, 0],
    [KEY, 0, 0, 10, -1],
    [KEY, 0, 0, end, 1],
    [256, 0, 0, 0, 0],
    [-1, 0, 0, 0, 0],
  ]
  for (const numbers of bad) t.throws(() => batch.add(...numbers), RangeError, numbers.join())
  t.equal(batch.count, 0)
  for (let i = 0; i < batch.capacity; i++) batch.add(KEY, 28 * i, 0, 0, 0)
  t.throws(() => batch.add(KEY, 0, 0, 0, 0), RangeError, 'too many')
  batch.clear()
  batch.add(KEY, 0, end - 28, 0, 0)
  t.throws(() => batch.add(KEY, 0, end - 28, 0, 0), RangeError, 'more bytes than the batch can decrypt')
})

t.test('a batch that is full to its last byte opens', async (t) => {
  const secret = randomBytes(32)
  const batch = new GcmBatch()
  const plain = randomBytes(batch.bytes.length - 28)
  t.ok(openAll(batch, aes256(secret), [sealedByNode(secret, Buffer.alloc(0), plain)])?.[0]?.equals(plain))
  const each = Math.floor(batch.bytes.length / batch.capacity)
  const plains = Array.from({ length: batch.capacity }, () => randomBytes(each - 28))
  const messages = plains.map((plain) => sealedByNode(secret, Buffer.alloc(0), plain))
  t.ok(openAll(batch, aes256(secret), messages)?.every((opened, i) => plains[i]?.equals(opened)))
})

t.test('a cipher that returns too few bytes opens nothing', async (t) => {
  const batch = new GcmBatch()
  const secret = randomBytes(32)
  const { hashKey, encrypt } = aes256(secret)
  const sealed = sealedByNode(secret, Buffer.alloc(0), Buffer.alloc(40))
  t.throws(() => openAll(batch, { hashKey, encrypt: (blocks) => encrypt(blocks).subarray(16) }, [sealed]), /a cipher gave/)
  t.equal(batch.waitsFor, KEY)
})

function sealedByNode(secret: Uint8Array, context: Uint8Array, plain: Uint8Array): SealedMessage {
  const nonce = randomBytes(12)
  return { nonce, context, sealed: sealByNode(secret, nonce, context, plain) }
}

function sealByNode(secret: Uint8Array, nonce: Uint8Array, context: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(context)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

function oneBits(): Buffer[] {
  return Array.from({ length: 128 }, (_, bit) => flipped(Buffer.alloc(16), bit))
}
