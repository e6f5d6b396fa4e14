// A restore that was killed near its end, and how a later one treats its leftovers.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { writeBackup } from '../../src/store/upkeep/backup-file.js'
import { startRedis, startStore, storeAt } from '../helpers/redis.js'
import { startService, submitted } from '../helpers/service.js'
import { beginTabir, SEAL_KEY, tabir } from '../helpers/tabir.js'

const POLL_MS = 1

async function world(t: Test) {
  const place = mkdtempSync(join(tmpdir(), 'tabir-left-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const withdrawalsFolder = join(place, 'withdrawals')
  const service = await startService(t, { sealKey: SEAL_KEY, withdrawalsFolder })
  const file = join(place, 'backup')
  const backup = () => tabir({ REDIS_SOCKET: service.redis.socket, TABIR_DATA_DIR: join(place, 'spool') }, 'backup', file)
  const kept = [await submitted(service), await submitted(service), await submitted(service)]
  t.match(await backup(), { status: 0 })
  // A withdrawal after the backup, so that the log is longer.
  const [hers] = kept
  await service.app.inject({ method: 'DELETE', url: hers?.url ?? '', headers: hers?.headers ?? {} })
  const dataDir = join(place, 'data')
  const restore = (from = file) => ['restore', from, '--withdrawals', withdrawalsFolder]
  const ready = async () => {
    const restored = await startService(t, { redis: await startRedis(t, { dataDir }), sealKey: SEAL_KEY })
    return (await restored.app.inject({ url: '/health/ready' })).json<{ images: number }>().images
  }
  return { place, service, file, backup, dataDir, restore, ready }
}

/** The last contents of `progress.json` before the data is put in place. */
async function lastProgress(dataDir: string, ran: Promise<unknown>): Promise<string> {
  const path = join(dataDir, 'restoring', 'progress.json')
  let last = ''
  let ended = false
  ran.finally(() => {
    ended = true
  })
  while (!ended) {
    if (existsSync(path)) last = safely(() => readFileSync(path, 'utf8')) || last
    await sleep(POLL_MS)
  }
  return last
}

function safely(read: () => string): string {
  try {
    return read()
  } catch {
    return '' // it was just removed
  }
}

t.test(
  'a progress file that is left after the data was in place is not used by a later restore',

  async (t) => {
    const { dataDir, restore, ready } = await world(t)
    const first = beginTabir({ TABIR_DATA_DIR: dataDir }, ...restore())
    const left = await lastProgress(dataDir, first.ran)
    t.match(await first.ran, { status: 0 })
    t.match(JSON.parse(left), { logIsWhole: true, revision: Number })
    mkdirSync(join(dataDir, 'restoring'))
    writeFileSync(join(dataDir, 'restoring', 'progress.json'), left)
    renameSync(join(dataDir, 'redis'), join(dataDir, 'lost'))

    const again = await tabir({ TABIR_DATA_DIR: dataDir }, ...restore())
    t.match(again, { status: 0, row: { images: 2, casesEnded: 1 }, errors: /no longer there.*begins at the start/ })
    t.notOk(existsSync(join(dataDir, 'restoring')))
    t.equal(await ready(), 2)
  },
)

t.test(
  'leftovers of another backup, for another folder or with a broken progress file are not continued',

  async (t) => {
    const { service, file, backup, place, dataDir, restore } = await world(t)
    const older = join(place, 'older')
    renameSync(file, older)
    await submitted(service)
    t.match(await backup(), { status: 0 })
    const later = await submitted(service) // withdrawn at once, so that the log is longer than this backup too
    await service.app.inject({ method: 'DELETE', url: later.url, headers: later.headers })
    const beside = join(dataDir, 'restoring')
    // A restore that is refused because logs are missing leaves its data.
    const refused = () => tabir({ TABIR_DATA_DIR: dataDir }, 'restore', older)
    const leave = async () => {
      rmSync(dataDir, { recursive: true, force: true })
      t.match(await refused(), { status: 3, row: { withdrawalsSince: 'unknown' } })
      t.ok(existsSync(join(beside, 'redis', 'appendonlydir')))
      t.notOk(existsSync(join(dataDir, 'redis')), 'nothing is put in place')
    }
    await leave()
    t.match(
      await refused(),
      { status: 3, errors: /^There is no log.*stays in .*restoring/m },
      'the same restore is continued',
    )
    t.match(await tabir({ TABIR_DATA_DIR: dataDir }, ...restore()), {
      status: 0,
      row: { images: 3 },
      errors: /another backup/,
    })

    await leave()
    const elsewhere = join(place, 'elsewhere')
    mkdirSync(elsewhere)
    cpSync(beside, join(elsewhere, 'restoring'), { recursive: true })
    const moved = await tabir({ TABIR_DATA_DIR: elsewhere }, ...restore(older))
    t.match(moved, { status: 0, row: { images: 2 }, errors: /another data folder/ })

    await leave()
    writeFileSync(join(beside, 'progress.json'), '{')
    t.match(await tabir({ TABIR_DATA_DIR: dataDir }, ...restore(older)), {
      status: 0,
      row: { images: 2 },
      errors: /progress file cannot be read/,
    })
  },
)

t.test(
  'a restore that does not load the whole backup fails, and the next one starts from the beginning',

  async (t) => {
    const { dataDir, restore, file } = await world(t)
    const path = join(dataDir, 'restoring', 'progress.json')
    t.match(await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file), { status: 3 })
    const noted = JSON.parse(readFileSync(path, 'utf8'))
    t.match(noted, { backup: { revision: 3, counts: { keys: Number, expiring: Number } } })
    const { revision: _, ...unseen } = noted
    const log = join(dataDir, 'restoring', 'redis', 'appendonlydir')
    const spoil = [
      () => writeFileSync(path, JSON.stringify({ ...unseen, backup: { revision: 3, counts: { keys: 3, expiring: 0 } } })),
      () => writeFileSync(path, JSON.stringify({ ...noted, revision: 99 })),
      // Its log exists and is empty.
      () => {
        rmSync(join(log, 'appendonly.aof.1.base.rdb'))
        writeFileSync(join(log, 'appendonly.aof.manifest'), 'file appendonly.aof.1.incr.aof seq 1 type i\n')
        writeFileSync(path, JSON.stringify(unseen))
      },
    ]
    for (const each of spoil) {
      each()
      t.match(await tabir({ TABIR_DATA_DIR: dataDir }, ...restore()), { status: 1, errors: /did not load the whole backup/ })
      t.notOk(existsSync(join(dataDir, 'redis')))
      t.match(await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', file), { status: 3, errors: /begins at the start/ })
    }
    t.match(await tabir({ TABIR_DATA_DIR: dataDir }, ...restore()), { status: 0, row: { images: 2 } })
  },
)

t.test('a backup of another version leaves no copy behind, and the message is that of a restore', async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'tabir-left-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const { store, redis, socket } = await startStore(t)
  const keyring = makeKeyring([SEAL_KEY])
  await loadSecrets(store, keyring)
  const parts = { store, target: storeAt(socket), keyring, now: Date.now }
  const dataDir = join(place, 'data')
  for (const [format, message] of [
    [1, /is of an older version .* Restore it with the version that made it/],
    [1000, /is of a newer version/],
  ] as const) {
    await redis.hset(keys.format, { written: format, readableFrom: format })
    const path = join(place, `backup ${format}`)
    await writeBackup({ path, folder: join(place, 'spool') }, parts, async () => {})
    t.match(await tabir({ TABIR_DATA_DIR: dataDir }, 'restore', path, '--accept-gap'), { status: 1, errors: message })
    t.notOk(existsSync(join(dataDir, 'restoring')))
  }
})

t.test('a restore that is killed after each of its steps and repeated is complete', async (t) => {
  const { dataDir, restore, ready } = await world(t)
  const beside = join(dataDir, 'restoring')
  const steps = [
    'progress.json',
    'redis/appendonlydir/appendonly.aof.1.base.rdb',
    'redis/appendonlydir/appendonly.aof.manifest',
    'redis/redis.sock',
  ]
  const isInPlace = () => existsSync(join(dataDir, 'redis', 'appendonlydir'))
  for (const step of steps) {
    if (isInPlace()) break // it finished before the kill
    const { ran, kill } = beginTabir({ TABIR_DATA_DIR: dataDir }, ...restore())
    let ended = false
    ran.finally(() => {
      ended = true
    })
    while (!ended && !existsSync(join(beside, step)) && !isInPlace()) await sleep(POLL_MS)
    kill()
    await ran
  }
  if (!isInPlace()) t.match(await tabir({ TABIR_DATA_DIR: dataDir }, ...restore()), { status: 0, row: { images: 2 } })
  t.equal(await ready(), 2)
})
