import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { keys } from '../../src/cli/keys.js'
import { KEY_PATTERN } from '../../src/services/keys/access.js'
import { refused, withoutInstance } from '../helpers/refusal.js'
import { randomHashText, startService, type TestService, until } from '../helpers/service.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

function tabirFor({ redis }: TestService) {
  const env = { PATH: process.env['PATH'], REDIS_SOCKET: redis.socket, TABIR_ENV: 'test' }
  return (...args: string[]) =>
    new Promise<{ status: number; rows: Record<string, string>[]; errors: string }>((resolve) => {
      const child = execFile(process.execPath, [MAIN, 'keys', ...args], { env }, (_, out, errors) => {
        const rows = out
          .split('\n')
          .filter((line) => line !== '')
          .map((line): Record<string, string> => JSON.parse(line))
        resolve({ status: child.exitCode ?? 1, rows, errors })
      })
    })
}

function ask({ app }: TestService, key = '', remoteAddress = '127.0.0.1') {
  return app.inject({
    method: 'POST',
    url: '/v1/match',
    remoteAddress,
    headers: { authorization: `Bearer ${key}` },
    payload: { queries: [{ signals: [{ type: 'pdq', hash: randomHashText() }] }] },
  })
}

t.test('a key is created, rotated and revoked on every process', async (t) => {
  const service = await startService(t)
  const other = await startService(t, { redis: service.redis })
  const everywhere = [service, other]
  const tabir = tabirFor(service)
  const statusOf = (key = '') => Promise.all(everywhere.map(async (each) => (await ask(each, key)).statusCode))
  const becomes = (key: string | undefined, status: number) =>
    until(async () => (await statusOf(key)).every((each) => each === status))

  const create = ['create', '--org', 'A platform', '--kind', 'platform', '--scopes', 'match']
  const [made] = (await tabir(...create)).rows
  t.match(made?.['key'], KEY_PATTERN)
  t.same(Object.keys(made ?? {}), ['keyId', 'key'])
  const keyId = made?.['keyId'] ?? ''
  await becomes(made?.['key'], 200)

  const today = new Date().toISOString().slice(0, 10)
  await until(async () => (await tabir('list')).rows[0]?.['lastUsedOn'] === today)

  const [successor] = (await tabir('rotate', keyId, '--overlap-hours', '1')).rows
  await becomes(successor?.['key'], 200)
  await becomes(made?.['key'], 200)
  const [listed] = (await tabir('list')).rows.filter((row) => row['keyId'] === keyId)
  const endsInMs = Date.parse(listed?.['expiresAt'] ?? '') - Date.now()
  t.ok(endsInMs > 3_500_000 && endsInMs <= 3_600_000, 'the old key ends after the overlap')

  const [last] = (await tabir('rotate', successor?.['keyId'] ?? '', '--overlap-hours', '0')).rows
  await becomes(last?.['key'], 200)
  await becomes(successor?.['key'], 401)

  t.match(await tabir('revoke', keyId), { status: 0 })
  await becomes(made?.['key'], 401)
  t.match(await tabir('revoke', keyId), { status: 2, errors: 'There is no such key.\n' })
  t.match(await tabir('rotate', keyId), { status: 2, errors: 'There is no such key.\n' })
  for (const verb of ['suspend', 'restore'])
    t.match(await tabir(verb, keyId), { status: 2, errors: 'There is no such key.\n' })

  const expired = withoutInstance((await ask(service, successor?.['key'])).body)
  t.same(withoutInstance((await ask(service, made?.['key'])).body), expired, 'expired and revoked look the same')
  const nobodys = `${(made?.['key'] ?? '').slice(0, -1)}${made?.['key']?.endsWith('0') ? '1' : '0'}`
  t.same(withoutInstance((await ask(service, nobodys)).body), expired, 'an unknown key looks the same')
  refused(t, await ask(service), 'key-missing')
})

t.test('a key works only from the networks that it was created for', async (t) => {
  const service = await startService(t)
  const tabir = tabirFor(service)
  const create = ['create', '--org', 'o', '--kind', 'ngo', '--scopes', 'match', '--expires-days', '3']
  const [made] = (await tabir(...create, '--networks', '192.0.2.0/24,2001:db8::/32')).rows
  await until(async () => (await ask(service, made?.['key'], '192.0.2.9')).statusCode === 200)

  refused(t, await ask(service, made?.['key'], '192.0.3.9'), 'key-invalid')
  t.equal((await ask(service, made?.['key'], '2001:db8::9')).statusCode, 200)
  t.match((await tabir('list')).rows, [{ networks: '192.0.2.0/24,2001:db8::/32', expiresAt: /^\d{4}-/ }])
})

t.test('a rotated key and its successor expire no later than the key would have', async (t) => {
  const tabir = tabirFor(await startService(t))
  const create = ['create', '--org', 'o', '--kind', 'ngo', '--scopes', 'match', '--expires-days', '1']
  const [made] = (await tabir(...create)).rows
  const ends = async () => (await tabir('list')).rows.map(({ expiresAt }) => expiresAt)
  const before = await ends()

  await tabir('rotate', made?.['keyId'] ?? '', '--overlap-hours', '48')

  t.same(await ends(), [...before, ...before])
})

t.test('a key is refused after tabir keys suspend, and works again after tabir keys restore', async (t) => {
  const service = await startService(t)
  const tabir = tabirFor(service)
  const [made] = (await tabir('create', '--org', 'o', '--kind', 'ngo', '--scopes', 'match')).rows
  const keyId = made?.['keyId'] ?? ''
  t.match(await tabir('suspend', keyId), { status: 0, rows: [{ keyId, suspended: true }] })
  await until(async () => (await ask(service, made?.['key'])).statusCode === 403)

  t.match(await tabir('restore', keyId), { status: 0, rows: [{ keyId, suspended: false }] })

  await until(async () => (await ask(service, made?.['key'])).statusCode === 200)
  t.notMatch((await tabir('list')).rows, [{ suspendedAt: String }])
})

t.test('invalid arguments of tabir keys exit with status 2 and change nothing', async (t) => {
  const tabir = tabirFor(await startService(t))
  const create = ['create', '--org', 'o', '--kind', 'ngo', '--scopes', 'match']
  t.capture(process.stderr, 'write', () => true)
  for (const args of [
    [],
    ['create'],
    ['create', '--org', ' ', '--kind', 'ngo', '--scopes', 'match'],
    ['create', '--org', 'o', '--kind', 'king', '--scopes', 'match'],
    ['create', '--org', 'o', '--kind', 'ngo'],
    ['create', '--org', 'o', '--kind', 'ngo', '--scopes', ','],
    ['create', '--org', 'o', '--kind', 'ngo', '--scopes', 'match,everything'],
    [...create, '--networks', '10.0.0.0/33'],
    [...create, '--networks', ''],
    [...create, '--expires-days', 'soon'],
    [...create, '--nonsense'],
    ['rotate'],
    ['rotate', 'x', '--overlap-hours', '-1'],
    ['revoke'],
    ['suspend'],
    ['restore'],
  ]) {
    t.equal(await keys(args), 2, args.join(' ')) // in this process, which has no Redis
  }
  t.match(await tabir('create', '--org', 'o'), { status: 2, rows: [], errors: /--kind must be one of/ })
  t.same((await tabir('list')).rows, [])
})
