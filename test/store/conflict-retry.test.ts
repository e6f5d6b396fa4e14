// A change of the latest state compares it in the same step, by the retry helper or by a script. Exceptions are listed below.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWebhookStore, type Webhook } from '../../src/store/webhooks/webhooks.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const sources = ['src', 'packages', 'workers'].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('dist/'))
    .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(`${root}${folder}/${name}`, 'utf8') })),
)
const pathsWith = (pattern: RegExp) => sources.flatMap(({ path, text }) => (pattern.test(text) ? [path] : [])).toSorted()

t.test('only listed files read, decide and write in a loop, and they use the retry helper', async (t) => {
  t.same(pathsWith(/^ +for \(const retry = createConflictRetry\(\)/m), [
    'src/services/trust/trust-changes.ts',
    'src/store/exchange/fetched.ts',
    'src/store/organisations/replicated-config.ts',
    'src/store/webhooks/webhooks.ts',
  ])
  t.same(pathsWith(/changed-meanwhile'\) (?!continue)/), [], 'a conflict is always retried')
})

t.test('only listed files write to Redis without a script, each for a reason', async (t) => {
  const may = {
    'src/store/audit/audit-check.ts': 'repeated if it is lost',
    'src/store/upkeep/daily.ts': 'SET NX',
    'src/store/organisations/api-keys.ts': 'the day of use of a key, by its random id',
    'src/store/trust/canaries.ts': 'adds a random id',
    'src/store/cases/cases.ts': 'attempts of a PIN and tokens, by a hash of each; they expire',
    'src/store/trust/contexts.ts': 'counts that may be lost',
    'src/store/organisations/resubmission-blocks.ts': 'removes what has ended, and is repeated',
    'src/store/organisations/idempotency.ts': 'SET NX',
    'src/store/organisations/key-uses.ts': 'a day, by a random id',
    'src/store/cases/proofs.ts': 'SET NX, and a count',
    'src/store/exchange/reconcilers.ts': 'only if the other system changed; it is reloaded then',
    'src/store/sealing/seal-ring.ts': 'heartbeats, by a random id',
    'src/store/trust/strikes.ts': 'a count',
    'src/store/trust/daily-counts.ts': 'counts that may be lost',
    'src/store/watch/watch-erasures.ts': 'a mark that ends by itself',
    'src/store/redis/heartbeats.ts': 'heartbeats, by a random id',
  }
  const commands = 'hset|hdel|hincrby|sadd|srem|zadd|zrem|zremrangebyscore|pfadd|rpush|lpush|xadd|xdel|incr|incrby|unlink'
  t.same(pathsWith(new RegExp(`\\.(${commands})\\(|\\.expire\\([^)]|redis\\.(set|del)\\(`)), Object.keys(may).toSorted())
})

t.test('concurrent changes of two processes are all kept, and none applies to an object that was replaced', async (t) => {
  const redis = await startRedis(t)
  const stores = [await openStore(storeAt(redis.socket)), await openStore(storeAt(redis.socket))] as const
  t.teardown(() => Promise.all(stores.map((store) => store.close())))
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const [first, second] = [createWebhookStore(stores[0], keyring), createWebhookStore(stores[1], keyring)]
  const webhook: Webhook = {
    webhookId: '01890000-0000-7000-8000-000000000000',
    orgId: 'org',
    url: 'https://hooks.example/',
    events: ['case.updated'],
    isEnabled: true,
    maxPerSecond: 0,
    secrets: [],
    createdAtMs: 1,
  }
  await first.add(webhook)
  const count = async (webhooks: typeof first) => {
    for (let i = 0; i < 50; i++)
      await webhooks.change(webhook.webhookId, (before) => ({ ...before, maxPerSecond: before.maxPerSecond + 1 }))
  }
  await Promise.all([count(first), count(second)])
  t.equal((await first.get(webhook.webhookId))?.maxPerSecond, 100)

  const later = { ...webhook, webhookId: '01890000-0000-7000-8000-000000000001' }
  await first.remove(webhook)
  await first.add(later)
  await Promise.all([
    second.remove(webhook),
    second.change(webhook.webhookId, (before) => ({ ...before, isEnabled: false })),
  ])
  t.same(await first.ofOrg('org'), [later], 'the removed webhook does not come back')

  const [banks, others] = [createBankStore(stores[0]), createBankStore(stores[1])]
  await banks.add({ name: 'b', purpose: 'match', orgId: 'org', thresholdBits: {}, createdAtMs: 1 }, 'operator')
  const bank = await banks.get('b')
  if (bank === undefined) return t.fail('it was made')
  for (let i = 1; i <= 20; i++) {
    await Promise.all([
      banks.setReaders(bank, { [`reader${i}`]: 'r' }, 'operator', i),
      others.setRatio(bank, i / 100, 'operator', i),
    ])
    t.match(await banks.get('b'), { id: bank.id, readers: { [`reader${i}`]: 'r' }, enabledRatio: i / 100 })
  }
})
