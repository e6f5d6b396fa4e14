import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { canonicalJson } from '../../src/domain/canonical.js'
import { Receipt } from '../../src/services/cases/receipts.js'
import { createSigner, isSignedBy, publicKeyFrom } from '../../src/services/records/signer.js'
import { del } from '../helpers/requests.js'
import { openCase, startService } from '../helpers/service.js'
import { runTabir } from '../helpers/tabir.js'

function verify(...args: string[]) {
  return runTabir({ PATH: process.env['PATH'] ?? '', TABIR_PORT: '1' }, ['receipts', 'verify', ...args])
}

t.test('a receipt is verified with the key of a running api or with a key file', async (t) => {
  const { app } = await startService(t)
  const her = await openCase(app)
  const { body } = await del(app, her.url, her.headers)
  const key = (await app.inject({ url: '/v1/receipts/key' })).body
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const folder = t.testdir({ receipt: `${JSON.stringify(JSON.parse(body), null, 2)}\n`, key })
  const file = join(folder, 'receipt')
  writeFileSync(join(folder, 'pem'), JSON.parse(key).pem)
  writeFileSync(join(folder, 'changed'), body.replace('"images":0', '"images":1'))
  writeFileSync(join(folder, 'other'), JSON.stringify({ jwk: createSigner(Buffer.alloc(32, 1)).jwk }))

  writeFileSync(join(folder, 'twice'), body.replace('{', '{"state":"active",'))
  writeFileSync(join(folder, 'escaped'), body.replace('{', '{"stat\\u0065" : "active",'))

  const valid = await verify(file, '--url', url)
  t.equal(valid.status, 0)
  t.match(valid.out, `Valid: case ${her.caseNumber}, withdrawn at `)
  for (const name of ['key', 'pem']) t.equal((await verify(file, '--key', join(folder, name))).status, 0, name)
  t.equal((await verify(join(folder, 'changed'), '--url', url)).status, 1)
  for (const name of ['twice', 'escaped']) {
    t.equal((await verify(join(folder, name), '--key', join(folder, 'key'))).status, 1, `a repeated name: ${name}`)
  }
  t.equal((await verify(file, '--key', join(folder, 'other'))).status, 1, 'another service')
  t.equal((await verify(join(folder, 'key'), '--url', url)).status, 1, 'no receipt')
  t.equal((await verify(join(folder, 'absent'), '--url', url)).status, 2)
  t.equal((await verify(file)).status, 2, 'no api is running')
  t.equal((await verify(file, '--key', file)).status, 2, 'no key')
  t.equal((await verify()).status, 2)
  t.equal((await verify(file, '--url', 'no url')).status, 2)
})

t.test('a receipt with any byte changed is refused', async (t) => {
  const signer = createSigner(Buffer.alloc(32, 3))
  const key = publicKeyFrom(signer.pem)
  const receipt = signer.sign({
    type: 'tabir-receipt',
    version: 1,
    caseNumber: 'TBR-0000-0000-0000',
    state: 'withdrawn',
    openedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-02T00:00:00.000Z',
    images: 3,
    hashes: 40,
    kept: { blockedImages: 1, until: '2026-06-30T00:00:00.000Z' },
    mayRemain: [{ what: 'hashes', where: 'copies', until: null }],
  })
  const text = JSON.stringify(receipt)
  const isValid = (changed: string) => {
    try {
      const parsed = Receipt.safeParse(JSON.parse(changed)).data
      return parsed !== undefined && isSignedBy(key, parsed)
    } catch {
      return false
    }
  }
  t.ok(isValid(text))
  const passed: string[] = []
  for (let at = 0; at < text.length; at++) {
    for (let byte = 32; byte < 127; byte++) {
      const changed = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1)
      if (changed !== text && isValid(changed)) passed.push(changed)
    }
  }
  t.same(passed, [])
  const { signature } = receipt
  const scalar = Buffer.from(signature, 'base64url')
  // The same point and the scalar plus the group order, which some libraries accept as a second signature of the same text.
  const order = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex')
  for (let i = 0, carry = 0; i < 32; i++) {
    carry += (scalar[32 + i] ?? 0) + (order[i] ?? 0)
    scalar[32 + i] = carry & 255
    carry >>= 8
  }
  for (const [what, forged] of Object.entries({
    'another form of the signature': text.replace(signature, scalar.toString('base64url')),
    'padded base64': text.replace(signature, `${signature}==`),
    'no signature': text.replace(signature, ''),
    'half a signature': text.replace(signature, signature.slice(0, 43)),
    'a document in a document': text.replace('{', '{"__proto__":{"images":9999},'),
    'a name that all objects inherit': text.replace('{', '{"constructor":{"images":9999},'),
    'a list of one': `[${text}]`,
    'cut off': text.slice(0, -1),
    'more behind it': `${text}{}`,
  }))
    t.notOk(isValid(forged), what)
  t.notOk(isSignedBy(publicKeyFrom(createSigner(Buffer.alloc(32, 4)).pem), receipt))
  t.notOk(isSignedBy(key, { ...receipt, keyId: createSigner(Buffer.alloc(32, 4)).jwk.kid }))
  t.notOk(isSignedBy(key, {}))
})

t.test('the key id is that of RFC 8037, and the signed text is canonical JSON of RFC 8785', async (t) => {
  const seed = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url')
  const { jwk } = createSigner(seed)
  t.match(jwk, {
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  })
  t.equal(
    canonicalJson({ b: [1, null, true], a: { z: 'ü\u0001"', A: '' }, ab: -7 }),
    '{"a":{"A":"","z":"ü\\u0001\\""},"ab":-7,"b":[1,null,true]}',
  )
  t.throws(() => canonicalJson({ a: 0.5 }), RangeError)
  t.throws(() => publicKeyFrom('{"jwk":{}}'))
  t.throws(() => publicKeyFrom('nonsense'))
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  t.throws(() => publicKeyFrom(publicKey.export({ format: 'pem', type: 'spki' }).toString()), /not an Ed25519 key/)
})
