import t from 'tap'
import { LANGUAGE_TAGS } from '../../src/domain/languages.js'
import { refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService, until } from '../helpers/service.js'

function addHash({ app }: TestService, her: { url: string; headers: Record<string, string> }, hash: string) {
  const payload = { images: [{ signals: [{ type: 'pdq', hash, quality: 80 }], category: 'nude' }] }
  return app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload })
}

async function matchesOf(
  { app }: TestService,
  headers: Record<string, string>,
  hash: string,
): Promise<Record<string, unknown>[]> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/match',
    headers,
    payload: { queries: [{ signals: [{ type: 'pdq', hash }] }] },
  })
  return response.json<{ results: { matches: Record<string, unknown>[] }[] }>().results[0]?.matches ?? []
}

t.test(
  'where the operator says who runs the service, a case is opened only with the version that was agreed to',
  async (t) => {
    const operator = { name: 'Helpers', link: 'https://helpers.example', country: 'MY', authority: 'The Commissioner' }
    const { app, redis } = await startService(t, {
      site: { operator, platformNames: ['Ruang'], banner: 'News <of> a breach' },
    })
    const { notice } = (await app.inject('/v1/privacy')).json<{ notice: { version: string } }>()
    t.match(notice, { operator, retentionDays: 365, platforms: ['Ruang'] })
    for (const lang of LANGUAGE_TAGS)
      for (const url of [`/privacy?lang=${lang}`, `/?lang=${lang}`]) {
        const { body } = await app.inject(url)
        for (const fact of [
          'Helpers',
          'https://helpers.example',
          'The Commissioner',
          'Ruang',
          '365',
          notice.version,
          'News &#60;of&#62; a breach',
        ])
          t.ok(body.includes(fact), `${url}: ${fact}`)
      }
    const open = (consentVersion?: string, at = app) =>
      post(
        at,
        '/v1/cases',
        { adult: true, consentVersion },
        { 'idempotency-key': `a-request-that-agrees-to-${consentVersion}` },
      )
    refused(t, await open(), 'consent-needed')
    refused(t, await open('1-00000000'), 'consent-needed')
    refused(t, await open('yes'), 'request-invalid')
    const { caseNumber, token } = (await open(notice.version)).json<{ caseNumber: string; token: string }>()
    const headers = { authorization: `Bearer ${token}` }
    t.match((await app.inject({ url: `/v1/cases/${caseNumber}`, headers })).json(), { consentVersion: notice.version })
    // The operator moves, and restarts the service.
    const site = { operator: { ...operator, country: 'SG' }, platformNames: ['Ruang'] }
    const other = await startService(t, { redis, site })
    t.match((await open(notice.version, other.app)).json(), { caseNumber }, 'a lost answer is given again')
    t.not((await other.app.inject('/v1/privacy')).json<{ notice: { version: string } }>().notice.version, notice.version)
  },
)

t.test('a case is opened, filled, opened again with its PIN, and withdrawn', async (t) => {
  const service = await startService(t)
  const { app } = service
  const { headers } = await keyFor(service, 'platform', ['match'])
  const opened = await app.inject({ method: 'POST', url: '/v1/cases', payload: { adult: true, category: 'sexual-act' } })
  t.equal(opened.statusCode, 201)
  t.match(opened.json(), { caseNumber: /^TBR(-[0-9A-Z]{4}){3}$/, pin: /^\d{6}$/, token: String, expiresAt: /Z$/ })
  const { caseNumber, pin, recoveryCode } = opened.json<{ caseNumber: string; pin: string; recoveryCode: string }>()

  // Full-width digits, as some keyboards write them.
  const wide = pin.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))
  const spoken = caseNumber.toLowerCase().replaceAll('-', ' ')
  const token = await app.inject({
    method: 'POST',
    url: `/v1/cases/${encodeURIComponent(spoken)}/tokens`,
    payload: { pin: wide },
  })
  t.equal(token.statusCode, 201)
  const her = {
    url: `/v1/cases/${caseNumber}`,
    headers: { authorization: `Bearer ${token.json<{ token: string }>().token}` },
  }
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), {
    caseNumber,
    state: 'open',
    images: 0,
    category: 'sexual-act',
    withdrawnAt: null,
  })

  const hash = randomHashText()
  const added = await addHash(service, her, hash)
  t.equal(added.statusCode, 201)
  t.match(added.json(), { images: [{ imageId: /^[0-9a-f-]{36}$/, quality: 80, state: 'registered' }] })
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), { state: 'active', images: 1 })
  t.match(await matchesOf(service, headers, hash), [
    { grade: 'near', distanceBand: '0', bank: 'cases', category: 'nude', tier: 'self-reported' },
  ])

  const byCode = (await post(app, `${her.url}/tokens`, { pin: recoveryCode })).json<{ token: string }>().token
  const withdrawn = await del(app, her.url, { authorization: `Bearer ${byCode}` })
  t.match(withdrawn.json(), { caseNumber, state: 'withdrawn', images: 1 })
  t.same(await matchesOf(service, headers, hash), [])
  t.match((await app.inject({ url: her.url, headers: her.headers })).json(), {
    state: 'withdrawn',
    images: 0,
    withdrawnAt: /Z$/,
  })
  const late = await addHash(service, her, hash)
  t.match(late.json(), { code: 'case-withdrawn', status: 410 })
})

t.test('registrations and withdrawals reach a second api', async (t) => {
  const one = await startService(t)
  const two = await startService(t, { redis: one.redis })
  const { headers } = await keyFor(one, 'platform', ['match'])
  await until(() => two.services.identify(headers.authorization.slice(7)) !== undefined)
  const her = await openCase(one.app)
  const hash = randomHashText()
  await addHash(one, her, hash)
  await until(async () => (await matchesOf(two, headers, hash)).length === 1)

  await two.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.same(await matchesOf(two, headers, hash), [])
  await until(async () => (await matchesOf(one, headers, hash)).length === 0)

  const three = await startService(t, { redis: one.redis })
  t.same(await matchesOf(three, headers, hash), [], 'an api that starts later does not load it')
})

t.test('concurrent submissions and withdrawals of a case leave nothing that matches', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  for (let round = 0; round < 10; round++) {
    const her = await openCase(service.app)
    const hashes = Array.from({ length: 12 }, randomHashText)
    const submissions = hashes.map((hash) => addHash(service, her, hash))
    const withdrawals = [1, 2].map(() => service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers }))
    const answers = await Promise.all([...submissions, ...withdrawals])
    for (const { statusCode } of answers) t.ok([200, 201, 410].includes(statusCode))
    for (const hash of hashes) t.same(await matchesOf(service, headers, hash), [])
  }
})

t.test('the start fails with the seal key of another deployment and changes nothing', async (t) => {
  const service = await startService(t)
  const her = await openCase(service.app)
  await t.rejects(startService(t, { redis: service.redis, sealKey: Buffer.alloc(32, 8) }), {
    name: 'SealError',
    message: /seal keys do not open/,
  })
  t.equal((await service.app.inject({ url: her.url, headers: her.headers })).statusCode, 200)
})
