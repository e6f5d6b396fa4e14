// The Redis user from the runbook: everything works with its rules, and its password can be replaced while the service runs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { freePorts } from '../helpers/ports.js'
import { startRedis } from '../helpers/redis.js'
import { keyFor, openCase, startService, until } from '../helpers/service.js'
import { runTabir, SEAL_KEY, tabir } from '../helpers/tabir.js'
import { startWorkers } from '../helpers/workers.js'

const RUNBOOK = readFileSync(resolve(import.meta.dirname, '../../../docs/runbook.md'), 'utf8')

/** The rules in the runbook that operators copy. */
function rulesFor(heading: string): string[] {
  const rules = new RegExp(`${heading}[^]*?ACL SETUSER \\w+ on ">[^"]+" (.*)`).exec(RUNBOOK)?.[1]
  if (rules === undefined) throw new Error('the runbook has no rules')
  return rules.replaceAll("'", '').trim().split(/\s+/)
}

t.test('the Redis rules of the runbook deny nothing that Tabir needs, and the password can be rotated', async (t) => {
  const redis = await startRedis(t)
  const operator = new Redis(redis.socket)
  const [port = 0] = await freePorts(1)
  const place = mkdtempSync(join(tmpdir(), 'tabir-user-'))
  t.teardown(() => {
    operator.disconnect()
    rmSync(place, { recursive: true, force: true })
  })
  await operator.config('SET', 'port', port)
  await operator.call('ACL', 'SETUSER', 'tabir', 'on', '>first', ...rulesFor('### Redis credentials'))
  const as = (password: string) => `redis://tabir:${password}@127.0.0.1:${port}`

  const service = await startService(t, { redis, redisUrl: as('first'), sealKey: SEAL_KEY })
  await startWorkers(t, redis, { REDIS_SOCKET: '', REDIS_URL: as('first'), TABIR_ERASE_INTERVAL_S: '1' })
  const key = await keyFor(service, 'platform', ['match'])
  const her = await openCase(service.app)
  const send = async (url: string, headers: Readonly<Record<string, string>>) => {
    const { payload, headers: more } = images([await scene(1)]) // made anew, because the service overwrites what it was sent
    return service.app.inject({ method: 'POST', url, payload, headers: { ...headers, ...more } })
  }
  const added = await send(`${her.url}/images`, her.headers)
  t.equal(added.statusCode, 201, added.body)
  const found = await send('/v1/match/images', key.headers)
  t.match(found.json(), { results: [{ matches: [{ grade: 'exact' }] }] }, found.body)

  // A second password beside the first: processes switch one after the other, then the first is removed.
  await operator.call('ACL', 'SETUSER', 'tabir', '>second')
  const env = { REDIS_URL: as('second'), TABIR_DATA_DIR: place, TABIR_SEAL_KEYS: `test:${SEAL_KEY.toString('base64')}` }
  t.match(await tabir(env, 'backup', join(place, 'backup')), { status: 0 })
  t.match(await tabir(env, 'keys', 'list'), { status: 0 })
  t.match((await runTabir(env, ['doctor'])).out, /the log of Redis is sound/)
  const withdrawn = await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.equal(withdrawn.statusCode, 200)
  const state = async () =>
    (await service.app.inject({ url: her.url, headers: her.headers })).json<{ state?: string }>().state
  await until(async () => (await state()) === 'erased')

  await operator.call('ACL', 'SETUSER', 'tabir', '<first')
  t.match(await tabir({ ...env, REDIS_URL: as('first') }, 'keys', 'list'), { status: 1, errors: /user and password/ })
  t.ok((await openCase(service.app)).token, 'an open connection keeps working')

  const denied = await operator.call('ACL', 'LOG')
  t.same(
    (Array.isArray(denied) ? denied : []).filter((entry) => !String(entry).includes('auth')),
    [],
    'no command and no key was denied',
  )
})
