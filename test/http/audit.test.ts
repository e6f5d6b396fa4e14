import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { AUDIT_ACTS, type AuditAct } from '../../src/domain/organisations/audit.js'
import { type AuditLog, createAuditLog } from '../../src/store/audit/audit.js'
import type { ChainedAct } from '../../src/store/audit/audit-entries.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { storeAt } from '../helpers/redis.js'
import { del, guardedRoutes, post, tryPin } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, until } from '../helpers/service.js'
import { caseWithPicture, feedback, matchIdOf, ngo, operator, platform } from '../helpers/trust.js'

const service = await startService(t)
const { app } = service
const store = await openStore(storeAt(service.redis.socket))
t.teardown(() => store.close())
const log: AuditLog = createAuditLog(store, (await loadSecrets(store, makeKeyring([Buffer.alloc(32, 7)]))).audit)

/** The acts recorded during `work`, without those about keys. */
async function recordedBy(work: () => Promise<unknown>): Promise<ChainedAct[]> {
  const before = (await log.chain())?.number ?? 0
  await work()
  await log.chain()
  return (await log.list(before, 1000)).filter(({ act }) => !act.startsWith('key.'))
}

t.test('attestations, disputes and decisions about a signal are audited with the key that made them', async (t) => {
  const [one, helper, boss] = [await platform(service, 'one'), await ngo(service, 'helper'), await operator(service)]
  const { hash, imageId } = await caseWithPicture(service)
  const at = `/v1/signals/${imageId}`
  const admin = (url: string, body?: object) => post(app, url, body, boss.headers)
  const [byOne, byHelper, byBoss] = [one, helper, boss].map(({ keyId }) => `key:${keyId}`)
  const about = { signalId: imageId }

  const acts = await recordedBy(async () => {
    await feedback(service, one, hash, { verdict: 'blocked' }) // counted and not audited
    await post(app, `/v1/matches/${await matchIdOf(service, helper.headers, hash)}/attestation`, undefined, helper.headers)
    await feedback(service, one, hash, { verdict: 'disputed', reason: 'harmless-content' })
    await feedback(service, one, hash, { verdict: 'disputed', reason: 'harmless-content' }) // nothing new
    await admin(`${at}/dispute/decision`, { outcome: 'rejected' })
    await admin(`${at}/verification`)
    await admin(`${at}/quarantine`)
    await del(app, `${at}/quarantine`, boss.headers)
    await admin(`${at}/dispute`, { reason: 'other' })
    await admin(`${at}/dispute/decision`, { outcome: 'upheld' })
    await admin(`${at}/verification`) // invalidated: refused
    for (let i = 0; i < 2; i++) await del(app, `${at}/dispute/decision`, boss.headers) // the second changes nothing
    await service.services.settled()
  })

  t.same(
    acts.map(({ act, by, about }) => ({ act, by, about })),
    [
      { act: 'signal.attested', by: byHelper, about },
      { act: 'signal.disputed', by: byOne, about: { ...about, reason: 'harmless-content' } },
      { act: 'dispute.decided', by: byBoss, about: { ...about, outcome: 'rejected' } },
      { act: 'signal.verified', by: byBoss, about },
      { act: 'signal.held', by: byBoss, about: { ...about, cause: 'operator' } },
      { act: 'signal.released', by: byBoss, about },
      { act: 'signal.disputed', by: byBoss, about: { ...about, reason: 'other' } },
      { act: 'dispute.decided', by: byBoss, about: { ...about, outcome: 'upheld' } },
      { act: 'dispute.reversed', by: byBoss, about },
    ],
  )
})

