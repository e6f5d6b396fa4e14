import crypto, { randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { isNetwork, isWithin } from '../../src/net/networks.js'
import { createApiKey, identify, KEY_PATTERN } from '../../src/services/keys/access.js'
import type { ApiKey } from '../../src/store/organisations/api-keys.js'

/** Stores the key that `createApiKey` writes in memory. */
async function keyInMemory(more: { readonly expiresAtMs?: number; readonly networks?: readonly string[] } = {}) {
  const kept = new Map<string, ApiKey>()
  const apiKeys = {
    ensureOrg: async () => 'org',
    org: async () => undefined,
    orgs: async () => new Map(),
    orgByName: async () => undefined,
    add: async (key: ApiKey) => kept.set(key.keyId, key).size,
    change: async () => undefined,
    revoke: async () => undefined,
    get: async (keyId: string) => kept.get(keyId),
    all: async () => [...kept.values()],
  }
  const scopes = new Set(['match'] as const)
  const { keyId, key } = await createApiKey(apiKeys, { org: 'o', kind: 'ngo', scopes, env: 'test', nowMs: 0, ...more })
  return { kept, keyId, key }
}

const SOMEWHERE = { address: '192.0.2.7', nowMs: 1000 }

t.test('a key with a typo anywhere is rejected without a lookup', async (t) => {
  const { key, kept } = await keyInMemory()
  t.match(key, KEY_PATTERN)
  let looked = 0
  const watched = new Map(kept)
  watched.get = (keyId) => {
    looked++
    return kept.get(keyId)
  }
  for (let at = 0; at < key.length; at++) {
    const typo = key.slice(0, at) + (key[at] === 'z' ? 'y' : 'z') + key.slice(at + 1)
    if (at >= 4 && at <= 7) continue // the label is checked as well, but the pattern allows `zest` as it allows `test`
    if (identify(watched, typo, SOMEWHERE) !== undefined) t.fail(`place ${at}`)
  }
  t.equal(looked, 0)
  t.ok(identify(watched, key, SOMEWHERE))
  t.equal(looked, 1)
})

t.test('the whole secret is compared in constant time, whether the key exists or not', async (t) => {
  const { key, kept, keyId } = await keyInMemory()
  const other = await keyInMemory()
  const known = kept.get(keyId)
  const secretSha256 = other.kept.get(other.keyId)?.secretSha256
  if (known === undefined || secretSha256 === undefined) throw new Error('both are kept')
  const compared: number[][] = []
  const { timingSafeEqual } = crypto
  crypto.timingSafeEqual = (one, two) => {
    compared.push([one.byteLength, two.byteLength])
    return timingSafeEqual(one, two)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.timingSafeEqual = timingSafeEqual
    syncBuiltinESMExports()
  })

  t.ok(identify(kept, key, SOMEWHERE))
  t.equal(identify(new Map([[keyId, { ...known, secretSha256 }]]), key, SOMEWHERE), undefined, 'another secret')
  t.equal(identify(new Map(), key, SOMEWHERE), undefined, 'no such key')

  t.same(compared, [
    [32, 32],
    [32, 32],
    [32, 32],
  ])
})

t.test('a key authenticates until it expires', async (t) => {
  const { key, kept } = await keyInMemory({ expiresAtMs: 5000 })
  t.ok(identify(kept, key, { ...SOMEWHERE, nowMs: 4999 }))
  t.equal(identify(kept, key, { ...SOMEWHERE, nowMs: 5000 }), undefined)
})

t.test('a key bound to networks authenticates from these alone, never from an unknown address', async (t) => {
  const { key, kept } = await keyInMemory({ networks: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.9'] })
  const from = (address: string | undefined) => identify(kept, key, { address, nowMs: 0 }) !== undefined
  for (const inside of ['192.0.2.0', '192.0.2.255', '2001:db8:ffff::1', '198.51.100.9', '::ffff:192.0.2.1'])
    t.ok(from(inside), inside)
  for (const outside of ['192.0.3.0', '198.51.100.8', '2001:db9::1', '::1', '::ffff:10.0.0.1', '', 'localhost', undefined])
    t.notOk(from(outside), outside ?? 'unknown')
})

t.test('only a caller that has the whole key learns that it is suspended', async (t) => {
  const { key, kept, keyId } = await keyInMemory()
  const known = kept.get(keyId)
  if (known !== undefined) kept.set(keyId, { ...known, suspendedAtMs: 7 })
  t.throws(() => identify(kept, key, SOMEWHERE), { code: 'key-suspended' })
  const stranger = await keyInMemory()
  t.equal(identify(kept, stranger.key, SOMEWHERE), undefined)
})

t.test('malformed networks are rejected', async (t) => {
  for (const good of ['0.0.0.0/0', '10.0.0.0/8', '1.2.3.4', '::/0', '::1', '2001:db8::/128']) t.ok(isNetwork(good), good)
  for (const bad of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '1.2.3.4/',
    '1.2.3.4/8/8',
    '/8',
    'host/8',
    'fe80::1%eth0',
    '1.2.3.4/-1',
  ])
    t.notOk(isNetwork(bad), bad)
})

t.test('an address is matched against a network bit by bit', async (t) => {
  for (let i = 0; i < 50; i++) {
    const [bits = 0, ...bytes] = randomBytes(5)
    const length = bits % 33
    const number = Buffer.from(bytes).readUInt32BE()
    const network = [`${bytes.join('.')}/${length}`]
    for (let bit = 0; bit < 32; bit++) {
      const other = (number ^ (1 << (31 - bit))) >>> 0
      const address = [24, 16, 8, 0].map((shift) => (other >>> shift) & 255).join('.')
      if (isWithin(network, address) !== bit >= length) t.fail(`${network} ${address}`)
    }
  }
})
