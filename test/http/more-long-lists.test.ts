// More lists of 2,500 entries with equal scores or times: see long-lists.test.ts.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { z } from 'zod'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { noteInAudit } from '../../src/store/audit/audit.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { importsKeyPart } from '../../src/store/organisations/imports.js'
import { keys } from '../../src/store/redis/keys.js'
import { createDeliveryStore } from '../../src/store/webhooks/deliveries.js'
import { inSome, keyOfOrg, MANY, numbered, onceEach, PAGE, type Row, readAll, world } from '../helpers/long-lists.js'
import { imageOf } from '../helpers/registered-image.js'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, startService, until } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

t.test('deliveries of a webhook and imports with equal times are listed once each', async (t) => {
  const { service, store, nowMs } = await world(t)
  const owner = await keyFor(service, 'owner', ['webhooks', 'signals:write'])
  const added = await post(
    service.app,
    '/v1/webhooks',
    { url: 'https://receiver.example/', events: ['match.found'] },
    owner.headers,
  )
  const { webhookId } = added.json<{ webhookId: string }>()
  const deliveries = createDeliveryStore(store)
  const ids = numbered((i) => `d${i}`)
  for (let i = 0; i < MANY; i += 500) {
    await deliveries.hold('this test', 60_000)
    await deliveries.make(
      'this test',
      { source: 'outbox', id: `1-${i + 1}`, fields: new Map() },
      ids.slice(i, i + 500).map((id) => ({
        webhookId,
        id,
        subject: id,
        type: 'match.found',
        body: '{}',
        dueAtMs: nowMs - 1000,
        imageId: undefined,
        caseId: undefined,
      })),
    )
  }
  for (const state of ['', '&state=waiting']) {
    const rows = await readAll(t, service, owner.headers, {
      url: `/v1/webhooks/${webhookId}/deliveries?${state.slice(1)}`,
      name: 'deliveries',
    })
    onceEach(t, rows, 'deliveryId', ids)
  }
  const left = await readAll(t, service, owner.headers, {
    url: `/v1/webhooks/${webhookId}/deliveries`,
    name: 'deliveries',
    between: ({ deliveryId }) => store.ask((redis) => redis.zrem(keys.webhookDeliveries(webhookId), String(deliveryId))),
  })
  onceEach(t, left, 'deliveryId', ids)

  await post(service.app, '/v1/banks', { name: 'mine' }, owner.headers)
  const importIds = numbered(() => uuidV7(nowMs, randomBytes(10)))
  const progress = JSON.stringify({
    state: 'done',
    startedAtMs: nowMs,
    updatedAtMs: nowMs,
    lines: 1,
    accepted: 1,
    removed: 0,
    rejected: 0,
    rejectedFor: {},
    digest: '',
  })
  const bank = await createBankStore(store).get('mine')
  if (bank === undefined) return t.fail('it was made')
  const place = importsKeyPart(bank)
  await store.ask(async (redis) => {
    const pipeline = redis.pipeline()
    for (const id of importIds)
      pipeline.zadd(keys.imports(place), nowMs, id).hset(keys.import(place, id), 'progress', progress)
    await pipeline.exec()
  })
  const files = await readAll(t, service, owner.headers, { url: '/v1/banks/mine/imports', name: 'imports' })
  onceEach(t, files, 'importId', importIds)
})

t.test('resubmission blocks and appeals with equal times are listed once each, without an unreadable one', async (t) => {
  const { service, store, nowMs } = await world(t)
  const { headers } = await operator(service)
  const digests = numbered(() => randomBytes(16))
  const blockIds = digests.map((digest) => digest.toString('hex'))
  const unreadable = randomBytes(3)
  await store.ask(async (redis) => {
    const pipeline = redis.pipeline().zadd(keys.appeals, 0, unreadable)
    for (const digest of digests) {
      pipeline.zadd(keys.resubmissionBlocks, nowMs + 1000, digest)
      pipeline.zadd(keys.appeals, nowMs, Buffer.concat([Buffer.from('b'), digest]))
    }
    await pipeline.exec()
  })
  onceEach(t, await readAll(t, service, headers, { url: '/v1/appeals', name: 'appeals' }), 'blockId', blockIds)
  t.match(service.log.join('\n'), /1 of 100 appeals failed/)
  const blocks = await readAll(t, service, headers, {
    url: '/v1/resubmission-blocks',
    name: 'blocks',
    between: ({ blockId }) => ask(service, 'DELETE', `/v1/resubmission-blocks/${String(blockId)}`, headers),
  })
  onceEach(t, blocks, 'blockId', blockIds)
})

