import { availableParallelism } from 'node:os'
import t from 'tap'
import { environmentFor, readConfig } from '../src/boot/config.js'
import { OPERATOR } from './helpers/operator-settings.js'

t.test('an empty environment gives the documented defaults', async (t) => {
  t.same(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    dataDir: './data',
    redisUrl: undefined,
    redisSocket: undefined,
    redisServerBin: undefined,
    npmRedis: 'on',
    searchPath: '',
    handoffHost: '127.0.0.1',
    handoffPort: 0,
    maxImageBytes: 20 * 1024 * 1024,
    maxImagesPerRequest: 20,
    maxInFlightBytes: 256 * 1024 * 1024,
    hashers: availableParallelism(),
    hasherMemoryMb: 1536,
    maxInFlightVideoBytes: 400 * 1024 * 1024,
    videoHashers: 1,
    heic: 'on',
    sealKeys: undefined,
    snapshotIntervalS: 900,
    caseRetentionDays: 365,
    auditKeepDays: 400,
    withdrawalsKeepDays: 400,
    eraseIntervalS: 900,
    maxImagesPerCase: 10_000,
    maxImagesPerNewCase: undefined,
    maxUnattestedHashesPerDay: undefined,
    maxSignalsPerOrgPerDay: 0,
    maxWatchesPerOrg: 250_000,
    proofRounds: 0,
    extendedProtection: 'on',
    country: undefined,
    pageExitUrl: 'https://www.wikipedia.org/',
    operator: undefined,
    platformNames: [],
    noticeContacts: [],
    pageBanner: '',
    contactName: undefined,
    contactLink: undefined,
    corsOrigins: [],
    trustedProxies: undefined,
    tlsFiles: undefined,
    exposure: 'private',
    feedDelay: { minMs: 60_000, maxMs: 3_600_000 },
    probing: 'notify',
    gateTier: 'ngo-attested',
    maxQueriesPerOrgPerDay: 0,
    webhookOrigins: new Set(),
    fetchFrom: undefined,
    exchangesFile: undefined,
    apiKey: undefined,
    logLevel: 'info',
    logSample: 1,
    env: 'live',
  })
})

t.test('every variable reaches its setting', async (t) => {
  const config = readConfig({
    TABIR_HOST: '::1',
    TABIR_PORT: '0',
    TABIR_DATA_DIR: '/srv/tabir',
    REDIS_URL: 'rediss://user:secret@redis.example:6380/2',
    TABIR_REDIS_BIN: '/opt/valkey-server',
    TABIR_NPM_REDIS: 'off',
    PATH: '/bin:/usr/bin',
    TABIR_HANDOFF_HOST: '0.0.0.0',
    TABIR_HANDOFF_PORT: '8081',
    TABIR_MAX_IMAGE_BYTES: '1000',
    TABIR_MAX_IMAGES_PER_REQUEST: '3',
    TABIR_MAX_INFLIGHT_BYTES: '5000',
    TABIR_HASHERS: '7',
    TABIR_HASHER_MEMORY_MB: '512',
    TABIR_MAX_INFLIGHT_VIDEO_BYTES: '2000000',
    TABIR_VIDEO_HASHERS: '3',
    TABIR_HEIC: 'off',
    TABIR_SEAL_KEYS: 'new:AAAA+/==,old:BBBB\n',
    TABIR_WITHDRAWALS_DIR: '/mnt/withdrawals',
    TABIR_SNAPSHOT_INTERVAL_S: '60',
    TABIR_CASE_RETENTION_DAYS: '30',
    TABIR_AUDIT_KEEP_DAYS: '90',
    TABIR_WITHDRAWALS_KEEP_DAYS: '0',
    TABIR_ERASE_INTERVAL_S: '5',
    TABIR_MAX_IMAGES_PER_CASE: '50',
    TABIR_MAX_SIGNALS_PER_ORG_PER_DAY: '1000',
    TABIR_MAX_WATCHES_PER_ORG: '77',
    TABIR_PROOF_ROUNDS: '100',
    TABIR_EXTENDED_PROTECTION: 'on',
    TABIR_COUNTRY: 'MY',
    TABIR_PAGE_EXIT_URL: 'https://weather.example/',
    TABIR_OPERATOR_NAME: 'Runners',
    TABIR_OPERATOR_LINK: 'https://runners.example',
    TABIR_OPERATOR_COUNTRY: 'SG',
    TABIR_OPERATOR_AUTHORITY: 'The Commissioner',
    TABIR_PLATFORM_NAMES: 'Ruang, Pasar Kita',
    TABIR_NOTICE_CONTACTS: 'Pusat Satu, Pusat Dua',
    TABIR_PAGE_BANNER: 'News of a breach.',
    TABIR_CONTACT_NAME: 'Helpers',
    TABIR_CONTACT_LINK: 'tel:+60312345678',
    TABIR_CORS_ORIGINS: 'https://a.example,http://b.example:81',
    TABIR_TRUST_PROXY: '10.0.0.1, 10.1.0.0/16',
    TABIR_TLS_CERT: '/cert.pem',
    TABIR_TLS_KEY: '/key.pem',
    TABIR_EXPOSURE: 'public',
    TABIR_FEED_DELAY_MINUTES: '5',
    TABIR_GATE_TIERS: 'verified',
    TABIR_MAX_QUERIES_PER_ORG_PER_DAY: '9000',
    TABIR_WEBHOOK_ORIGINS: 'http://10.0.0.5:8000,https://Hooks.internal:443',
    TABIR_FETCH_FROM: 'https://Media.example:443, http://10.0.0.6:9000',
    TABIR_EXCHANGES_FILE: '/etc/tabir/exchanges.json',
    TABIR_API_KEY: 'tabir_test_key',
    TABIR_URL: 'https://tabir.example',
    TABIR_LOG_LEVEL: 'silent',
    TABIR_LOG_SAMPLE: '0.01',
    TABIR_ENV: 'test',
  })

  t.same(config, {
    host: '::1',
    port: 0,
    dataDir: '/srv/tabir',
    redisUrl: 'rediss://user:secret@redis.example:6380/2',
    redisSocket: undefined,
    redisServerBin: '/opt/valkey-server',
    npmRedis: 'off',
    searchPath: '/bin:/usr/bin',
    handoffHost: '0.0.0.0',
    handoffPort: 8081,
    maxImageBytes: 1000,
    maxImagesPerRequest: 3,
    maxInFlightBytes: 5000,
    hashers: 7,
    hasherMemoryMb: 512,
    maxInFlightVideoBytes: 2_000_000,
    videoHashers: 3,
    heic: 'off',
    sealKeys: 'new:AAAA+/==,old:BBBB',
    withdrawalsDir: '/mnt/withdrawals',
    snapshotIntervalS: 60,
    caseRetentionDays: 30,
    auditKeepDays: 90,
    withdrawalsKeepDays: 0,
    eraseIntervalS: 5,
    maxImagesPerCase: 50,
    maxImagesPerNewCase: 200,
    maxUnattestedHashesPerDay: 10_000_000,
    maxSignalsPerOrgPerDay: 1000,
    maxWatchesPerOrg: 77,
    proofRounds: 100,
    extendedProtection: 'on',
    country: 'MY',
    pageExitUrl: 'https://weather.example/',
    operator: { name: 'Runners', link: 'https://runners.example', country: 'SG', authority: 'The Commissioner' },
    platformNames: ['Ruang', 'Pasar Kita'],
    noticeContacts: ['Pusat Satu', 'Pusat Dua'],
    pageBanner: 'News of a breach.',
    contactName: 'Helpers',
    contactLink: 'tel:+60312345678',
    corsOrigins: ['https://a.example', 'http://b.example:81'],
    trustedProxies: ['10.0.0.1', '10.1.0.0/16'],
    tlsFiles: { cert: '/cert.pem', key: '/key.pem' },
    exposure: 'public',
    feedDelay: { minMs: 60_000, maxMs: 300_000 },
    probing: 'limit',
    gateTier: 'verified',
    maxQueriesPerOrgPerDay: 9000,
    webhookOrigins: new Set(['http://10.0.0.5:8000', 'https://hooks.internal']),
    fetchFrom: { reach: 'trusted', trusted: new Set(['https://media.example', 'http://10.0.0.6:9000']) },
    exchangesFile: '/etc/tabir/exchanges.json',
    apiKey: 'tabir_test_key',
    apiUrl: 'https://tabir.example',
    logLevel: 'silent',
    logSample: 0.01,
    env: 'test',
  })
  t.equal(readConfig({ REDIS_SOCKET: '/run/redis.sock' }).redisSocket, '/run/redis.sock')
})

