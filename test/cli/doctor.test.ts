import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { z } from 'zod'
import type { RedisFacts } from '../../src/cli/doctor/doctor-facts.js'
import {
  checkApi,
  checkCertificates,
  checkFiles,
  checkHost,
  checkProxies,
  checkRedis,
} from '../../src/cli/doctor/doctor-rules.js'
import { authority } from '../helpers/authority.js'
import { startService } from '../helpers/service.js'
import { ffmpeg as ffmpegHere } from '../helpers/videos.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const Findings = z.array(z.object({ level: z.enum(['ok', 'warn', 'fail']), text: z.string() }))

function doctor(env: Readonly<Record<string, string>>, ...args: string[]) {
  return new Promise<{ status: number; out: string }>((resolve) => {
    const all = { PATH: process.env['PATH'], TABIR_PORT: '1', ...env }
    const child = execFile(process.execPath, [MAIN, 'doctor', ...args], { env: all }, (_, out) =>
      resolve({ status: child.exitCode ?? 1, out }),
    )
  })
}

t.test('tabir doctor reports the state of a deployment without its secrets', async (t) => {
  const { redis } = await startService(t)
  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-doctor-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const keyFile = join(dataDir, 'keys')
  writeFileSync(keyFile, `k1:${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 })
  mkdirSync(join(dataDir, 'withdrawals'))
  const env = {
    REDIS_SOCKET: redis.socket,
    TABIR_DATA_DIR: dataDir,
    TABIR_SEAL_KEY_FILE: keyFile,
    TABIR_PLATFORM_NAMES: 'Ruang',
  }

  const well = await doctor(env)
  t.equal(well.status, 0, well.out)
  t.match(well.out, /^ok {4}the seal keys open what is stored$/m)
  t.match(well.out, /^warn {2}the seal keys lie beside the data/m)
  t.match(well.out, /^ok {4}image decoders/m)
  t.match(well.out, ffmpegHere === undefined ? /^warn {2}there is no ffmpeg/m : /^ok {4}videos are decoded with \//m)
  t.match(well.out, /^warn {2}no workers are alive/m)
  t.match(well.out, /^warn {2}TABIR_TRUST_PROXY is not set/m)
  t.match(well.out, /^warn {2}no native speaker who works with survivors has read the page in en, /m)
  t.match(well.out, /^warn {2}the page names 1 platforms, and 0 have a key to ask with/m)
  t.notMatch(well.out, /FAIL/)
  t.ok(well.out.split('\n').length < 40, 'one page')

  const client = new Redis(redis.socket)
  t.teardown(() => client.disconnect())
  await client.config('SET', 'appendfsync', 'everysec')
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  chmodSync(keyFile, 0o644)
  writeFileSync(keyFile, `k1:${Buffer.alloc(32, 8).toString('base64')}\n`)
  const ill = await doctor(env, '--json')
  t.equal(ill.status, 1)
  const bad = Findings.parse(JSON.parse(ill.out)).flatMap(({ level, text }) => (level === 'fail' ? [text] : []))
  t.equal(bad.length, 3, bad.join('; '))
  t.match(bad.join('\n'), /others may read the seal keys/)
  t.match(bad.join('\n'), /Redis evicts data when memory is full/)
  t.match(bad.join('\n'), /do not open/)
  t.notMatch(ill.out, Buffer.alloc(32, 8).toString('base64'), 'without a secret')
  t.match(await doctor({}, '--nonsense'), { status: 2 })
})

const sound: RedisFacts = {
  kind: 'Redis',
  version: '8.0.2',
  isPrivate: true,
  line: 'socket',
  settings: { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' },
  usedBytes: 1,
  maxBytes: 0,
  logBytes: 1,
  isLogSound: true,
  clockAheadMs: 3,
  workers: { alive: 1, silent: 0 },
  messengers: { alive: 1, silent: 0 },
  lacking: {
    'no-network': 0,
    'no-capabilities': 0,
    'no-new-privileges': 0,
    'no-core-dump': 0,
    'no-bytes-written': 0,
    'node-permissions': 0,
    'no-writable-mounts': 0,
    'no-other-processes': 0,
    'no-secret-files': 0,
    'one-process': 0,
    'few-threads': 0,
  },
  outboxMs: 0,
  eventsWaiting: 0,
}

t.test('each rule of doctor reports its own fault only', async (t) => {
  const levels = (facts: Partial<RedisFacts>) =>
    checkRedis({ ...sound, ...facts }).flatMap(({ level }) => (level === 'ok' ? [] : [level]))
  t.same(levels({}), [])
  t.same(levels({ version: '7.0.15' }), ['warn'])
  t.same(levels({ kind: 'Valkey', version: '7.2.5' }), [])
  t.same(levels({ settings: { appendonly: 'no', appendfsync: 'always' } }), ['fail'])
  t.same(levels({ settings: {} }), ['warn'])
  t.same(levels({ settings: { 'commandlog-request-larger-than': '1048576', 'commandlog-reply-larger-than': '-1' } }), [
    'warn',
  ])
  t.same(levels({ settings: { 'hash-max-listpack-value': '64' } }), ['warn'])
  t.same(levels({ settings: { 'stream-node-max-bytes': '4096' } }), ['warn'])
  t.same(levels({ settings: { 'stream-node-max-bytes': '512' } }), [])
  t.same(levels({ line: 'plain' }), ['fail'])
  t.same(levels({ line: 'tls' }), [])
  t.same(levels({ isLogSound: false }), ['fail'])
  t.same(levels({ usedBytes: 9, maxBytes: 10 }), ['warn'])
  t.same(levels({ clockAheadMs: -2001 }), ['warn'])
  t.same(levels({ workers: { alive: 0, silent: 2 } }), ['warn', 'warn'])
  t.same(levels({ lacking: { ...sound.lacking, 'no-secret-files': 1 } }), ['warn'])
  t.same(levels({ messengers: { alive: 0, silent: 1 }, outboxMs: 90_000 }), ['warn', 'warn'])
  t.same(levels({ eventsWaiting: 3 }), ['fail'])

  const ffmpeg = { binary: '/usr/bin/ffmpeg' }
  const host = { nodeVersion: '22.11.0', decoderError: '', ffmpeg, overcommitMemory: 1, hasSwap: false }
  t.same(new Set(checkHost(host).map(({ level }) => level)), new Set(['ok']))
  t.match(checkHost({ ...host, nodeVersion: '20.20.2' }), [{ level: 'warn' }, {}, {}])
  t.match(checkHost({ ...host, decoderError: 'vips is old' }), [{}, { level: 'fail', text: /vips is old/ }, {}])
  t.match(checkHost({ ...host, ffmpeg: {} })[2], { level: 'warn', text: /apt-get install ffmpeg/ })
  t.match(checkHost({ ...host, ffmpeg: { error: 'it is too old' } })[2], { level: 'fail', text: /too old/ })
  t.equal(checkHost({ ...host, overcommitMemory: 0, hasSwap: true }).length, 5)

  const files = {
    dataDirMode: 0o40700,
    freeBytes: 50e9,
    sizeBytes: 100e9,
    sealKeyFile: undefined,
    withdrawals: { isOnDisk: true, sharesDisk: false },
  }
  const ofFiles = (facts: Partial<Parameters<typeof checkFiles>[0]>, logBytes = 1e9) =>
    checkFiles({ ...files, ...facts }, logBytes).flatMap(({ level }) => (level === 'ok' ? [] : [level]))
  t.same(ofFiles({}), [])
  t.same(ofFiles({}, 45e9), ['fail'])
  t.same(ofFiles({ freeBytes: 5e9 }), ['warn'])
  t.same(ofFiles({ dataDirMode: 0o40755 }), ['warn'])
  t.same(ofFiles({ sealKeyFile: { mode: 0o100600, isBesideData: false } }), [])
  t.same(ofFiles({ sealKeyFile: { mode: 0o100640, isBesideData: true } }), ['fail', 'warn'])
  t.same(ofFiles({ withdrawals: { isOnDisk: true, sharesDisk: true } }), ['warn'])
  const ownDisk = { isOnDisk: true, sharesDisk: false, isBehind: false, freeBytes: 50e9 }
  t.same(ofFiles({ withdrawals: ownDisk }), [])
  t.same(ofFiles({ withdrawals: { ...ownDisk, isBehind: true } }), ['fail'])
  t.same(ofFiles({ withdrawals: { ...ownDisk, freeBytes: 1e6 } }), ['fail'])
  t.match(checkProxies({ trustedProxies: undefined }), [{ level: 'warn' }])
  t.match(checkProxies({ trustedProxies: [] }), [{ level: 'ok', text: /no proxy/ }])
  t.match(checkProxies({ trustedProxies: ['10.0.0.1'] }), [{ level: 'ok', text: /from 10\.0\.0\.1 only/ }])
  t.match(checkApi({ readiness: 503 }), [{ level: 'fail' }])
  t.match(checkApi({ readiness: 503, reason: 'history-diverged' }), [{ level: 'fail', text: /503, history-diverged/ }])
  t.match(checkApi({ readiness: undefined }), [{ level: 'warn' }])
})

t.test('doctor asks an api over TLS and reports the validity of its certificate', async (t) => {
  const { filesFor, certificateFor } = authority(t)
  const { redis, app } = await startService(t, { tls: certificateFor('127.0.0.1') })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { certFile, keyFile } = filesFor('127.0.0.1')
  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-doctor-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { REDIS_SOCKET: redis.socket, TABIR_DATA_DIR: dataDir, TABIR_PORT: port }

  const asked = await doctor({ ...env, TABIR_TLS_CERT: certFile, TABIR_TLS_KEY: keyFile })

  t.match(asked.out, /^ok {4}the api answers and is ready$/m)
  t.match(asked.out, /^warn {2}the certificate of TABIR_TLS_CERT is valid for 1 days: renew it$/m)
  const wrong = await doctor({ ...env, TABIR_TLS_CERT: keyFile, TABIR_TLS_KEY: keyFile })
  t.match(wrong.out, /^FAIL {2}the certificate of TABIR_TLS_CERT cannot be read$/m)
  const setting = 'TABIR_TLS_CERT'
  t.match(checkCertificates([{ setting, expiresAtMs: 0 }], 1), [{ level: 'fail', text: /has expired/ }])
  t.match(checkCertificates([{ setting, expiresAtMs: 100 * 86_400_000 }], 1), [{ level: 'ok' }])
})

t.test('doctor reads from INFO what a Redis without CONFIG does not show', async (t) => {
  const { redis } = await startService(t)
  const operator = new Redis(redis.socket)
  t.teardown(() => operator.disconnect())
  await operator.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await operator.call('ACL', 'SETUSER', 'default', '-config')
  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-doctor-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))

  const { out } = await doctor({ REDIS_SOCKET: redis.socket, TABIR_DATA_DIR: dataDir })

  t.match(out, /^FAIL {2}Redis evicts data when memory is full/m)
  t.match(out, /^warn {2}Redis does not tell all of its settings/m)
})