t.test('acts with equal times and keys are listed once each, and a case keeps its last 1,000 events', async (t) => {
  const { service, store, nowMs } = await world(t)
  const { headers } = await operator(service)
  const names = numbered((i) => `bank-${i}`)
  await inSome(names, (bank) => noteInAudit(store, { act: 'bank.removed', by: 'operator', about: { bank }, atMs: nowMs }))
  await until(async () => (await store.ask((redis) => redis.llen(keys.auditDue))) === 0)
  const acts: Row[] = []
  for (let before = ''; ; ) {
    const page = (await ask(service, 'GET', `/v1/audit?limit=${PAGE}${before}`, headers)).json<{ entries: Row[] }>().entries
    acts.push(...page)
    const last = page.at(-1)
    if (last === undefined) break
    before = `&before=${String(last['number'])}`
    if (last['number'] === 1) break
  }
  const removed = acts.filter(({ act }) => act === 'bank.removed')
  t.same(new Set(removed.map(({ about }) => z.object({ bank: z.string() }).parse(about).bank)), new Set(names))
  t.equal(removed.length, MANY)

  const apiKeys = createApiKeyStore(store)
  const { orgId } = await keyOfOrg(service, 'many', ['match'])
  const keyIds = numbered((i) =>
    i
      .toString(36)
      .padStart(10, '0')
      .replace(/[ilou]/g, 'z')
      .slice(0, 10),
  )
  const distinct = [...new Set(keyIds)]
  const key = { orgId, scopes: new Set(['match'] as const), secretSha256: '00'.repeat(32), createdAtMs: nowMs }
  await inSome(distinct, (keyId) => apiKeys.add({ ...key, keyId }))
  const listed = await readAll(t, service, headers, { url: '/v1/keys', name: 'keys' })
  const listedIds = listed.map(({ keyId }) => String(keyId))
  t.equal(listedIds.length, new Set(listedIds).size)
  t.ok(distinct.every((keyId) => listedIds.includes(keyId)))
  const her = await openCase(service.app)
  const [events = ''] = await store.ask((redis) => redis.keys('{tabir}:case:*:events'))
  await store.ask(async (redis) => {
    const pipeline = redis.pipeline().del(events)
    for (let i = 0; i < MANY; i++)
      pipeline.xadd(events, 'MAXLEN', 1000, `7-${i + 1}`, 'kind', 'matched', 'count', '1', 'atMs', String(nowMs))
    await pipeline.exec()
  })
  const caseId = events.split(':')[2] ?? ''
  t.ok(her.caseNumber)
  const line = await store.ask((redis) => redis.xlen(keys.caseEvents(caseId)))
  t.equal(line, 1000, 'older events are removed')
})

t.test('pictures of assisted cases opened in one millisecond are listed once each', async (t) => {
  const { service, store, nowMs, images } = await world(t)
  const { orgId, headers } = await keyOfOrg(service, 'helper', ['cases:write', 'match'], 'ngo')
  const cases = createCaseStore(store)
  const assistance = {
    orgId,
    consentKind: 'in-person',
    consentOn: '2026-01-31',
    isAttested: false,
    handedOverAtMs: undefined,
    keepsReading: false,
  } as const
  const made = numbered(() => ({ caseId: randomBytes(16).toString('hex'), id: uuidV7(nowMs, randomBytes(10)) }))
  const record = { createdAtMs: nowMs, expiresAtMs: nowMs + 86_400_000, category: undefined, pin: 'x', assistance }
  await inSome(made, async ({ caseId, id }) => {
    await cases.add(caseId, record)
    await images.putForCase(caseId, [{ id, image: { ...imageOf(hashFromBytes(randomBytes(32))), caseId } }], nowMs)
  })
  const rows = await readAll(t, service, headers, {
    url: '/v1/attestations/waiting',
    name: 'signals',
    between: ({ caseId }) => store.ask((redis) => redis.zrem(keys.assisted(orgId), String(caseId))),
  })
  onceEach(
    t,
    rows,
    'signalId',
    made.map(({ id }) => id),
  )
})

t.test('strike accounts with equal times and banks are listed once each', async (t) => {
  const { service, store, nowMs } = await world(t)
  const { headers } = await operator(service)
  const owner = await keyOfOrg(service, 'owner', ['signals:write'])
  const accounts = numbered((i) => `case:${uuidV7(nowMs, Buffer.alloc(10, i.toString(16).padStart(20, '0'), 'hex'))}`)
  await store.ask(async (redis) => {
    const pipeline = redis.pipeline()
    for (const account of accounts)
      pipeline.zadd(keys.strikes(account), nowMs, 'image').zadd(keys.strikeAccounts, nowMs, account)
    await pipeline.exec()
  })
  const invalidated = await readAll(t, service, headers, {
    url: '/v1/strikes',
    name: 'accounts',
    between: ({ account }) => ask(service, 'DELETE', `/v1/strikes/${String(account)}`, headers),
  })
  onceEach(t, invalidated, 'account', accounts)
  t.match(invalidated[0], { strikes: 1, lastAt: new Date(nowMs).toISOString(), suspended: false })

  const names = numbered((i) => `bank-${i}`)
  const json = JSON.stringify({ orgId: owner.orgId, purpose: 'match', thresholdBits: {}, createdAtMs: nowMs })
  await store.ask((redis) => redis.hset(keys.banks, ...names.flatMap((name) => [name, json])))
  const second = await startService(t, { redis: service.redis, now: () => nowMs })
  const banks = await readAll(t, second, owner.headers, { url: '/v1/banks', name: 'banks' })
  onceEach(t, banks, 'bank', ['cases', 'harmless', ...names])
})
