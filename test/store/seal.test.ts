import { createDecipheriv, randomBytes } from 'node:crypto'
import t from 'tap'
import { KEY_MISSING, keyringFrom, makeKeyring, SEALED } from '../../src/store/sealing/seal.js'

const one = Buffer.alloc(32, 1)
const two = Buffer.alloc(32, 2)
const context = Buffer.from('image:1')
const refusal = { name: 'SealError' }
const plain = Buffer.from('hash bits')

t.test('a sealed record opens only with its own key and context', async (t) => {
  const sealed = makeKeyring([one]).seal(plain, context)

  t.same(makeKeyring([one]).unseal(sealed, context), plain)
  t.throws(() => makeKeyring([one]).unseal(sealed, Buffer.from('image:2')), refusal, 'moved to another place')
  t.throws(() => makeKeyring([two]).unseal(sealed, context), refusal, 'another key')
  t.notOk(sealed.includes(plain), 'the plaintext is not in it')
})

t.test('a change of any byte, or a truncation, of a sealed record is detected', async (t) => {
  const ring = makeKeyring([one])
  const sealed = ring.seal(plain, context)
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i] = (changed[i] ?? 0) ^ 1
    t.throws(() => ring.unseal(changed, context), refusal, `byte ${i}`)
  }
  for (let length = 0; length < sealed.length; length++)
    t.throws(() => ring.unseal(sealed.subarray(0, length), context), refusal)
})

t.test('a sealed record is AES-256-GCM with version and hint, under a key derived from the secret', async (t) => {
  const ring = makeKeyring([one, two])
  const sealed = ring.seal(plain, context)
  const [first] = ring.keys
  const tagAt = sealed.length - SEALED.tagBytes
  const nonce = sealed.subarray(SEALED.nonceAt, SEALED.ciphertextAt)
  const decipher = createDecipheriv('aes-256-gcm', first?.key ?? one, nonce)
    .setAAD(context)
    .setAuthTag(sealed.subarray(tagAt))

  t.same(Buffer.concat([decipher.update(sealed.subarray(SEALED.ciphertextAt, tagAt)), decipher.final()]), plain)
  t.same([...sealed.subarray(0, SEALED.nonceAt)], [SEALED.version, first?.hint])
  t.equal(sealed.length, SEALED.minBytes + plain.length)
  t.notSame(first?.key.export(), one, 'not under the secret itself')
})

t.test('sealing the same text twice gives different bytes', async (t) => {
  const ring = makeKeyring([one])
  t.notSame(ring.seal(plain, context), ring.seal(plain, context))
})

t.test('of many sealed texts each opens, and no two have the same nonce', async (t) => {
  const ring = makeKeyring([one])
  const texts = Array.from({ length: 1000 }, (_, i) => Buffer.alloc(i % 100 === 0 ? 10_000 : i % 90, i))
  const all = texts.map((text) => ring.seal(text, context))
  t.ok(all.every((sealed, i) => ring.unseal(sealed, context).equals(texts[i] ?? plain)))
  const nonces = all.map((sealed) => sealed.toString('hex', SEALED.nonceAt, SEALED.ciphertextAt))
  t.equal(new Set(nonces).size, all.length)
})

t.test('two keys with the same hint are both tried', async (t) => {
  const [first, second] = collidingSecrets()
  const ring = makeKeyring([first, second])
  for (const secret of [first, second]) t.same(ring.unseal(makeKeyring([secret]).seal(plain, context), context), plain)
  const foreign = makeKeyring([one]).seal(plain, context)
  foreign[SEALED.hintAt] = ring.active.hint
  t.throws(() => ring.unseal(foreign, context), refusal)
})

t.test('a new first key seals, and the old one still opens', async (t) => {
  const old = makeKeyring([one]).seal(plain, context)
  const rotated = makeKeyring([two, one])
  t.same(rotated.unseal(old, context), plain)
  t.throws(() => makeKeyring([one]).unseal(rotated.seal(plain, context), context), refusal)
})

t.test('a ring is read again when a record needs an unknown key, at most once a second', async (t) => {
  let secrets = [{ label: 'a', secret: one }]
  let nowMs = 0
  const ring = keyringFrom(
    () => secrets,
    () => nowMs,
  )
  const sealed = makeKeyring([two]).seal(plain, context)
  t.throws(() => ring.unseal(sealed, context), { ...refusal, message: KEY_MISSING })

  secrets = [{ label: 'b', secret: two }, ...secrets]
  t.throws(() => ring.unseal(sealed, context), refusal, 'not for each record within a second')
  nowMs += 1000
  t.same(ring.unseal(sealed, context), plain)
  t.equal(ring.active.label, 'b', 'the first key seals from now on')
  t.match(makeKeyring([two]).unseal(ring.seal(plain, context), context), plain)
})

t.test('a ring that can no longer be read stays as it was', async (t) => {
  let isThere = true
  const ring = keyringFrom(() => {
    if (!isThere) throw new Error('gone')
    return [{ label: 'a', secret: one }]
  })
  isThere = false

  t.equal(ring.refresh(), false)
  t.same(ring.unseal(ring.seal(plain, context), context), plain)
})

t.test('a fingerprint identifies its secret without revealing it', async (t) => {
  const { active } = makeKeyring([one])
  t.match(active.fingerprint, /^[0-9a-f]{16}$/)
  t.equal(makeKeyring([two, one]).named[1]?.fingerprint, active.fingerprint)
  t.not(makeKeyring([two]).active.fingerprint, active.fingerprint)
  t.notOk(Buffer.from(makeKeyring([one]).keys[0]?.key.export() ?? []).includes(Buffer.from(active.fingerprint, 'hex')))
})

t.test('a ring without keys, or with a short key, is refused', async (t) => {
  t.throws(() => makeKeyring([]), refusal)
  t.throws(() => makeKeyring([Buffer.alloc(16)]), refusal)
})

function collidingSecrets(): [Buffer, Buffer] {
  const byHint = new Map<number, Buffer>()
  for (;;) {
    const secret = randomBytes(32)
    const hint = makeKeyring([secret]).active.hint
    const other = byHint.get(hint)
    if (other !== undefined) return [other, secret]
    byHint.set(hint, secret)
  }
}
