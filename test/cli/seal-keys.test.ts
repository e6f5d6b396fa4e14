import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { keyringOf } from '../../src/store/sealing/seal-keys.js'
import { writeSealedFile } from '../../src/store/sealing/sealed-file.js'
import { backupsMade, recordBackup } from '../../src/store/upkeep/backups.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { runTabir } from '../helpers/tabir.js'

t.test('tabir keys seal rotates the key of a running service and retires the old one', async (t) => {
  const redis = await startRedis(t)
  const settings = { dataDir: redis.dataDir, sealKeys: undefined, sealKeyFile: undefined }
  const keyring = (isFirstUse: boolean) => keyringOf(settings, isFirstUse)
  const own = { PATH: process.env['PATH'] ?? '', REDIS_SOCKET: redis.socket }
  const run = async (env: Readonly<Record<string, string>>, ...args: string[]) => {
    const { status, out, errors } = await runTabir({ ...own, ...env }, ['keys', 'seal', ...args])
    return { status, lines: out.split('\n').flatMap((line): unknown[] => (line === '' ? [] : [JSON.parse(line)])), errors }
  }
  const tabir = (...args: string[]) => run({ TABIR_DATA_DIR: redis.dataDir }, ...args)
  const service = await startService(t, { redis, keyring })
  const { headers } = await keyFor(service, 'one')
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'mine' } })
  const hashes = Array.from({ length: 20 }, randomHashText)
  const add = (some: string[]) =>
    service.app.inject({
      method: 'POST',
      url: '/v1/banks/mine/signals',
      headers,
      payload: { signals: some.map((hash) => ({ type: 'pdq', hash, quality: 90 })) },
    })
  t.equal((await add(hashes.slice(0, 10))).statusCode, 201)

  t.match(await tabir('list'), { lines: [{ id: 'k1', active: true, used: true, processes: 1, sealed: { images: 10 } }] })
  t.match(await tabir('retire', 'k1'), { status: 1, errors: /rotate to another/ })
  const place = (name: string) => join(redis.dataDir, name)
  const backup = async (name: string) =>
    t.match(await runTabir({ ...own, TABIR_DATA_DIR: redis.dataDir }, ['backup', place(name)]), { status: 0 }, name)
  await backup('early')
  await writeSealedFile(place('snapshots/index.snapshot'), keyring(false), Buffer.alloc(0), [Buffer.alloc(9)])
  t.match(await tabir('rotate', '--new', 'k2'), {
    status: 0,
    lines: [{ id: 'k2', reencrypted: Number, otherProcesses: 0, log: 'rewritten' }],
  })
  t.equal((await add(hashes.slice(10))).statusCode, 201)
  const listed = await tabir('list')
  t.match(
    listed.lines,
    [
      { id: 'k2', active: true, processes: 1, sealed: { images: 20 } },
      { id: 'k1', active: false, processes: 0, sealed: {} },
    ],
    'the running service seals with the new key',
  )
  const oldRing = readFileSync(join(redis.dataDir, 'seal-keys'), 'utf8').trim().split(',')[1] ?? ''
  await backup('late')
  mkdirSync(place('copies'))
  for (const name of ['early', 'late']) copyFileSync(place(name), place(`copies/${name}`))
  writeFileSync(place('copies/notes.txt'), 'no backup')
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const [early] = await backupsMade(store).then((made) => made.filter(({ path }) => path === place('early')))
  if (early === undefined) throw new Error('it was noted')
  await recordBackup(store, { ...early, host: 'another', path: '/backups/there' })

  const asked = await tabir('retire', 'k1', '--backups', place('copies'))
  t.match(asked, { status: 1, lines: [], errors: /Nothing was changed/ }, 'without a confirmation')
  const told = asked.errors.split('\n').filter((line) => line.startsWith('  '))
  t.same(told.map((line) => line.trim().split(/ on another|,| \(/)[0]).sort(), [
    'backup /backups/there',
    `backup ${place('copies/early')}`,
    `backup ${place('early')}`,
    `snapshot ${place('snapshots/index.snapshot')}`,
  ])
  t.match(readFileSync(join(redis.dataDir, 'seal-keys'), 'utf8'), 'k1:')
  t.match((await tabir('list')).lines, [{ id: 'k2' }, { id: 'k1', used: true }])
  t.match(await tabir('retire', 'k1', '--backups', place('nowhere'), '--yes'), { status: 1, errors: /ENOENT/ })

  t.match(await tabir('retire', 'k1', '--yes'), {
    status: 0,
    lines: [{ id: 'k1', retired: true, backups: 2, snapshots: 1 }],
  })
  t.notMatch(readFileSync(join(redis.dataDir, 'seal-keys'), 'utf8'), 'k1:')

  const second = await startService(t, { redis, keyring })
  const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  for (const { app } of [service, second]) {
    const { results } = (await app.inject({ method: 'POST', url: '/v1/match', headers, payload: { queries } })).json<{
      results: { matches: unknown[] }[]
    }>()
    t.ok(
      results.every(({ matches }) => matches.length === 1),
      'all signals match',
    )
  }
  t.match(await run({ TABIR_SEAL_KEYS: oldRing }, 'list'), { status: 1, lines: [], errors: /not in the ring/ })
  t.match(await run({ TABIR_SEAL_KEYS: oldRing }, 'rotate', '--new', 'k3'), { status: 1, errors: /not in the ring/ })
  for (const args of [
    [],
    ['retire'],
    ['retire', 'k1', 'k2'],
    ['retire', 'k1', '--no'],
    ['rotate', '--new', 'a b'],
    ['list', 'x'],
  ]) {
    t.match(await tabir(...args), { status: 2, errors: /tabir keys seal/ })
  }
})
