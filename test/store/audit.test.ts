import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import type { AuditAct, UncheckedEntry } from '../../src/domain/organisations/audit.js'
import { type AuditLog, createAuditLog, noteInAudit } from '../../src/store/audit/audit.js'
import { AUDIT_FAULTS, headText, parseHead } from '../../src/store/audit/audit-marks.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { startRedis, storeAt } from '../helpers/redis.js'

const SECRET = Buffer.alloc(32, 5)
const server = await startRedis(t)
const store = await openStore(storeAt(server.socket))
const redis = new Redis(server.socket, { replyMapping: 'legacy' })
t.teardown(async () => {
  redis.disconnect()
  await store.close()
})
t.beforeEach(() => redis.flushall())

const created = (keyId: string): UncheckedEntry => ({
  act: 'key.created',
  by: 'operator',
  about: { keyId, orgId: 'o1' },
  atMs: 1_000,
})

/** A log with this many entries. */
async function logOf(count: number): Promise<AuditLog> {
  const log = createAuditLog(store, SECRET)
  for (let i = 1; i <= count; i++) await noteInAudit(store, created(`k${i}`))
  await log.chain()
  return log
}

t.test('recorded acts are listed in order, and the log verifies', async (t) => {
  const log = await logOf(3)

  t.match(
    await log.list(0, 10),
    [1, 2, 3].map((number) => ({ number, act: 'key.created', by: 'operator', about: { keyId: `k${number}` } })),
  )
  t.match(await log.list(1, 1), [{ number: 2 }])
  t.match(await log.verify(), { isSound: true, head: { number: 3 } })
  t.equal(await redis.llen(keys.auditDue), 0)
  t.match(await createAuditLog(store, SECRET).verify(), { isSound: true }, 'read by another process')
  t.match(await createAuditLog(store, randomBytes(32)).verify(), { isSound: false }, 'not under another secret')
})

t.test('every removal, change, exchange or insertion of entries is detected', async (t) => {
  const faults: Readonly<Record<string, () => Promise<unknown>>> = {
    'the last entry is removed': () => redis.xdel(keys.audit, '4-0'),
    'the first entry is removed': () => redis.xdel(keys.audit, '1-0'),
    'one in the middle is removed': () => redis.xdel(keys.audit, '2-0'),
    'all are removed': () => redis.del(keys.audit),
    'the head is removed': () => redis.del(keys.auditHead),
    'the head is changed': () => redis.setrange(keys.auditHead, 7, Buffer.of(3)),
    'an entry is rewritten': () =>
      rewritten((entries) => entries.with(1, [JSON.stringify(created('k9')), entries[1]?.[1] ?? ''])),
    'two entries are exchanged': () =>
      rewritten(([a, b, ...rest]) => [b, a, ...rest].filter((entry) => entry !== undefined)),
    'one is put in': () => rewritten((entries) => [...entries, [JSON.stringify(created('k5')), randomBytes(32)]]),
  }
  for (const [what, fault] of Object.entries(faults)) {
    await redis.flushall()
    const log = await logOf(4)
    t.equal((await log.verify()).isSound, true)
    await fault()
    // An entry behind the head could be one of another process; it is detected when the next entry is chained.
    if (what === 'one is put in')
      await t.rejects(
        noteInAudit(store, created('k6')).then(() => log.chain()),
        what,
      )
    else t.equal((await log.verify()).isSound, false, what)
  }
})

async function rewritten(
  change: (entries: [text: string, mac: string | Buffer][]) => [text: string, mac: string | Buffer][],
) {
  const entries = await redis.xrangeBuffer(keys.audit, '-', '+')
  await redis.del(keys.audit)
  const all = entries.map(([, fields]): [string, Buffer] => [String(fields[1]), fields[3] ?? Buffer.alloc(0)])
  for (const [i, [text, mac]] of change(all).entries()) await redis.xadd(keys.audit, `${i + 1}-0`, 'entry', text, 'mac', mac)
}

t.test('a log that was set back with head and count differs from the noted head, and is not extended', async (t) => {
  const log = await logOf(2)
  const [before, mark] = [await redis.dumpBuffer(keys.audit), await redis.getBuffer(keys.auditHead)]
  await noteInAudit(store, created('k3'))
  const noted = await log.chain()
  if (noted === undefined || mark === null) throw new Error('there is a last entry')
  t.match(await log.verify(parseHead(headText(noted))), { isSound: true })

  await redis.restore(keys.audit, 0, before ?? '', 'REPLACE')
  await redis.set(keys.auditHead, mark)
  t.match(await log.verify(), { isSound: false, number: 3, why: 'act-missing' }, 'an act is missing')
  await redis.set(keys.auditDueCount, 2)

  t.match(await log.verify(), { isSound: true }, 'sound without the noted head')
  t.match(await log.verify(noted), { isSound: false, why: 'head-noted' })
  await noteInAudit(store, created('k4'))
  await t.rejects(log.chain(), { name: 'AuditError' })
  t.equal(await redis.llen(keys.auditDue), 1, 'the act stays in the queue')
})

