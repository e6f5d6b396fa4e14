// A withdrawal while the withdrawal log cannot be written, followed by a loss of data.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { keyFor, randomHashText, startService, submitted, until } from '../helpers/service.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'
import { SEAL_KEY, tabir } from '../helpers/tabir.js'
import { ask, matchesOf } from '../helpers/trust.js'

t.test('a restore reports a withdrawal that a full disk did not log, and waits for --accept-gap', SMALL_DISK, async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'tabir-gap-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const disk = smallDisk(t)
  const withdrawalsFolder = join(disk.path, 'withdrawals')
  const service = await startService(t, { sealKey: SEAL_KEY, withdrawalsFolder })
  const { app, log, redis } = service
  const { headers } = await keyFor(service, 'platform', ['match'])
  const hers = await submitted(service)
  const images = Array.from({ length: 300 }, () => ({ signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }] }))
  t.equal((await ask(service, 'POST', `${hers.url}/hashes`, hers.headers, { images })).statusCode, 201)
  const file = join(place, 'backup')
  t.match(await tabir({ REDIS_SOCKET: redis.socket, TABIR_DATA_DIR: join(place, 'spool') }, 'backup', file), { status: 0 })
  t.match((await app.inject({ url: '/health/ready' })).json(), { withdrawals: 'noted' })
  await keyFor(service, 'another', ['match']) // the log gets a record after the backup

  disk.fill()
  const withdrawn = await app.inject({ method: 'DELETE', url: hers.url, headers: hers.headers })
  t.match(withdrawn, { statusCode: 200 }, 'the withdrawal succeeds')
  t.same(await matchesOf(service, headers, hers.hash), [])
  t.match((await app.inject({ url: '/health/ready' })).json(), { ready: true, withdrawals: 'behind' })
  t.match((await app.inject({ url: '/metrics' })).body, /^tabir_withdrawals_not_noted 1$/m)
  t.match(log.join('\n'), /cannot be noted on disk.*TabirWithdrawalsNotNoted/)

  // The process is killed, so only the current contents of its disk are left.
  const dataDir = join(place, 'restored')
  const restore = ['restore', file, '--withdrawals', withdrawalsFolder]
  const refused = await tabir({ TABIR_DATA_DIR: dataDir }, ...restore)
  t.match(refused, { status: 3, row: { withdrawalsSince: 'perhaps-incomplete' }, errors: /have a gap.*--accept-gap/ })
  t.notOk(existsSync(join(dataDir, 'redis')))
  const accepted = await tabir({ TABIR_DATA_DIR: dataDir }, ...restore, '--accept-gap')
  t.match(accepted, { status: 0, row: { withdrawalsSince: 'perhaps-incomplete', images: 301, casesEnded: 0 } })

  disk.empty()
  await keyFor(service, 'one more', ['match']) // adds the missing records
  await until(async () => /^tabir_withdrawals_not_noted 0$/m.test((await app.inject({ url: '/metrics' })).body))
  const again = join(place, 'again')
  const known = await tabir({ TABIR_DATA_DIR: again }, ...restore)
  t.match(
    known,
    { status: 0, row: { withdrawalsSince: 'known', withdrawalsUntil: /Z$/, images: 0, casesEnded: 1 } },
    known.errors,
  )
})
