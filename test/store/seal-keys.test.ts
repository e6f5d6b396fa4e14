import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { addSealKey, dropSealKey, keyringOf, parseSealKeys, sealKeysFromFile } from '../../src/store/sealing/seal-keys.js'

const refusal = { name: 'SealError' }
const context = Buffer.from('x')
const key = (fill: number) => Buffer.alloc(32, fill).toString('base64')

function placeFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-seal-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return join(folder, 'data', 'seal-keys')
}

t.test('the key file is created once, readable by its owner only, and never overwritten', async (t) => {
  const path = placeFor(t)

  t.throws(() => sealKeysFromFile(path, false), refusal, 'new keys would not open existing records')
  t.notOk(existsSync(path))
  const made = sealKeysFromFile(path, true)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(sealKeysFromFile(path, false), made)

  writeFileSync(path, 'not a key')
  t.throws(() => sealKeysFromFile(path, true), refusal)
  t.equal(readFileSync(path, 'utf8'), 'not a key')
})

t.test('a new key seals, old keys still open, and a ring that was read before learns both', async (t) => {
  const path = placeFor(t)
  const settings = { dataDir: '/nowhere', sealKeys: undefined, sealKeyFile: path }
  const ring = keyringOf(settings, true)
  const old = ring.seal(context, context)

  const added = addSealKey(path, 'k2')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(ring.active.label, 'k1')
  t.equal(ring.refresh(), true)
  t.match(ring.active, { label: 'k2', fingerprint: added.fingerprint })
  t.same(ring.unseal(old, context), context)

  dropSealKey(path, ring.named[1]?.fingerprint ?? '')
  t.match(keyringOf(settings, false).named, [{ label: 'k2' }])
  t.throws(() => keyringOf(settings, false).unseal(old, context), refusal)
})

t.test('forty keys of a ring have different hints', async (t) => {
  const path = placeFor(t)
  sealKeysFromFile(path, true)
  for (let i = 2; i <= 40; i++) addSealKey(path, `k${i}`)

  const { named } = keyringOf({ dataDir: '', sealKeys: undefined, sealKeyFile: path }, false)
  t.equal(new Set(named.map(({ hint }) => hint)).size, 40)
})

t.test('an invalid change of the key file leaves it as it is', async (t) => {
  const path = placeFor(t)
  sealKeysFromFile(path, true)
  const before = readFileSync(path, 'utf8')

  t.throws(() => addSealKey(path, 'k1'), refusal, 'the name is taken')
  const [only] = keyringOf({ dataDir: '', sealKeys: undefined, sealKeyFile: path }, false).named
  t.throws(() => dropSealKey(path, only?.fingerprint ?? ''), refusal, 'the last key')
  t.equal(readFileSync(path, 'utf8'), before)

  writeFileSync(`${path}.new`, '')
  t.throws(() => addSealKey(path, 'k2'), { ...refusal, message: /Another process/ })
  t.equal(readFileSync(path, 'utf8'), before)
})

t.test('malformed seal keys are refused without an echo', async (t) => {
  for (const text of [
    '',
    'k1',
    `k1:${Buffer.alloc(16).toString('base64')}`,
    key(1),
    `:${key(1)}`,
    `a:${key(1)},a:${key(2)}`,
  ]) {
    t.throws(() => parseSealKeys(text), { ...refusal, message: /^[^=]+$/ }, text)
  }
  t.match(parseSealKeys(`a:${key(1)}, b:${key(2)}\n`), [{ label: 'a' }, { label: 'b' }])
})