t.test('an entry of a history that was set back does not verify in the new history', async (t) => {
  await logOf(1)
  const mark = (await redis.getBuffer(keys.auditHead)) ?? ''
  await noteInAudit(store, created('past'))
  await createAuditLog(store, SECRET).chain()
  const [, past] = await redis.xrangeBuffer(keys.audit, '-', '+')
  await redis.set(keys.auditHead, mark)
  await redis.set(keys.auditDueCount, 1)
  const [first] = await redis.xrangeBuffer(keys.audit, '-', '+', 'COUNT', 1)
  await redis.del(keys.audit)
  await redis.xadd(keys.audit, '1-0', ...(first?.[1] ?? []))
  for (const keyId of ['other', 'last']) await noteInAudit(store, created(keyId))
  const log = createAuditLog(store, SECRET)
  await log.chain()
  t.match(await log.verify(), { isSound: true, head: { number: 3 } })

  const [one, , three] = await redis.xrangeBuffer(keys.audit, '-', '+')
  await redis.del(keys.audit)
  for (const [i, entry] of [one, past, three].entries()) await redis.xadd(keys.audit, `${i + 1}-0`, ...(entry?.[1] ?? []))

  t.match(await log.verify(), { isSound: false, number: 3, why: 'changed' })
})

t.test('concurrent processes chain every entry once, and the chain verifies', async (t) => {
  const logs = Array.from({ length: 4 }, () => createAuditLog(store, SECRET))
  await Promise.all(
    Array.from({ length: 80 }, async (_, i) => {
      await noteInAudit(store, created(`k${i}`))
      await logs[i % logs.length]?.chain()
    }),
  )

  const acts = await logOf(0).then((log) => log.list(0, 1000))
  t.equal(new Set(acts.map(({ about }) => about['keyId'])).size, 80)
  t.match(await createAuditLog(store, SECRET).verify(), { isSound: true, head: { number: 80 } })
})

t.test('an act and its entry are one step: an act that did not happen has no entry', async (t) => {
  const apiKeys = createApiKeyStore(store)
  const key = { keyId: 'k1aaaaaaaa', orgId: 'o1', scopes: new Set<never>(), secretSha256: '', createdAtMs: 1 }
  await apiKeys.add(key)
  await apiKeys.add(key) // the id is taken
  t.equal(await apiKeys.revoke('k2', 2), undefined)
  await apiKeys.revoke('k1aaaaaaaa', 3)
  await apiKeys.revoke('k1aaaaaaaa', 4)

  const log = createAuditLog(store, SECRET)
  await log.chain()
  t.match(await log.list(0, 10), [
    { number: 1, act: 'key.created', about: { keyId: 'k1aaaaaaaa', orgId: 'o1' }, atMs: 1 },
    { number: 2, act: 'key.revoked', about: { keyId: 'k1aaaaaaaa' }, atMs: 3 },
  ])
  t.equal((await log.list(0, 10)).length, 2)
})

t.test('an act with an interval is recorded once within it', async (t) => {
  for (let i = 0; i < 3; i++) await noteInAudit(store, { ...created('k1aaaaaaaa'), atMs: i }, 60)
  await noteInAudit(store, created('k2'), 60)

  t.equal(await redis.llen(keys.auditDue), 2)
})

t.test('an entry accepts ids and words, and never text that may be a hash', async (t) => {
  const act: AuditAct = 'key.revoked'
  const about = (keyId: string): UncheckedEntry => ({ act, by: 'operator', about: { keyId }, atMs: 0 })
  for (const text of [
    randomBytes(32).toString('hex'),
    `x${randomBytes(32).toString('hex').toUpperCase()}`,
    randomBytes(32).toString('base64url'),
    'a b',
    '{"a":1}',
    '',
    'x'.repeat(161),
  ]) {
    await t.rejects(noteInAudit(store, about(text)), { name: 'RangeError' }, text)
  }
  await t.rejects(noteInAudit(store, { ...about('k'), about: {} }), { name: 'RangeError' })
  await t.rejects(noteInAudit(store, { ...about('k'), about: { keyId: 'k', name: 'k' } }), { name: 'RangeError' })
  t.equal(await redis.llen(keys.auditDue), 0)
})

