import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { shownRedisUrl } from '../../src/store/redis/redis-url.js'
import { startRedis } from '../helpers/redis.js'
import { startService } from '../helpers/service.js'
import { runTabir, SEAL_KEY, tabir } from '../helpers/tabir.js'

const ID = '00000000-0000-4000-8000-000000000000'
/** Every command that works on a store. */
const COMMANDS = [
  'keys create --org NAME --kind platform --scopes match',
  'keys list',
  'keys rotate key',
  'keys revoke key',
  'keys suspend key',
  'keys restore key',
  'keys seal list',
  'cases end TBR-0000-0000-0000',
  'canary plant --bank list',
  'trust disputes',
  `trust show ${ID}`,
  'webhooks list',
  'audit list',
  'audit verify',
  'backup new-backup',
  'doctor',
]

t.test('a command without a store says so and creates nothing', async (t) => {
  const folder = t.testdir({})
  for (const command of COMMANDS) {
    const { status, out, errors } = await runTabir({ PATH: process.env['PATH'] ?? '' }, command.split(' '), folder)
    t.equal(status, 1, command)
    t.match(out + errors, new RegExp(`no store in ${folder}/data, .*npm start`), command)
    t.notMatch(out, /tbr_/, 'no key is printed')
    t.same(readdirSync(folder), [], `${command}: nothing was made`)
  }
})

t.test('a command refuses a Redis that no service has used and writes nothing to it', async (t) => {
  const redis = await startRedis(t)
  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  const folder = t.testdir({})
  for (const command of COMMANDS.filter((each) => each !== 'doctor')) {
    const env = { REDIS_SOCKET: redis.socket, TABIR_SEAL_KEYS: `k1:${SEAL_KEY.toString('base64')}` }
    const { status, errors } = await runTabir(env, command.split(' '), folder)
    t.equal(status, 1, command)
    t.match(errors, new RegExp(`^Store: ${redis.socket}\n.*No service has made a store in this Redis yet`, 's'), command)
    t.equal(await client.dbsize(), 0, `${command}: nothing was written`)
  }
  t.same(readdirSync(folder), [])
})

t.test('every command names its store on standard error', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const { redis } = service
  const make = ['keys', 'create', '--org', 'o', '--kind', 'ngo', '--scopes', 'match']
  const given = await tabir({ REDIS_SOCKET: redis.socket }, ...make)
  t.match(given, { status: 0, errors: `Store: ${redis.socket}\n`, row: { key: /^tbr_/ } })
  t.equal(given.rows.length, 1, 'only the key is printed')

  const joined = await tabir({ TABIR_DATA_DIR: redis.dataDir }, ...make)
  t.match(joined, { status: 0, errors: `Store: ${redis.dataDir}\n` }, 'a data folder with a running service')

  await service.app.close()
  await service.services.close()
  await redis.server.stop()
  t.ok(existsSync(join(redis.dataDir, 'redis')))
  const alone = await tabir({ TABIR_DATA_DIR: redis.dataDir }, 'keys', 'list')
  t.match(alone, { status: 0, errors: `Store: ${redis.dataDir} (no service is running)\n` })
  t.equal(alone.rows.length, 2, 'with the keys created while the service ran')
})

t.test('a command that calls an api names it on standard error', async (t) => {
  const folder = t.testdir({ file: 'a'.repeat(64), receipt: '{}' })
  const url = 'http://127.0.0.1:1'
  for (const command of [
    `export --bank list --plain --url ${url}`,
    `exchange list --url ${url}`,
    `index status --url ${url}`,
    `receipts verify receipt --url ${url}`,
  ]) {
    const ran = await runTabir({ TABIR_API_KEY: 'key' }, command.split(' '), folder)
    t.match(ran, { errors: new RegExp(`^Api: ${url}\n`) }, command)
    t.not(ran.status, 0)
  }
})

t.test('the URL of a Redis is shown without its password', (t) => {
  for (const [url, shown] of [
    ['redis://:se%40cret@redis:6379/1', 'redis://redis:6379/1'],
    ['rediss://user:se@cret@redis', 'rediss://redis'],
    ['redis+sentinel://:secret@a:26379,b:26379/main', 'redis+sentinel://a:26379,b:26379/main'],
    ['redis://127.0.0.1:6379?replicas=1', 'redis://127.0.0.1:6379'],
  ] as const)
    t.equal(shownRedisUrl(url), shown)
  t.end()
})
