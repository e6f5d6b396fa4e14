// Environments that prevent the start: what is wrong, misspelt or dangerous is named, and no value is shown.

import t from 'tap'
import { environmentFor, readConfig } from '../src/boot/config.js'
import { OPERATOR } from './helpers/operator-settings.js'

t.test('a wrong environment is refused with the name of every wrong variable and no value', async (t) => {
  const wrong = {
    TABIR_PORT: '70071',
    TABIR_HOST: ' ',
    REDIS_URL: 'http://user:hunter2@redis',
    TABIR_NPM_REDIS: 'perhaps',
    TABIR_MAX_IMAGE_BYTES: '-31337',
    TABIR_HASHERS: '0x77',
    TABIR_CASE_RETENTION_DAYS: '1.75',
    TABIR_AUDIT_KEEP_DAYS: '89',
    TABIR_WITHDRAWALS_KEEP_DAYS: '34',
    TABIR_LOG_SAMPLE: '1.01',
    TABIR_COUNTRY: 'Atlantis',
    TABIR_SEAL_KEYS: 'topsecret',
    TABIR_CORS_ORIGINS: 'https://*.example',
    TABIR_TRUST_PROXY: '10.0.0.0/99',
    TABIR_LOG_LEVEL: 'loudest',
    TABIR_WEBHOOK_ORIGINS: 'http://hooks.example/secret',
    TABIR_FETCH_FROM: 'public,http://media.example/secret',
    TABIR_ENV: 'PROD9',
  }
  const error = catchError(() => readConfig(wrong))

  for (const [name, value] of Object.entries(wrong)) {
    t.match(error, new RegExp(`^ {2}${name} must `, 'm'), name)
    if (value.trim() !== '') t.notOk(error.includes(value), `${name}'s value stays out`)
  }
})

t.test('a misspelt setting is refused, and the most similar one is suggested', async (t) => {
  for (const [wrong, meant] of [
    ['TABIR_PROT', 'TABIR_PORT'],
    ['TABIR_DATADIR', 'TABIR_DATA_DIR'],
    ['TABIR_SEAL_KEY', 'TABIR_SEAL_KEYS'],
    ['TABIR_TRUSTED_PROXY', 'TABIR_TRUST_PROXY'],
    ['TABIR_MAX_IMAGE_SIZE', 'TABIR_MAX_IMAGE_BYTES'],
    ['TABIR_LOGLEVEL', 'TABIR_LOG_LEVEL'],
  ])
    t.match(
      catchError(() => readConfig({ [wrong ?? '']: 'secret' })),
      new RegExp(`^ {2}${wrong} is no setting of Tabir: is ${meant} meant\\?$`, 'm'),
    )
  const strange = catchError(() => readConfig({ TABIR_REDIS_CLUSTER_MODE: 'secret', TABIR_PORT: '-1' }))
  t.match(
    strange,
    /^ {2}TABIR_PORT must .*\n {2}TABIR_REDIS_CLUSTER_MODE is no setting of Tabir$/m,
    'listed with the wrong ones; no setting is similar',
  )
  t.notMatch(strange, 'secret')
  t.ok(readConfig({ TABIR_TPYO: '', TABIR_REDIS_PASSWORD: 'compose’s own', TABIR_TEST_HOSTS: '1', OTHER_PORT: '1' }))
})

t.test('an origin with user and password is refused, since they would be dropped', async (t) => {
  for (const name of ['TABIR_WEBHOOK_ORIGINS', 'TABIR_FETCH_FROM', 'TABIR_CORS_ORIGINS'])
    for (const rest of ['user:hunter2@hooks.example', 'hunter2@hooks.example', 'hooks.example?hunter2', 'a,https://b@c']) {
      const error = catchError(() => readConfig({ [name]: `https://${rest}` }))
      t.match(error, new RegExp(`^ {2}${name} must be .*origins`, 'm'), `${name}, ${rest}`)
      t.notMatch(error, 'hunter2')
    }
})

t.test('a public api must say who runs it, and nobody says half of it', async (t) => {
  const isPublic = { TABIR_EXPOSURE: 'public', TABIR_TRUST_PROXY: 'none' }
  t.throws(() => readConfig(isPublic), /TABIR_OPERATOR_NAME must be set where TABIR_EXPOSURE is public/)
  for (const name of Object.keys(OPERATOR))
    for (const more of [isPublic, {}])
      t.throws(
        () => readConfig({ ...OPERATOR, ...more, [name]: undefined }),
        /TABIR_OPERATOR_NAME must be set together with/,
        name,
      )
  t.match(readConfig({ ...OPERATOR, ...isPublic }).operator, { name: 'Helpers', country: 'MY' })
})

t.test('a public api must name its proxies, and none of them may be everyone', async (t) => {
  const proxiesOf = (text: string) =>
    readConfig({ ...OPERATOR, TABIR_EXPOSURE: 'public', TABIR_TRUST_PROXY: text }).trustedProxies
  for (const unsaid of [{}, { TABIR_TRUST_PROXY: '' }])
    t.throws(
      () => readConfig({ ...OPERATOR, TABIR_EXPOSURE: 'public', ...unsaid }),
      /TABIR_TRUST_PROXY must be set where .* or none/,
    )
  t.same(proxiesOf('none'), [], 'callers connect directly')
  t.same(proxiesOf('10.0.0.0/8, 2001:db8::/32,fc00::/7'), ['10.0.0.0/8', '2001:db8::/32', 'fc00::/7'])
  for (const text of [
    'true',
    '1',
    '*',
    '0.0.0.0/0',
    '0.0.0.0/1,128.0.0.0/1',
    '::/0',
    '2000::/3',
    '::ffff:0:0/96',
    'none,10.0.0.1',
  ])
    t.throws(() => proxiesOf(text), /TABIR_TRUST_PROXY must be addresses or networks/, text)
})

t.test('Node options that could write memory to disk are refused', async (t) => {
  for (const option of [
    '--report-on-fatalerror',
    '--max-old-space-size=99 --heapsnapshot-signal=SIGUSR2',
    '--inspect=0.0.0.0',
    '--heap-prof',
    '--heap_prof',
    '--abort_on_uncaught_exception',
    '--tls-keylog=keys',
    '--tls_keylog=keys',
  ]) {
    t.throws(() => readConfig({ NODE_OPTIONS: option }), /NODE_OPTIONS must not ask for reports/, option)
  }
  t.ok(readConfig({ NODE_OPTIONS: '--max-old-space-size=8192 --import=./x.js' }))
})

t.test('disabled verification of certificates is refused', async (t) => {
  t.throws(() => readConfig({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }), /NODE_TLS_REJECT_UNAUTHORIZED must not switch off/)
  t.ok(readConfig({ NODE_TLS_REJECT_UNAUTHORIZED: '1' }))
  t.notOk('NODE_TLS_REJECT_UNAUTHORIZED' in environmentFor('api', {}, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }))
})

t.test('two targets for Redis at once are refused as ambiguous', async (t) => {
  t.throws(
    () => readConfig({ REDIS_URL: 'redis://localhost', REDIS_SOCKET: '/run/redis.sock' }),
    /REDIS_SOCKET must not be set/,
  )
})

function catchError(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error.message
  }
  return ''
}
