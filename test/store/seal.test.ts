import { createDecipheriv } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeKeyring, parseSealKeys, SEALED, sealKeysFromFile } from '../../src/store/seal.js'

const one = Buffer.alloc(32, 1)
const two = Buffer.alloc(32, 2)
const context = Buffer.from('image:1')
const refusal = { name: 'SealError' }
const plain = Buffer.from('hash bits')

t.test('what is sealed opens under the same key and context alone', async (t) => {
  const sealed = makeKeyring([one]).seal(plain, context)

  t.same(makeKeyring([one]).unseal(sealed, context), plain)
  t.throws(() => makeKeyring([one]).unseal(sealed, Buffer.from('image:2')), refusal, 'moved to another place')
  t.throws(() => makeKeyring([two]).unseal(sealed, context), refusal, 'another key')
  t.notOk(sealed.includes(plain), 'its text is not to be seen')
})

t.test('one bit changed anywhere is noticed', async (t) => {
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

t.test('it is AES-256-GCM, laid out as it says, under a key that a thread can be given', async (t) => {
  const ring = makeKeyring([one, two])
  const sealed = ring.seal(plain, context)
  const [first] = structuredClone(ring.keys)
  const tagAt = sealed.length - SEALED.tagBytes
  const nonce = sealed.subarray(SEALED.nonceAt, SEALED.ciphertextAt)
  const decipher = createDecipheriv('aes-256-gcm', first?.key ?? one, nonce)
    .setAAD(context)
    .setAuthTag(sealed.subarray(tagAt))

  t.same(Buffer.concat([decipher.update(sealed.subarray(SEALED.ciphertextAt, tagAt)), decipher.final()]), plain)
  t.same([...sealed.subarray(0, SEALED.nonceAt)], [SEALED.version, first?.hint])
  t.equal(sealed.length, SEALED.minBytes + plain.length)
  t.notSame(first?.key, Uint8Array.from(one), 'not under the secret itself')
})

t.test('the same text never looks the same twice', async (t) => {
  const ring = makeKeyring([one])
  t.notSame(ring.seal(plain, context), ring.seal(plain, context))
})

t.test('a new first key seals, the old one still opens', async (t) => {
  const old = makeKeyring([one]).seal(plain, context)
  const rotated = makeKeyring([two, one])
  t.same(rotated.unseal(old, context), plain)
  t.throws(() => makeKeyring([one]).unseal(rotated.seal(plain, context), context), refusal)
})

t.test('the key file is made once, for its owner alone, and never overwritten', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-seal-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'data', 'seal-keys')

  t.throws(() => sealKeysFromFile(path, false), refusal, 'keys made now would open nothing of what is there')
  t.notOk(existsSync(path))
  const made = sealKeysFromFile(path, true)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(sealKeysFromFile(path, false), made)

  writeFileSync(path, 'not a key')
  t.throws(() => sealKeysFromFile(path, true), refusal)
  t.equal(readFileSync(path, 'utf8'), 'not a key')
})

t.test('keys that cannot be keys are refused', async (t) => {
  for (const text of ['', 'k1', `k1:${Buffer.alloc(16).toString('base64')}`, one.toString('base64')]) {
    t.throws(() => parseSealKeys(text), refusal)
  }
  t.throws(() => makeKeyring([]), refusal)
})