t.test('acts on a case are audited under a random name that is erased with the case', async (t) => {
  const helper = await keyFor(service, 'helper', ['cases:write'], 'ngo')
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  const cases = createCaseStore(store)
  const allCases = async () => (await redis.keys('{tabir}:case:*')).filter((key) => /^[^:]+:case:[^:]+$/.test(key))
  const idOf = async (name: string) => {
    for (const key of await allCases()) if ((await redis.hget(key, 'auditName')) === name) return key.split(':').at(-1)
    return undefined
  }
  const her = await openCase(app)
  await openCase(app)

  const acts = await recordedBy(async () => {
    await post(app, `${her.url}/renewals`, undefined, her.headers)
    await post(app, `${her.url}/renewals`, undefined, { authorization: 'Bearer 000000' }) // wrong
    const { recoveryCode: next } = (await post(app, `${her.url}/pin`, undefined, her.headers)).json<{
      recoveryCode: string
    }>()
    const { token } = (await tryPin(app, her.caseNumber, next)).json<{ token: string }>()
    await tryPin(app, her.caseNumber, next) // changes nothing
    const hers = { authorization: `Bearer ${token}` }
    await app.inject({ url: `${her.url}/export`, headers: hers }) // her own look is no entry
    for (let i = 0; i < 2; i++) await del(app, her.url, hers) // the second changes nothing
    const assisted = await post(
      app,
      '/v1/assisted-cases',
      { adult: true, consent: { kind: 'in-person', on: '2026-01-31' } },
      helper.headers,
    )
    const { caseNumber } = assisted.json<{ caseNumber: string }>()
    await app.inject({ url: `/v1/cases/${caseNumber}/export`, headers: helper.headers })
    const { pin } = (await post(app, `/v1/cases/${caseNumber}/handover`, {}, helper.headers)).json<{ pin: string }>()
    await tryPin(app, caseNumber, pin)
  })
  const names = acts.map(({ about }) => about['case'] ?? '')
  const [hers = ''] = names

  t.match(
    acts.map(({ act, by }) => `${act} by ${by}`),
    [
      'case.renewed by submitter',
      'case.pin-requested by submitter',
      'case.pin-changed by submitter',
      'case.withdrawn by submitter',
      /^case\.assisted by org:/,
      /^case\.exported by org:/,
      /^case\.handed-over by org:/,
    ],
  )
  const rounded = acts.filter(({ atMs }) => atMs % 86_400_000 === 0)
  t.same(new Set(rounded.map(({ by }) => by)), new Set(['submitter']), 'of what she does the day is kept')
  t.equal(rounded.length, 4)
  t.match(hers, /^[0-9a-f]{16}$/)
  t.same(new Set(names).size, 2, 'one name for each case')
  const caseId = (await idOf(hers)) ?? ''
  t.notOk(JSON.stringify(acts).includes(caseId) || JSON.stringify(acts).includes(her.caseNumber))
  const later = Date.now() + 40 * 86_400_000
  t.ok(await cases.forget(caseId, later))
  t.equal(await idOf(hers), undefined, 'the name no longer leads to the case')

  const rest = await allCases()
  const expired = await recordedBy(async () => {
    for (const name of rest) await cases.end(name.split(':').at(-1) ?? '', 'expired', later)
    for (const name of rest) await cases.end(name.split(':').at(-1) ?? '', 'expired', later)
  })
  t.same(new Set(expired.map(({ act, by }) => `${act} by ${by}`)), new Set(['case.expired by tabir']))
  t.equal(expired.length, new Set(expired.map(({ about }) => about['case'])).size, 'each once')
})

t.test('removals from a bank and forgiven strikes are audited', async (t) => {
  const boss = await operator(service)
  const one = await ngo(service, 'partner')
  await post(app, '/v1/banks', { name: 'theirs' }, one.headers)
  const added = await post(
    app,
    '/v1/banks/theirs/signals',
    { signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] },
    one.headers,
  )
  t.equal(added.statusCode, 201, added.body)
  const signalId = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(added.body)?.[0] ?? ''
  const { imageId } = await caseWithPicture(service)
  await post(app, `/v1/signals/${imageId}/dispute`, { reason: 'other' }, boss.headers)
  await post(app, `/v1/signals/${imageId}/dispute/decision`, { outcome: 'upheld' }, boss.headers)
  const { accounts } = (await app.inject({ url: '/v1/strikes', headers: boss.headers })).json<{
    accounts: { account: string }[]
  }>()

  const acts = await recordedBy(async () => {
    for (let i = 0; i < 2; i++) await del(app, `/v1/banks/theirs/signals/${signalId}`, one.headers)
    for (const { account } of accounts) await del(app, `/v1/strikes/${account}`, boss.headers)
  })

  t.equal(accounts.length, 1, 'the case has a strike')
  t.same(
    acts.map(({ act, by, about }) => ({ act, by, about })),
    [
      { act: 'signal.removed', by: `key:${one.keyId}`, about: { bank: 'theirs', signalId } },
      { act: 'account.forgiven', by: `key:${boss.keyId}`, about: { account: 'case' } },
    ],
  )
})

