// Backups and restores that are killed and started again with the same command.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startRedis } from '../helpers/redis.js'
import { keyFor, startService, submitted } from '../helpers/service.js'
import { beginTabir, SEAL_KEY, tabir } from '../helpers/tabir.js'

const POLL_MS = 2

async function world(t: Test) {
  const place = mkdtempSync(join(tmpdir(), 'tabir-killed-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const withdrawalsFolder = join(place, 'withdrawals')
  const service = await startService(t, { sealKey: SEAL_KEY, withdrawalsFolder })
  const file = join(place, 'slow disk', 'backup')
  const env = { REDIS_SOCKET: service.redis.socket, TABIR_DATA_DIR: join(place, 'data') }
  return { place, withdrawalsFolder, service, file, env }
}

t.test('an interrupted backup continues with its snapshot where it stopped', async (t) => {
  const { place, service, file, env } = await world(t)
  await submitted(service)
  const broken = await tabir(env, 'backup', file)
  t.equal(broken.status, 1, 'the folder is missing')
  const [copy = ''] = readdirSync(join(place, 'data', 'backing-up'))
  const whole = readFileSync(join(place, 'data', 'backing-up', copy))
  t.notOk(whole.includes('REDIS'), 'the waiting copy is sealed')

  const late = await submitted(service)
  mkdirSync(dirname(file))
  writeFileSync(`${file}.under-way`, whole)
  const made = await tabir(env, 'backup', file)
  t.match(made, { status: 0, row: { revision: 1, goesOn: true, keptBytes: whole.length } }, made.errors)
  t.same(readdirSync(dirname(file)), ['backup'])
  t.same(readdirSync(join(place, 'data', 'backing-up')), [], 'no copy is waiting')
  t.match(await tabir({}, 'backup', 'verify', file), { status: 0, row: { revision: 1 } })

  // The existing part is compared before it is kept.
  const other = `${file}-of-another`
  rmSync(dirname(file), { recursive: true })
  t.equal((await tabir(env, 'backup', other)).status, 1)
  mkdirSync(dirname(file))
  writeFileSync(`${other}.under-way`, whole)
  const next = await tabir(env, 'backup', other)
  t.match(next, { status: 0, row: { revision: 2, goesOn: true, keptBytes: 0 } }, next.errors)
  t.match(await tabir({}, 'backup', 'verify', other), { status: 0, row: { revision: 2 } })
  t.ok(late.hash)
})

t.test('a backup that is killed several times is complete in the end, and not visible before', async (t) => {
  const { place, service, file, env } = await world(t)
  await submitted(service)
  mkdirSync(dirname(file))
  const spool = join(place, 'data', 'backing-up')
  const seen: (() => boolean)[] = [
    () => existsSync(spool),
    () => existsSync(spool) && readdirSync(spool).some((name) => !name.endsWith('.new')),
    () => existsSync(`${file}.under-way`),
  ]
  for (const isTime of seen) {
    const { ran, kill } = beginTabir(env, 'backup', file)
    let ended = false
    ran.then(() => {
      ended = true
    })
    while (!ended && !isTime()) await sleep(POLL_MS)
    kill()
    await ran
    if (!existsSync(file)) continue
    // It finished before the kill, so it must be complete.
    t.equal((await tabir({}, 'backup', 'verify', file)).status, 0)
    rmSync(file)
  }
  const made = await tabir(env, 'backup', file)
  t.match(made, { status: 0, row: { revision: 1 } }, made.errors)
  t.match(await tabir({}, 'backup', 'verify', file), { status: 0, row: { revision: 1 } })
  t.equal(statSync(file).mode & 0o077, 0)
})

t.test('a restore that is killed several times finishes and applies withdrawals since the backup', async (t) => {
  const { place, withdrawalsFolder, service, file, env } = await world(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const kept = await submitted(service)
  const withdrawn = [await submitted(service), await submitted(service), await submitted(service)]
  mkdirSync(dirname(file))
  t.match(await tabir(env, 'backup', file), { status: 0 })
  for (const { url, headers: own } of withdrawn) await service.app.inject({ method: 'DELETE', url, headers: own })
  await service.services.settled()

  const dataDir = join(place, 'restored')
  const progress = join(dataDir, 'restoring', 'progress.json')
  const noted = () => (existsSync(progress) ? readFileSync(progress, 'utf8') : '')
  const restore = ['restore', file, '--withdrawals', withdrawalsFolder]
  for (const word of ['fileId', '"logIsWhole":true', 'revision']) {
    const { ran, kill } = beginTabir({ TABIR_DATA_DIR: dataDir }, ...restore)
    let ended = false
    ran.then(() => {
      ended = true
    })
    while (!ended && !noted().includes(word)) await sleep(POLL_MS)
    kill()
    await ran
    if (existsSync(join(dataDir, 'redis', 'appendonlydir'))) break // it finished before the kill
  }
  if (!existsSync(join(dataDir, 'redis', 'appendonlydir'))) {
    const restored = await tabir({ TABIR_DATA_DIR: dataDir }, ...restore)
    t.match(restored, { status: 0, row: { withdrawalsSince: 'known' } }, restored.errors)
  }
  t.notOk(existsSync(join(dataDir, 'restoring')))

  const second = await startService(t, { redis: await startRedis(t, { dataDir }), sealKey: SEAL_KEY })
  const payload = { queries: [kept, ...withdrawn].map(({ hash }) => ({ signals: [{ type: 'pdq', hash }] })) }
  const response = await second.app.inject({ method: 'POST', url: '/v1/match', payload, headers })
  const { results } = response.json<{ results: { matches: unknown[] }[] }>()
  t.same(
    results.map(({ matches }) => matches.length),
    [1, 0, 0, 0],
  )
})
