// How much a guess at a PIN costs. Other tests use a cheaper setting, so this one checks the real one.

import { createHmac, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { createCaseAccess } from '../../src/services/cases/case-access.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { startRedis, storeAt } from '../helpers/redis.js'

t.test('by default a PIN is keyed with a secret and stretched by 32 MiB of scrypt', async (t) => {
  const store = await openStore(storeAt((await startRedis(t)).socket))
  t.teardown(() => store.close())
  const secrets = await loadSecrets(store, makeKeyring([Buffer.alloc(32, 7)]))
  const access = createCaseAccess(createCaseStore(store), secrets)

  const { stretched, ...shown } = await access.newPin('case')

  for (const what of ['pin', 'recoveryCode'] as const) {
    const mixed = createHmac('sha256', secrets.pin).update(`case:${shown[what]}`).digest()
    const promised = scryptSync(mixed, 'case', 32, { N: 32_768, r: 8, p: 1, maxmem: 64 << 20 })
    t.equal(stretched[what], promised.toString('base64'))
  }
})

t.test('no entry point or setting makes stretching cheaper', (t) => {
  const root = resolve(import.meta.dirname, '../../..')
  const settings = ['src/boot/config.ts', 'src/config/variables.ts', 'src/config/settings.ts']
  for (const file of ['src/boot/server.ts', ...settings, 'src/app/opening.ts', 'docker-compose.yml'])
    t.notMatch(readFileSync(resolve(root, file), 'utf8'), /stretching/i, file)
  t.end()
})
