// Each block of commands in docs/runbook.md, run as written, in the order of the page, against a service.

import { X509Certificate } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { parseRedisUrl } from '../src/store/redis/redis-url.js'
import { keyringOf } from '../src/store/sealing/seal-keys.js'
import { authority } from './helpers/authority.js'
import { freePorts } from './helpers/ports.js'
import { startRedis } from './helpers/redis.js'
import { post } from './helpers/requests.js'
import { missingFor, type Procedure, type Ran, ROOT, run, said, sections, tabirAt } from './helpers/runbook-commands.js'
import { containerProcedures } from './helpers/runbook-containers.js'
import { keyFor, openCase, randomHashText, startService, until } from './helpers/service.js'
import { certificateAt, startTlsApi } from './helpers/tls-api.js'

t.test('every procedure of the runbook does what it says', { timeout: 900_000 }, async (t) => {
  const place = mkdtempSync(join(tmpdir(), 'tabir-runbook-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  const redis = await startRedis(t)
  symlinkSync(redis.dataDir, join(place, 'data'))
  mkdirSync(join(place, 'backups'))
  const settings = { dataDir: redis.dataDir, sealKeys: undefined, sealKeyFile: undefined }
  const service = await startService(t, {
    redis,
    keyring: (isFirstUse) => keyringOf(settings, isFirstUse),
    withdrawalsFolder: join(redis.dataDir, 'withdrawals'),
  })
  const { app, services } = service
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const ngo = await keyFor(service, 'an NGO', undefined, 'ngo')
  const other = await keyFor(service, 'another', ['match'])
  const boss = await keyFor(service, 'operator', ['admin', 'signals:write'], 'operator')
  const keyFile = join(place, 'operator.key')
  writeFileSync(keyFile, boss.key, { mode: 0o600 })
  for (const name of ['harmless', 'deploy']) symlinkSync(join(ROOT, name), join(place, name))
  await post(app, '/v1/banks', { name: 'mine' }, ngo.headers)
  const bankHash = randomHashText()
  const added = await post(app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash: bankHash }] }, ngo.headers)
  const signal = added.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? ''
  const matches = async (hash: string) => {
    const answer = await post(app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, ngo.headers)
    return answer.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length
  }
  const ca = authority(t)
  const certificate = { certFile: join(place, 'api.pem'), keyFile: join(place, 'api.key') }
  const newFiles = join(place, 'new')
  const first = ca.filesFor('127.0.0.1')
  for (const name of ['certFile', 'keyFile'] as const) copyFileSync(first[name], certificate[name])
  let api: Awaited<ReturnType<typeof startTlsApi>> | undefined
  let webhook = ''
  let number = ''
  const own = await openCase(app)
  const hers = randomHashText()
  const images = [{ signals: [{ type: 'pdq', hash: hers, quality: 100 }] }]
  t.equal((await post(app, `${own.url}/hashes`, { images }, own.headers)).statusCode, 201)
  const tabir = (...args: string[]) => tabirAt(place, { REDIS_SOCKET: redis.socket }, ...args)
  const [port = 0] = await freePorts(1)
  const operator = new Redis(redis.socket)
  t.teardown(() => operator.disconnect())
  const [password, next] = ['first-of-the-user', 'second-of-the-user']
  const credentials = {
    ADMIN_URL: `redis://127.0.0.1:${port}`,
    REDIS_HOST: `127.0.0.1:${port}`,
    PASSWORD: password,
    NEW: next,
    REDIS_SOCKET: '',
  }
  const opens = (word: string) =>
    tabirAt(place, { REDIS_SOCKET: '', REDIS_URL: `redis://tabir:${word}@127.0.0.1:${port}` }, 'keys list')

  const procedures: Readonly<Record<string, readonly Procedure[]>> = {
    'Start and stop': [
      {
        until: /Tabir is ready at/,
        env: { TABIR_DATA_DIR: join(place, 'fresh'), TABIR_PORT: '0', REDIS_SOCKET: '' },
        check: (ran, t) => t.equal(ran.status, 0, 'stops clean'),
      },
    ],
    Certificates: [
      {
        async before() {
          api = await startTlsApi(t, redis.socket, certificate, redis.dataDir)
          const next = { certFile: join(newFiles, 'cert.pem'), keyFile: join(newFiles, 'key.pem') }
          mkdirSync(newFiles)
          const made = ca.filesFor('127.0.0.1')
          for (const name of ['certFile', 'keyFile'] as const) copyFileSync(made[name], next[name])
        },
        env: () => ({
          NEW: newFiles,
          PID: String(api?.child.pid),
          TABIR_TLS_CERT: certificate.certFile,
          TABIR_TLS_KEY: certificate.keyFile,
        }),
        async check(ran, t) {
          t.equal(ran.status, 0, ran.errors)
          const wanted = new X509Certificate(readFileSync(join(newFiles, 'cert.pem'))).fingerprint256
          await until(async () => (await certificateAt(api?.port ?? 0, ca.ca)).fingerprint256 === wanted)
          api?.child.kill()
          t.same(await api?.exited, [0, null])
        },
      },
    ],
    'Keys for callers': [
      { check: said(/"keyId"/) },
      {
        env: { KEYID: other.keyId },
        async check(ran, t) {
          said(/"key"/)(ran, t)
          await until(() => services.identify(other.key) === undefined)
        },
      },
    ],
    'Somebody searches for what is stored': [
      {
        env: { KEYID: ngo.keyId },
        check: ({ status }, t) => t.ok(status <= 1, 'a key that is not suspended stays as it is'),
      },
      { env: { BANK: 'mine' }, check: said(/"signalId"/) },
    ],
    'What waits for you': [
      {
        before: () => tabir('trust', 'dispute', signal, 'harmless-content'),
        check: said(new RegExp(signal)),
      },
      {
        before: () => tabir('trust', 'hold', signal),
        env: { SIGNAL: signal },
        async check(ran, t) {
          said(new RegExp(signal))(ran, t)
          await until(async () => (await matches(bankHash)) === 1)
        },
      },
    ],
    'What is known to be harmless': [
      {
        env: { URL: url, KEY_FILE: keyFile },
        check: said(/"accepted":132,.*"rejected":0/),
      },
    ],
    'A webhook that should not be there': [
      {
        async before() {
          const hook = { url: 'https://hooks.example/', events: ['case.updated'] }
          webhook = (await post(app, '/v1/webhooks', hook, ngo.headers)).json<{ webhookId: string }>().webhookId
        },
        env: () => ({ WEBHOOK: webhook }),
        check: said(/"to":"https:\/\/hooks\.example"[\s\S]*"removed":true/),
      },
    ],
    'What was done': [{ check: said(/"sound":true/) }],
    'A new seal key': [
      {
        env: { BACKUPS: join(place, 'backups') },
        async check(ran, t) {
          said(/"k2"/)(ran, t)
          t.notMatch(await tabir('keys', 'seal', 'list'), { out: /"k1"/ })
          t.equal(await matches(hers), 1)
        },
      },
    ],
    'Redis credentials': [
      {
        before: () => operator.config('SET', 'port', port),
        env: credentials,
        check: async (ran, t) => {
          said(/^OK$/m)(ran, t)
          t.match(await opens(password), { status: 0 })
        },
      },
      { env: credentials, check: said(/"keyId"/) },
      {
        env: credentials,
        check: async (ran, t) => {
          said(/^OK$/m)(ran, t)
          t.match(await opens(password), { status: 1, errors: /password/ })
          t.match(await opens(next), { status: 0 })
        },
      },
    ],
    'Log retention': [
      {
        until: /Tabir is ready at/,
        env: { TABIR_DATA_DIR: join(place, 'sampled'), TABIR_PORT: '0', REDIS_SOCKET: '' },
        check: (ran, t) => t.equal(ran.status, 0, 'takes the setting'),
      },
    ],
    'More than one Redis': [
      {
        check: ({ status, out }: Ran, t) => {
          t.equal(status, 0)
          t.match(parseRedisUrl(/REDIS_URL=(\S+)/.exec(out)?.[1] ?? ''), { address: { kind: 'sentinel' }, replicas: 1 })
        },
      },
    ],
    'Is it well?': [{ env: { URL: url }, check: ({ out }, t) => t.match(out, /Redis[\s\S]*revision/i) }],
    'Erasing what was withdrawn': [{ check: said(/rewriting started|scheduled/) }],
    'Cases that end': [
      {
        async before() {
          number = (await openCase(app)).caseNumber
        },
        env: () => ({ NUMBER: number }),
        check: said(/"state":"open"[\s\S]*"isDryRun":true[\s\S]*"effectiveAt":"[^"]+Z"/),
      },
    ],
    Backup: [{ env: { BACKUPS: join(place, 'backups') }, check: said(/"sizeBytes"/) }],
    ...(await containerProcedures(t, place)),
    Restore: [
      {
        async before() {
          t.equal((await app.inject({ method: 'DELETE', url: own.url, headers: own.headers })).statusCode, 200)
          await app.close()
          await services.close()
          await redis.server.stop()
        },
        env: () => ({ BACKUP: join(place, 'backups', readdirSync(join(place, 'backups'))[0] ?? ''), REDIS_SOCKET: '' }),
        async check(ran, t) {
          said(/"casesEnded":1/)(ran, t)
          t.match(ran.out, /"known"/)
          await redis.reopen()
          const again = await startService(t, { redis, keyring: (isFirstUse) => keyringOf(settings, isFirstUse) })
          const answer = await post(
            again.app,
            '/v1/match',
            { queries: [hers, bankHash].map((hash) => ({ signals: [{ type: 'pdq', hash }] })) },
            ngo.headers,
          )
          const found = answer.json<{ results: { matches: unknown[] }[] }>().results.map((each) => each.matches.length)
          t.same(found, [0, 1], 'later withdrawals are not undone, and the rest is back')
        },
      },
    ],
    'Restore drill': [
      {
        env: () => ({
          BACKUP: join(place, 'backups', readdirSync(join(place, 'backups'))[0] ?? ''),
          WITHDRAWALS: join(redis.dataDir, 'withdrawals'),
          SEAL_KEY_FILE: join(redis.dataDir, 'seal-keys'),
          REDIS_SOCKET: '',
        }),
        check: said(/"withdrawalsSince":"known"[\s\S]*"sound":true[\s\S]*"keyId"/),
      },
      {
        until: /Tabir is ready at/,
        env: { SEAL_KEY_FILE: join(redis.dataDir, 'seal-keys'), REDIS_SOCKET: '' },
        check: (ran, t) => t.equal(ran.status, 0, ran.errors),
      },
      { check: (ran, t) => t.notOk(ran.status !== 0 || existsSync(join(place, 'drill'))) },
    ],
    Upgrade: [
      {
        until: /Tabir is ready at/,
        env: { BACKUPS: join(place, 'backups'), TABIR_PORT: '0' },
        check: (ran, t) => t.match(ran, { status: 0, out: /"sizeBytes"/ }, 'backed up, and started next to the running one'),
      },
    ],
  }

  const page = sections(readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8'))
  for (const { heading, blocks } of page) {
    const own = procedures[heading] ?? []
    await t.test(heading, { timeout: 300_000 }, async (t) => {
      t.equal(blocks.length, own.length, 'each block of commands is run')
      for (const [i, block] of blocks.entries()) {
        const procedure = own[i]
        if (procedure === undefined) continue
        const why = procedure.skip || missingFor(block)
        if (why) {
          t.pass(heading, { skip: why })
          continue
        }
        await procedure.before?.()
        const env = typeof procedure.env === 'function' ? procedure.env() : procedure.env
        await procedure.check(await run(place, block, { REDIS_SOCKET: redis.socket, ...env }, procedure.until), t)
      }
    })
  }
  const named = page.map(({ heading }) => heading)
  t.ok(
    Object.keys(procedures).every((heading) => named.includes(heading)),
    'and no other',
  )
})