t.test('a trimmed log verifies from its cut and records the trimming', async (t) => {
  const log = createAuditLog(store, SECRET)
  for (let day = 1; day <= 6; day++) await noteInAudit(store, { ...created(`k${day}`), atMs: day * 1000 })
  const noted = await log.chain()

  t.equal(await log.trim(4000, 'operator', 9000), 3)
  t.equal(await log.trim(4000, 'operator', 9000), 0, 'repeating it trims nothing')
  await log.chain()
  t.same(
    (await log.list(0, 10)).map(({ number, act, about }) => [number, act, about['upTo']]),
    [
      [4, 'key.created', undefined],
      [5, 'key.created', undefined],
      [6, 'key.created', undefined],
      [7, 'audit.trimmed', '3'],
    ],
  )
  t.match(await log.verify(noted), { isSound: true, head: { number: 7 } })
  t.match(await createAuditLog(store, SECRET).verify(), { isSound: true }, 'read by another process')
  const early = { number: 2, mac: Buffer.alloc(32) }
  t.match(await log.verify(early), { isSound: false, why: 'head-trimmed' })
  t.match(await log.verify({ number: 3, mac: Buffer.alloc(32) }), { isSound: false, why: 'head-noted' })

  t.equal(await log.trim(10_000, 'operator', 10_000), 4, 'every entry')
  await log.chain()
  t.match(await log.verify(noted), { isSound: false, why: 'head-trimmed' })
  t.match(await log.verify(), { isSound: true, head: { number: 8 } })
})

t.test('without the secret the cut of a trimmed log cannot be moved or forged', async (t) => {
  const trimmed = async () => {
    await redis.flushall()
    const log = await logOf(6)
    await noteInAudit(store, { ...created('late'), atMs: 5000 })
    await log.chain()
    await log.trim(5000, 'operator', 9000)
    await log.chain()
    return log
  }
  const forgeries: Readonly<Record<string, () => Promise<unknown>>> = {
    'the cut is removed': () => redis.del(keys.auditCut),
    'the cut is moved forward and earlier entries are removed': async () => {
      await redis.setrange(keys.auditCut, 7, Buffer.of(7))
      await redis.xdel(keys.audit, '7-0')
    },
    'the head is used as the cut': async () => {
      const mark = await redis.getBuffer(keys.auditHead)
      await redis.set(keys.auditCut, mark ?? '')
      await redis.del(keys.audit)
    },
    'one more entry is removed': () => redis.xdel(keys.audit, '7-0'),
  }
  for (const [what, forge] of Object.entries(forgeries)) {
    const log = await trimmed()
    t.match(await log.verify(), { isSound: true }, 'before')
    await forge()
    t.equal((await log.verify()).isSound, false, what)
    await t.rejects(log.trim(99_000, 'operator', 99_000), 'a forged log is not trimmed further')
  }
})

t.test('an act that is removed before it is chained leaves a gap that verify and chain report', async (t) => {
  const takenOut: Readonly<Record<string, () => Promise<unknown>>> = {
    'all waiting acts': () => redis.del(keys.auditDue),
    'the last that waits': () => redis.rpop(keys.auditDue),
    'the first that waits': () => redis.lpop(keys.auditDue),
  }
  for (const [what, takeOut] of Object.entries(takenOut)) {
    await redis.flushall()
    const another = await openStore(storeAt(server.socket))
    const log = createAuditLog(another, SECRET)
    for (const keyId of ['k1', 'k2']) await noteInAudit(another, created(keyId))
    await log.chain()
    for (const keyId of ['k3', 'k4']) await noteInAudit(another, created(keyId))
    t.match(await log.verify(), { isSound: true }, 'waiting acts are not missing')
    await takeOut()
    t.match(await log.verify(), { isSound: false, number: 3, why: 'act-missing' }, what)
    await t.rejects(log.chain(), { message: AUDIT_FAULTS['act-missing'] })
    await noteInAudit(another, created('k5'))
    await log.chain().catch(() => {})
    t.match(
      await log.list(2, 10),
      what === 'all waiting acts' ? [{ number: 3, about: { keyId: 'k5' } }] : [{}, {}],
      'the rest is in it',
    )
    t.match(await log.verify(), { isSound: false, why: 'act-missing' }, `${what}, and another act`)
    await another.close()
  }
})

t.test('a count that is set back is detected by the process whose act is missing', async (t) => {
  const another = await openStore(storeAt(server.socket))
  const log = createAuditLog(another, SECRET)
  for (const keyId of ['k1', 'k2']) await noteInAudit(another, created(keyId))
  await redis.del(keys.auditDue, keys.auditDueCount)
  await t.rejects(log.chain(), { message: AUDIT_FAULTS['set-back'] })
  for (const keyId of ['k3', 'k4', 'k5']) await noteInAudit(another, created(keyId))
  await t.rejects(log.chain(), { message: AUDIT_FAULTS['set-back'] }, 'a number that was used twice')
  await another.close()
})