t.test('changes of webhooks and watches are audited without addresses', async (t) => {
  const one = await keyFor(service, 'told', ['webhooks', 'match'])
  const by = `key:${one.keyId}`
  const { orgId } = service.services.identify(one.key) ?? {}
  const body = { url: 'https://hooks.example.com/secret-path', events: ['case.updated'] }
  const watch = { watches: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] }

  const acts = await recordedBy(async () => {
    const added = (await post(app, '/v1/webhooks', body, one.headers)).json<{ webhookId: string }>()
    const at = `/v1/webhooks/${added.webhookId}`
    await app.inject({ method: 'PATCH', url: at, headers: one.headers, payload: { enabled: false } })
    await post(app, `${at}/secret`, undefined, one.headers)
    for (let i = 0; i < 2; i++) await del(app, at, one.headers) // the second finds nothing
    for (let i = 0; i < 2; i++) await post(app, '/v1/watch', watch, one.headers)
    await until(async () => {
      await log.chain() // an act that is audited once a day is written after the answer
      return (await log.latest(undefined, 5)).some(({ act }) => act === 'watch.changed')
    })
  })

  t.same(
    acts.map(({ act, by: who }) => [act, who]),
    ['webhook.added', 'webhook.changed', 'webhook.secret-rotated', 'webhook.removed', 'watch.changed'].map((act) => [
      act,
      by,
    ]),
  )
  t.match(acts.at(-1)?.about, { orgId, day: /^\d{4}-/ })
  t.notMatch(JSON.stringify(acts), /hooks\.example|secret-path/)
})

/** Routes of operators and the act that each records. The test below fails for a new route that is not listed here. */
const OPERATORS_ACTS: Readonly<Record<string, AuditAct>> = {
  'POST /v1/signals/{signalId}/dispute': 'signal.disputed',
  'POST /v1/signals/{signalId}/dispute/decision': 'dispute.decided',
  'DELETE /v1/signals/{signalId}/dispute/decision': 'dispute.reversed',
  'POST /v1/signals/{signalId}/verification': 'signal.verified',
  'POST /v1/signals/{signalId}/quarantine': 'signal.held',
  'DELETE /v1/signals/{signalId}/quarantine': 'signal.released',
  'POST /v1/keys': 'key.created',
  'POST /v1/keys/{keyId}/rotation': 'key.rotated',
  'DELETE /v1/keys/{keyId}': 'key.revoked',
  'DELETE /v1/keys/{keyId}/suspension': 'key.restored',
  'DELETE /v1/strikes/{account}': 'account.forgiven',
  'POST /v1/appeals/{appealed}/decision': 'appeal.decided',
  'DELETE /v1/resubmission-blocks/{blockId}': 'block.lifted',
  'POST /v1/exchanges/{name}/pulls': 'exchange.pull-asked',
}

t.test('every changing route of operators has an audited act and a test of it', async (t) => {
  const changing = guardedRoutes(app).filter(({ scope, method }) => scope === 'admin' && method !== 'GET')
  t.same(changing.map(({ name }) => name).sort(), Object.keys(OPERATORS_ACTS).sort())
  // Each of these acts is tested above, or in the test file named here.
  const elsewhere: Partial<Readonly<Record<AuditAct, string>>> = {
    'key.created': 'http/keys',
    'key.rotated': 'http/keys',
    'key.revoked': 'http/keys',
    'key.restored': 'http/keys',
    'exchange.pull-asked': 'services/exchanges',
    'appeal.decided': 'http/appeals',
    'block.lifted': 'http/appeals',
  }
  const tests = fileURLToPath(new URL('../../../test/', import.meta.url))
  for (const act of Object.values(OPERATORS_ACTS)) {
    const text = readFileSync(join(tests, `${elsewhere[act] ?? 'http/audit'}.test.ts`), 'utf8')
    t.match(text.replace(/OPERATORS_ACTS.*?^}/ms, ''), new RegExp(`${act}\\b`), act)
  }
})

t.test('every act of the audit log is used in the sources, and the chain verifies', async (t) => {
  const sources = fileURLToPath(new URL('../../../src/', import.meta.url))
  const text = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== join('domain', 'audit.ts'))
    .map((name) => readFileSync(join(sources, name), 'utf8'))
    .join('\n')
  for (const act of Object.keys(AUDIT_ACTS))
    t.ok(text.includes(`'${act}'`) || act === 'case.withdrawn' || act === 'case.expired', act)
  t.match(await log.verify(), { isSound: true })
})
