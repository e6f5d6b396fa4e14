import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { createRecordKeeping, type RecordKeepingParts } from '../../src/services/records/record-keeping.js'
import { noteInAudit } from '../../src/store/audit/audit.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { withdrawnSince } from '../../src/store/upkeep/withdrawn-since.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { startService, until } from '../helpers/service.js'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 10, 25)
const MARK = '0123456789abcdef'
const ID = '00000000-0000-8000-8000-000000000001'

/** One record for each of `months` months in a row from January 2025, each in its own file. */
function logsOf(t: Test, months: number, backIn?: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-records-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (let month = 0; month < months; month++) {
    const [after, revision] = [month * 10, month * 10 + 10]
    const back = month === backIn ? `${after} ${after} ${MARK} back .\n` : ''
    const name = new Date(Date.UTC(2025, month)).toISOString().slice(0, 7)
    writeFileSync(join(folder, `${name}.log`), `\n${back}${after} ${revision} ${MARK} images ${ID} .\n`)
  }
  const [noted, at] = [String(months * 10).padStart(16, '0'), new Date(NOW_MS).toISOString()]
  writeFileSync(join(folder, 'status'), `whole  ${noted} ${noted} ${MARK} ${at}\n`)
  return folder
}

const namesIn = (folder: string) => readdirSync(folder).sort()

function keepingIn(t: Test, folder: string, parts: Partial<RecordKeepingParts> = {}) {
  const keeping = createRecordKeeping({
    log: { list: async () => [], trim: async () => 0 },
    auditDays: 0,
    withdrawalsFolder: folder,
    withdrawalsDays: 400,
    organisations: { ids: async () => [], removeEnded: async () => {} },
    isOursToday: async () => true,
    dueUntilMs: async () => NOW_MS,
    onError: (error) => t.fail(String(error)),
    ...parts,
  })
  t.teardown(keeping.close)
  return keeping
}

t.test('a withdrawal log is deleted once its whole month is beyond retention, and the newest stays', async (t) => {
  const folder = logsOf(t, 23) // up to November 2026
  const keeping = keepingIn(t, folder)
  await keeping.sweep()
  await keeping.sweep()
  t.same(namesIn(folder).slice(0, 2), ['2025-10.log', '2025-11.log'], 'October ended within the last 400 days')

  t.match(await withdrawnSince([folder], 90), { isWhole: true }, 'it knows all withdrawals since a backup of that age')
  t.match(await withdrawnSince([folder], 89), { isWhole: false }, 'an older backup is not restored without asking')

  const idle = logsOf(t, 1)
  await keepingIn(t, idle).sweep()
  t.same(namesIn(idle), ['2025-01.log', 'status'], 'the newest record is where the next one belongs')
})

t.test('withdrawal logs are kept from the month on in which the store went back', async (t) => {
  const folder = logsOf(t, 23, 3)
  await keepingIn(t, folder).sweep()
  t.same(namesIn(folder).slice(0, 2), ['2025-04.log', '2025-05.log'])
})

t.test('nothing is deleted if clocks disagree, everything is kept, or another process trims today', async (t) => {
  const folder = logsOf(t, 23)
  const before = namesIn(folder)
  const untouched = {
    list: async () => [{ number: 1, act: 'key.created', by: 'operator', about: {}, atMs: 0 }],
    trim: async () => Number(t.fail('nothing is trimmed')),
  }
  await keepingIn(t, folder, { auditDays: 400, log: untouched, dueUntilMs: async () => undefined }).sweep()
  const another = { auditDays: 400, withdrawalsDays: 0, log: untouched }
  await keepingIn(t, folder, { ...another, isOursToday: async () => false }).sweep()
  await keepingIn(t, folder, { ...another, auditDays: 0 }).sweep()
  t.same(namesIn(folder), before)
})

t.test('one of several processes trims the audit log, once a day', async (t) => {
  const redis = await startRedis(t)
  const client = new Redis(redis.socket)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(async () => {
    client.disconnect()
    await store.close()
  })
  const options = { redis, auditKeepDays: 400, now: () => NOW_MS }
  const both = [await startService(t, options), await startService(t, options)]
  const actsOnceThereAre = async (count: number) => {
    const [first] = both
    let acts: readonly { readonly act: string; readonly by: string; readonly about: object }[] = []
    await until(async () => {
      acts = (await first?.services.audit.latest(undefined, 100)) ?? []
      return acts.length === count
    })
    return acts
  }
  const note = (keyId: string, daysAgo: number) =>
    noteInAudit(store, {
      act: 'key.created',
      by: 'operator',
      about: { keyId, orgId: 'o1' },
      atMs: NOW_MS - daysAgo * DAY_MS,
    })
  const sweep = () => Promise.all(both.map(({ services }) => services.sweepRecords()))

  await note('k1', 401)
  await note('k2', 401)
  await note('k3', 399)
  await actsOnceThereAre(3)
  await sweep()
  const acts = await actsOnceThereAre(2)
  t.match(acts, [{ act: 'audit.trimmed', by: 'tabir', about: { upTo: '2' } }, { about: { keyId: 'k3' } }])

  await client.del(keys.auditTrimming)
  await sweep()
  t.equal(await client.exists(keys.auditTrimming), 0, 'where nothing is old, the log is not read to its end')
  t.same(
    both.flatMap(({ log }) => log.filter((line) => line.includes('AuditError'))),
    [],
    'and it is sound',
  )
})
