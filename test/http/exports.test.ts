import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import t from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const KEYS_OF_AUDIT = '{tabir}:audit*'

const ready = startService(t).then(async (service) => {
  const { app } = service
  const { key, keyId, headers } = await keyFor(service, 'ngo', ['signals:write', 'feed'], 'ngo')
  const operator = await keyFor(service, 'operator', ['admin'], 'operator')
  await app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'list' } })
  const add = async (signals: object[]) => {
    const answer = await app.inject({ method: 'POST', url: '/v1/banks/list/signals', headers, payload: { signals } })
    return answer.json<{ signals: { signalId: string }[] }>().signals.map(({ signalId }) => signalId)
  }
  const get = (payload: object, as = headers) =>
    app.inject({ method: 'POST', url: '/v1/banks/list/exports', headers: as, payload })
  return { service, app, key, keyId, headers, operator: operator.headers, add, get }
})
const [A, B, C, D] = Array.from({ length: 4 }, randomHashText)

t.test('a bank is exported in every format without held signals, and its export can be imported again', async (t) => {
  const { app, headers, operator, add, get } = await ready
  const [a = '', b = '', held = ''] = await add([
    { type: 'pdq', hash: A, quality: 80, ref: 'a', category: 'nude' },
    { type: 'sha256', hash: B },
    { type: 'pdq', hash: C },
  ])
  const hold = await app.inject({ method: 'POST', url: `/v1/signals/${held}/quarantine`, headers: operator })
  t.equal(hold.statusCode < 300, true, hold.body)

  const rows = (await get({ format: 'ndjson', plain: true })).body.trim().split('\n')
  const all = rows.map((row) => JSON.parse(row) as Record<string, unknown>)
  t.same(new Set(all.map(({ signalId }) => signalId)), new Set([a, b, held]))
  t.match(
    all.find(({ signalId }) => signalId === a),
    { type: 'pdq', hash: A, quality: 80, ref: 'a', category: 'nude', tier: 'ngo-attested', disputed: false },
  )
  t.same(
    all.find(({ signalId }) => signalId === held),
    { signalId: held, deleted: true },
  )
  const lines = async (format: string) => (await get({ format, plain: true })).body.trim().split('\n').sort()
  t.same(await lines('hex'), [A])
  t.same(await lines('lines'), [`pdq ${A}`, `sha256 ${B}`])
  t.same(await lines('csv'), [
    `pdq,${A},list,POSITIVE_CLASS,nude`,
    `sha256,${B},list,POSITIVE_CLASS,`,
    'signal_type,signal_str,collab,category,tags',
  ])
  const again = await app.inject({
    method: 'POST',
    url: '/v1/banks/list/imports',
    headers: { ...headers, 'content-type': 'application/x-ndjson' },
    payload: rows.filter((row) => !row.includes('deleted')).join('\n'),
  })
  t.match(again.json(), { accepted: 2, rejected: 0 })
  t.equal((await get({ format: 'ndjson', plain: true })).body.trim().split('\n').length, 3, 'the import added no signal')
})

t.test('a sealed export can be opened by its recipient alone', async (t) => {
  const { get } = await ready
  const identity = await generateX25519Identity()
  const sealed = await get({ format: 'hex', sealTo: await identityToRecipient(identity) })
  t.equal(sealed.statusCode, 200)
  t.notOk(sealed.rawPayload.includes(A ?? ''))
  const opener = new Decrypter()
  opener.addIdentity(identity)
  t.equal(await opener.decrypt(sealed.rawPayload, 'text'), `${A}\n`)
  const other = new Decrypter()
  other.addIdentity(await generateX25519Identity())
  await t.rejects(other.decrypt(sealed.rawPayload))
})

t.test('an export needs a format, the scope and the own bank, and is audited', async (t) => {
  const { service, headers, get, keyId } = await ready
  const stranger = await keyFor(service, 'stranger', ['feed'])
  const writer = await keyFor(service, 'ngo', ['signals:write'])
  refused(t, await get({ format: 'hex' }), 'request-invalid', 'neither sealed nor plain')
  refused(t, await get({ format: 'hex', plain: false }), 'request-invalid')
  refused(t, await get({ format: 'hex', plain: true, sealTo: `age1${'q'.repeat(58)}` }), 'request-invalid', 'both')
  refused(t, await get({ format: 'hex', sealTo: `age1${'q'.repeat(58)}` }, headers), 'request-invalid', 'no recipient')
  refused(t, await get({ format: 'hex', plain: true }, stranger.headers), 'bank-unknown')
  refused(t, await get({ format: 'hex', plain: true }, writer.headers), 'scope-missing')

  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  const log = await store.ask(async (redis) => {
    const names = await redis.keys(KEYS_OF_AUDIT)
    const all = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
    return Buffer.concat(all.filter((dump) => dump !== null)).toString('latin1')
  })
  t.ok(log.includes('signals.exported') && log.includes(`key:${keyId}`), 'audited')
  t.notOk(log.includes(A ?? ''))
})

t.test('tabir export --since lists the signals added and removed since an earlier export', async (t) => {
  const { app, key, headers, add } = await ready
  const folder = mkdtempSync(join(tmpdir(), 'tabir-export-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const url = `http://127.0.0.1:${await listen(app)}`
  const tabir = (...args: string[]) =>
    new Promise<{ status: number | null; out: string; errors: string }>((resolve) => {
      const env = { PATH: process.env['PATH'], TABIR_API_KEY: key }
      const child = execFile(
        process.execPath,
        [MAIN, 'export', '--bank', 'list', '--url', url, ...args],
        { env },
        (_, out, errors) => resolve({ status: child.exitCode, out, errors }),
      )
    })
  const before = join(folder, 'before.ndjson')
  t.match(await tabir('--plain', '--out', before), { status: 0, out: '' })
  const { signalId = '' } = JSON.parse(
    readFileSync(before, 'utf8')
      .split('\n')
      .find((line) => line.includes(A ?? '')) ?? '',
  ) as {
    signalId?: string
  }
  await app.inject({ method: 'DELETE', url: `/v1/banks/list/signals/${signalId}`, headers })
  const [added = ''] = await add([{ type: 'pdq', hash: D }])

  const { status, out } = await tabir('--plain', '--since', before)

  const news = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  t.equal(status, 0)
  t.match(news, [
    { signalId: added, hash: D },
    { signalId, hash: A, deleted: true },
  ])
  t.equal(news.length, 2)
  t.match(await tabir('--plain', '--out', before), { status: 1, errors: /not overwritten/ })
  t.match(await tabir(), { status: 2, errors: /either --plain or --seal-to/ })
  t.match(await tabir('--plain', '--since', join(folder, 'none')), { status: 1, out: '', errors: /cannot be read/ })
  for (const [what, text] of Object.entries({
    hex: `${A}\n`,
    csv: 'type,hash\n',
    cut: readFileSync(before, 'utf8').slice(0, 20),
    image: '\x89PNG\r\n\x1a\n',
  })) {
    writeFileSync(join(folder, what), text)
    t.match(await tabir('--plain', '--since', join(folder, what)), { status: 1, out: '', errors: /not a line of/ }, what)
  }
  const foreign = join(folder, 'foreign')
  writeFileSync(foreign, '{"signalId":"00000000-0000-4000-8000-000000000000"}\n')
  const ofAnother = await tabir('--plain', '--since', foreign, '--out', join(folder, 'delta'))
  t.match(ofAnother, { status: 1, errors: /another bank/ })
  t.notOk(existsSync(join(folder, 'delta')), 'no delta is written for another bank')
})
