import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { createApiKey } from '../../src/services/keys/access.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { open, startApi, type World } from '../helpers/canary-world.js'
import { fetchPatiently } from '../helpers/patiently.js'
import { storeAt } from '../helpers/redis.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'
import { runTabir } from '../helpers/tabir.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

async function ngoKey({ redis }: World): Promise<string> {
  const store = await openStore(storeAt(redis.socket))
  const scopes = new Set(['signals:write', 'match', 'feed'] as const)
  const { key } = await createApiKey(createApiKeyStore(store), {
    org: 'ngo',
    kind: 'ngo',
    scopes,
    env: 'test',
    nowMs: Date.now(),
  })
  await store.close()
  return key
}

function envWith(key: string) {
  return { PATH: process.env['PATH'] ?? '', TABIR_API_KEY: key }
}

const tabir = (key: string, ...args: string[]) => runTabir(envWith(key), args)

t.test('an import whose api and command are killed twice ends with the same bank and report', async (t) => {
  const world = await open(t)
  const key = await ngoKey(world)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const folder = mkdtempSync(join(tmpdir(), 'tabir-import-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const lines = Array.from({ length: 12_000 }, (_, i) => (i % 1000 === 500 ? 'pdq 12' : randomHashText()))
  const file = join(folder, 'list.txt.gz')
  writeFileSync(file, gzipSync(lines.join('\n')))

  let api = await startApi(t, world)
  const ask = (path: string, body?: object) =>
    fetchPatiently(`${api.url}${path}`, {
      headers,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
  await ask('/v1/banks', { name: 'list' })
  const taken = async () => {
    const { imports } = (await (await ask('/v1/banks/list/imports')).json()) as { imports?: { lines: number }[] }
    return imports?.[0]?.lines ?? 0 // a refusal has no list: the api may still be stale
  }
  let before = 0
  for (let kills = 0; kills < 2; kills++) {
    const command = spawn(process.execPath, [MAIN, 'import', file, '--bank', 'list', '--url', api.url], {
      env: envWith(key),
    })
    const gone = once(command, 'exit')
    await until(async () => command.exitCode !== null || (await taken()) > before)
    api.process.kill('SIGKILL')
    command.kill('SIGKILL')
    await gone
    api = await startApi(t, world)
    before = await taken()
  }

  const { status, out } = await tabir(key, 'import', file, '--bank', 'list', '--url', api.url)

  t.equal(status, 3, 'some lines were refused')
  t.match(JSON.parse(out), { lines: 12_000, accepted: 11_988, rejected: 12, rejectedFor: { 'hash-malformed': 12 } })
  const { rejections } = JSON.parse(out) as { rejections: { fromLine: number }[] }
  t.same(
    rejections.map(({ fromLine }) => fromLine),
    Array.from({ length: 12 }, (_, i) => i * 1000 + 501),
  )
  const queries = lines.filter((line) => line.length === 64).filter((_, i) => i % 12 === 0)
  const response = await ask('/v1/match', { queries: queries.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) })
  const { results } = (await response.json()) as { results: { matches: unknown[] }[] }
  t.equal(results.filter(({ matches }) => matches.length === 1).length, queries.length, 'each hash matches once')

  t.match(await tabir(key, 'import', join(folder, 'none'), '--bank', 'list', '--url', api.url), { status: 1 })
  t.match(await tabir(key, 'import', file, '--bank', 'nobodys', '--url', api.url), { status: 1, errors: /no such bank/ })
  t.match(await tabir('', 'import', file, '--bank', 'list', '--url', api.url), { status: 2, errors: /API key/ })
  t.match(await tabir(key, 'import', file), { status: 2, errors: /tabir import FILE/ })
})

t.test('an import continues by itself after Redis hangs and restarts, and every hash is there once', async (t) => {
  const world = await open(t)
  const key = await ngoKey(world)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const folder = mkdtempSync(join(tmpdir(), 'tabir-import-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const lines = Array.from({ length: 5000 }, (_, i) => (i % 1000 === 500 ? 'pdq 12' : randomHashText()))
  const file = join(folder, 'list.txt')
  writeFileSync(file, lines.join('\n'))
  const api = await startApi(t, world)
  const ask = (path: string, body?: object) =>
    fetchPatiently(`${api.url}${path}`, {
      headers,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
  await ask('/v1/banks', { name: 'list' })
  const taken = async () => {
    const { imports } = (await (await ask('/v1/banks/list/imports')).json()) as { imports?: { lines: number }[] }
    return imports?.[0]?.lines ?? 0
  }
  const isUnavailable = async () => (await fetch(`${api.url}/health/ready`)).status === 503
  const pid = Number(/process_id:(\d+)/.exec(await world.client.info('server'))?.[1])

  const command = tabir(key, 'import', file, '--bank', 'list', '--url', api.url)
  let isOver = false
  command.then(() => {
    isOver = true
  })
  await until(async () => (await taken()) > 0)
  process.kill(pid, 'SIGSTOP')
  await until(isUnavailable).finally(() => process.kill(pid, 'SIGCONT'))
  const before = await taken()
  await until(async () => isOver || (await taken()) > before) // if this process was slow, the import may have ended
  world.redis.server.kill()
  await until(isUnavailable)
  await world.redis.reopen()
  const { status, out } = await command

  t.equal(status, 3, 'the command was not restarted')
  t.match(JSON.parse(out), { lines: 5000, accepted: 4995, rejected: 5, rejectedFor: { 'hash-malformed': 5 } })
  const back = join(folder, 'back.txt')
  t.equal(
    (await tabir(key, 'export', '--bank', 'list', '--plain', '--format', 'hex', '--out', back, '--url', api.url)).status,
    0,
  )
  t.same(
    readFileSync(back, 'utf8').trim().split('\n').sort(),
    lines.filter((line) => line.length === 64).sort(),
    'each hash once',
  )
})

t.test('a file whose signals were removed can be imported again', async (t) => {
  const service = await startService(t)
  const { key, headers } = await keyFor(service, 'ngo', ['signals:write', 'match', 'feed'], 'ngo')
  const url = `http://127.0.0.1:${await listen(service.app)}`
  const folder = mkdtempSync(join(tmpdir(), 'tabir-import-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'list.txt')
  const hashes = Array.from({ length: 3 }, randomHashText)
  writeFileSync(file, hashes.map((hash) => `pdq ${hash}`).join('\n'))
  const ask = (method: 'POST' | 'DELETE', path: string, payload: object = {}) =>
    service.app.inject({ method, url: path, headers, payload })
  const signalIds = async () => {
    const { body } = await ask('POST', '/v1/banks/list/exports', { format: 'ndjson', plain: true })
    return [...body.matchAll(/"signalId":"([^"]+)"/g)].map(([, id]) => id)
  }
  const found = async () => {
    const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
    const { results } = (await ask('POST', '/v1/match', { queries })).json<{ results: { matches: unknown[] }[] }>()
    return results.map(({ matches }) => matches.length)
  }
  await ask('POST', '/v1/banks', { name: 'list' })
  const importIt = () => tabir(key, 'import', file, '--bank', 'list', '--url', url)

  const first = await importIt()
  t.match(JSON.parse(first.out), { accepted: 3 })
  t.same(await found(), [1, 1, 1])
  for (const id of await signalIds()) t.equal((await ask('DELETE', `/v1/banks/list/signals/${id}`)).statusCode, 204)
  t.same(await found(), [0, 0, 0])

  const second = await importIt()
  t.match({ ...second, ...JSON.parse(second.out) }, { status: 0, accepted: 3 })
  t.same(await found(), [1, 1, 1], 'accepted signals match')
  t.equal((await signalIds()).length, 3, 'each signal once')
})

const withoutJq = spawnSync('jq', ['--version']).status !== 0 && 'no jq on this machine'

t.test(
  'a list in one long line of JSON is refused with a command that makes it importable',
  { skip: withoutJq },
  async (t) => {
    const service = await startService(t)
    const { key, headers } = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
    await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'list' } })
    const url = `http://127.0.0.1:${await listen(service.app)}`
    const hashes = Array.from({ length: 5000 }, randomHashText)
    const lists = { texts: hashes, objects: hashes.map((hash) => ({ type: 'pdq', hash })) }
    for (const [name, list] of Object.entries(lists)) {
      const folder = t.testdir({ 'list.json': JSON.stringify(list), 'short.txt': 'pdq 12\n' })
      const into = async (file: string) => {
        const ran = await tabir(key, 'import', join(folder, file), '--bank', 'list', '--url', url)
        return { ...ran, report: JSON.parse(ran.out) }
      }
      const refused = await into('list.json')
      t.match(refused, { status: 3, report: { rejectedFor: { 'record-too-long': 1 } } }, name)
      const command = /jq .*/.exec(refused.errors)?.[0] ?? 'false'
      execFileSync('sh', ['-c', command], { cwd: folder })
      t.match(await into('list.ndjson'), { status: 0, report: { accepted: 5000, rejected: 0 } }, name)
      t.notMatch((await into('short.txt')).errors, 'jq', 'no advice about other reasons')
    }
  },
)