t.test('a variable that is empty counts as not set', async (t) => {
  t.equal(readConfig({ TABIR_PORT: '', TABIR_SEAL_KEYS: '', REDIS_URL: '' }).port, 8080)
})

t.test('one image always fits into the in-flight limit', async (t) => {
  const env = { TABIR_MAX_IMAGE_BYTES: '1000000000' }
  t.equal(readConfig(env).maxInFlightBytes, 1_000_000_000, 'without its own setting')
  t.equal(readConfig({ ...env, TABIR_MAX_INFLIGHT_BYTES: '1000000000' }).maxInFlightBytes, 1_000_000_000)
  t.throws(() => readConfig({ ...env, TABIR_MAX_INFLIGHT_BYTES: '999999999' }), /TABIR_MAX_INFLIGHT_BYTES must be at least/)
})

t.test('each part is given only the variables that it needs', async (t) => {
  const env = {
    PATH: '/bin',
    HOME: '/root',
    AWS_SECRET_ACCESS_KEY: 'x',
    NODE_AUTH_TOKEN: 'x',
    TABIR_SEAL_KEYS: 'a:AAAA',
    TABIR_HASHERS: '2',
    TABIR_PORT: '1',
    REDIS_URL: 'redis://elsewhere',
  }

  t.same(environmentFor('api', { socket: '/s' }, { ...env, REDIS_URL: undefined }), {
    PATH: '/bin',
    HOME: '/root',
    TABIR_SEAL_KEYS: 'a:AAAA',
    TABIR_PORT: '1',
    REDIS_SOCKET: '/s',
  })
  t.same(environmentFor('workers', { url: 'redis://here' }, env), {
    PATH: '/bin',
    HOME: '/root',
    TABIR_HASHERS: '2',
    REDIS_URL: 'redis://here',
  })
})

t.test('a public api requires proof of work and limits new cases, unless the operator sets otherwise', async (t) => {
  const of = (env: Record<string, string>) => {
    const { proofRounds, maxImagesPerNewCase, maxUnattestedHashesPerDay } = readConfig({ ...OPERATOR, ...env })
    return [proofRounds, maxImagesPerNewCase, maxUnattestedHashesPerDay]
  }
  t.same(of({}), [0, undefined, undefined])
  t.same(of({ TABIR_EXPOSURE: 'public', TABIR_TRUST_PROXY: 'none' }), [1000, 200, 10_000_000])
  const own = {
    TABIR_EXPOSURE: 'public',
    TABIR_TRUST_PROXY: 'none',
    TABIR_PROOF_ROUNDS: '0',
    TABIR_MAX_IMAGES_PER_NEW_CASE: '9',
    TABIR_MAX_UNATTESTED_HASHES_PER_DAY: '99',
  }
  t.same(of(own), [0, 9, 99])
})
