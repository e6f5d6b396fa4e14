import t from 'tap'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { createExchangeStore, type ExchangeState } from '../../src/store/exchange/exchanges.js'
import { openStore } from '../../src/store/redis/client.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { type StandInAnswer, standInServer } from '../helpers/stand-in.js'

const standIn = standInServer()
const { asked } = standIn
const ready = standIn.begin().then(async (base) => {
  const configs = [
    { api: 'stopncii', baseUrl: `${base}/v1`, functionKey: 'fk', subscriptionKey: 'sk' },
    { api: 'ncmec', baseUrl: `${base}/hashsharing`, username: 'u', password: 'p', adultClassifications: ['NCII'] },
    { api: 'threatexchange', baseUrl: `${base}/v21.0`, privacyGroup: '77', accessToken: '12345678|secret' },
    { api: 'tat', baseUrl: `${base}/`, username: 'u', password: 'p&=' },
  ]
  const json = JSON.stringify({ exchanges: configs.map((config) => ({ ...config, name: config.api, bank: config.api })) })
  const service = await startService(t, { exchanges: exchangesIn(json) })
  const { headers } = await keyFor(service, 'operator', ['signals:write', 'match', 'admin'], 'operator')
  for (const { api: name } of configs)
    await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name } })
  const found = async (...hashes: string[]) => {
    const payload = { queries: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
    const response = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
    return response.json<{ results: { matches: unknown[] }[] }>().results.map(({ matches }) => matches.length)
  }
  const pull = async (name: string, ...pages: StandInAnswer[]) => {
    asked.length = 0
    standIn.answerWith(...pages)
    return (await service.services.exchanges.pull(name)).progress
  }
  return { base, service, headers, found, pull }
})
t.teardown(() => standIn.end())

const hashes = Array.from({ length: 40 }, randomHashText)
const [A = '', B = '', C = '', D = ''] = hashes

t.test(
  'StopNCII: pages by token, the place of each kept; withdrawals take effect; what is not known is left out with a reason',
  async (t) => {
    const { found, pull } = await ready
    const record = (hashValue: string, more: object = {}) => ({
      lastModtimestamp: 100,
      signalType: 'ImagePDQ',
      hashValue,
      hashStatus: 'Active',
      caseNumbers: { '0190aaaa-0000-8000-8000-000000000001': 'Active' },
      CSPFeedbacks: [{ source: 'x', feedbackValue: 'Undefined', tags: [] }],
      hashRegions: ['UK'],
      ...more,
    })
    const page = (nextSetTimestamp: number, hashRecords: unknown[], nextPageToken: string | null = null) => ({
      body: {
        count: hashRecords.length,
        nextSetTimestamp,
        nextPageToken,
        hasMoreRecords: nextPageToken !== null,
        hashRecords,
      },
    })
    const first = await pull(
      'stopncii',
      page(1_625_175_071, [record(A), record(B.toUpperCase()), record(C, { signalType: 'VideoMD5' })], 'a token/+='),
      // as in the fixture of its own client, the second page goes backwards
      page(1_625_167_824, [record(C, { hashStatus: 'Lost' }), record(D.slice(32)), 7, record(D, { CSPFeedbacks: null })]),
    )
    t.match(first, {
      state: 'waiting',
      failure: undefined,
      pages: 2,
      accepted: 3,
      refused: 4,
      rejectedFor: { 'signal-type-unknown': 1, 'record-unreadable': 2, 'hash-malformed': 1 },
    })
    t.same(await found(A, B, C, D), [1, 1, 0, 1])
    t.same(
      asked.map(({ url }) => url),
      [
        '/v1/FetchHashes?startTimestamp=10&pageSize=800',
        '/v1/FetchHashes?startTimestamp=10&pageSize=800&nextPageToken=a+token%2F%2B%3D',
      ],
    )
    t.match(asked[0]?.headers, { 'x-functions-key': 'fk', 'ocp-apim-subscription-key': 'sk' })

    const second = await pull('stopncii', page(1_625_175_071, [record(A, { hashStatus: 'Withdrawn' }), record(B)]))
    t.equal(asked[0]?.url, '/v1/FetchHashes?startTimestamp=1625175071&pageSize=800', 'never back in time')
    t.match(second, { removed: 1 })
    t.same(await found(A, B), [0, 1])
    const third = await pull('stopncii', page(1_625_175_072, [record(A)]))
    t.match(third, { accepted: 5 })
    t.same(await found(A), [1], 'and back when it is registered anew')

    const [early = '', unsure = '', over = ''] = hashes.slice(30)
    const others = ['Unknown', 'VideoTMK', 'Text', 'URL'].map((signalType, i) =>
      record(hashes[34 + i] ?? '', { signalType }),
    )
    const statuses = [record(early, { hashStatus: 'Received' }), record(unsure, { hashStatus: 'Unknown' }), record(over)]
    const fourth = await pull('stopncii', page(1_625_175_073, [...statuses, ...others]))
    t.match(fourth, { accepted: 8, rejectedFor: { 'signal-type-unknown': 5 } })
    t.same(await found(early, unsure, over), [1, 1, 1])
    await pull('stopncii', page(1_625_175_074, [record(over, { hashStatus: 'Deleted' })]))
    t.same(await found(over), [0], 'deleted is gone as withdrawn is')
  },
)

t.test(
  'a feed that fails leaves its place; a stale token, circles and another feed’s mark do not stop or mislead a pull',
  async (t) => {
    const { pull, found } = await ready
    const page = (hash: string, token: string | null, more: object = {}) => ({
      body: {
        count: 1,
        nextSetTimestamp: 1_700_000_000,
        nextPageToken: token,
        hasMoreRecords: token !== null,
        hashRecords: [{ signalType: 'ImagePDQ', hashValue: hash, hashStatus: 'Active' }],
        ...more,
      },
    })
    const [one = '', two = '', three = ''] = hashes.slice(4)
    t.match(await pull('stopncii', { status: 401, body: '' }), { state: 'failed', failure: 'not-let-in' })
    t.match(await pull('stopncii', { body: '<html>' }), { state: 'failed', failure: 'answer-unreadable' })
    t.match(await pull('stopncii', page(one, 'next'), { status: 400, body: '' }, { status: 400, body: '' }), {
      state: 'failed',
      failure: 'answer-refused',
    })
    t.same(await found(one), [1], 'what came before is taken')
    const resumed = await pull('stopncii', { status: 404, body: 'your token is old' }, page(two, null))
    t.match(resumed, { state: 'waiting', failure: undefined })
    t.match([asked[0]?.url, asked[1]?.url], [/nextPageToken=next/, /^(?!.*nextPageToken)/])
    t.match(await pull('stopncii', page(three, 'round'), page(three, 'round'), page(three, 'round')), {
      failure: 'goes-in-circles',
    })
    t.ok(asked.length <= 3)
    t.match(await pull('stopncii', { status: 503, body: '', headers: { 'retry-after': '1' } }, page(three, null)), {
      state: 'waiting',
    })
  },
)

t.test('hash sharing v2: classifications of adults alone, tombstones by name, pages under the own address', async (t) => {
  const { found, pull } = await ready
  const [one = '', two = '', three = '', four = '', five = ''] = hashes.slice(8)
  const image = (id: string, pdq: string, classification = 'NCII') =>
    `<image><member id="42">A &amp; B</member><timestamp>2024-01-01T00:00:00Z</timestamp><id>${id}</id>${
      classification && `<classification>${classification}</classification>`
    }<fingerprints><md5>00</md5><pdq>${pdq}</pdq></fingerprints></image>`
  const page = (entries: string, next = '', maxTimestamp = '2024-02-01T10:00:00Z') => ({
    body: `<?xml version="1.0"?><queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><images count="1" maxTimestamp="${maxTimestamp}">${entries}</images><videos count="0"/>${
      next && `<paging><next>${next.replaceAll('&', '&amp;')}</next></paging>`
    }</queryResult>`,
  })
  const first = await pull(
    'ncmec',
    page(
      image('i1', one) + image('i2', two, 'A1') + image('i3', three, '') + image('i4', four.slice(1)),
      '/v2/entries?from=2017-10-20T00:00:00Z&start=2001&size=1000&max=3000',
    ),
    page(image('i5', five), '', '2024-01-01T00:00:00Z'),
  )
  t.match(first, {
    state: 'waiting',
    accepted: 2,
    rejectedFor: { 'minor-declared': 1, 'classification-unlisted': 1, 'hash-malformed': 1 },
  })
  t.same(await found(one, two, three, four, five), [1, 0, 0, 0, 1])
  t.same(
    asked.map(({ url }) => url),
    [
      '/hashsharing/v2/entries?from=2017-10-20T00%3A00%3A00Z',
      '/hashsharing/v2/entries?from=2017-10-20T00:00:00Z&start=2001&size=1000&max=3000',
    ],
  )
  t.equal(asked[0]?.headers['authorization'], `Basic ${Buffer.from('u:p').toString('base64')}`)

  const deleted =
    '<deletedImage><member id="42">A</member><id>i1</id><timestamp>2024-03-01T00:00:00Z</timestamp></deletedImage>'
  const second = await pull('ncmec', page(deleted + image('i5', two) + image('i6', three), '', '2024-03-01T00:00:00Z'))
  t.equal(asked[0]?.url, '/hashsharing/v2/entries?from=2024-02-01T10%3A00%3A00Z')
  t.match(second, { removed: 2 }, 'a tombstone, and a record whose hash became another one')
  t.same(await found(one, two, three, five), [0, 1, 1, 0])
  const untimed = page(image('i7', four)).body.replace(/ maxTimestamp="[^"]*"/, '')
  const video = '<video><member id="42">A</member><id>v1</id><classification>NCII</classification></video>'
  const deletedVideo = '<deletedVideo><member id="42">A</member><id>i7</id></deletedVideo>'
  await pull('ncmec', { body: untimed.replace('<videos count="0"/>', `<videos count="1">${video}</videos>`) })
  t.same(await found(four), [1], 'a list that names no time, and a video beside it')
  await pull('ncmec', { body: untimed.replace('<videos count="0"/>', `<videos>${deletedVideo}</videos>`) })
  t.equal(
    asked[0]?.url,
    '/hashsharing/v2/entries?from=2024-03-01T00%3A00%3A00Z',
    'goes on from the last time that was named',
  )
  t.same(await found(four), [0], 'a tombstone of either kind')

  await pull('ncmec', page(image('i6', three, 'A1')))
  t.same(await found(three), [0], 'what turns out to show a child goes')

  t.match(await pull('ncmec', page('', 'https://elsewhere.example/v2/entries?')), { failure: 'leads-elsewhere' })
  t.equal(asked.length, 1, 'and the password with it does not')
  const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from(
    { length: 9 },
    (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ''};`.repeat(10)}">`,
  ).join('')}]><queryResult><images><image><id>&lol9;</id></image></images></queryResult>`
  for (const body of [
    laughs,
    '<!DOCTYPE queryResult><queryResult><images/></queryResult>',
    '<queryResult><images>',
    '<a>'.repeat(100_000),
    `<queryResult><x>${'y'.repeat(5000)}</x></queryResult>`,
  ])
    t.match(await pull('ncmec', { body }), { state: 'failed', failure: 'answer-unreadable' })
})

t.test('two records of one hash are two signals, however long their names: the end of one leaves the other', async (t) => {
  const { found, pull } = await ready
  const hash = randomHashText()
  const [one, other] = ['a', 'b'].map((letter) => letter.repeat(220))
  const image = (id: string | undefined) =>
    `<image><member id="42">A</member><id>${id}</id><classification>NCII</classification><fingerprints><pdq>${hash}</pdq></fingerprints></image>`
  const gone = `<deletedImage><member id="42">A</member><id>${one}</id></deletedImage>`
  const page = (entries: string) => ({ body: `<queryResult><images>${entries}</images></queryResult>` })
  await pull('ncmec', page(image(one) + image(other)))
  t.same(await found(hash), [2])
  t.match(await pull('ncmec', page(gone)), { state: 'waiting' })
  t.same(await found(hash), [1])
})

t.test('a bank that was made anew under its name is read into from the beginning', async (t) => {
  const { base } = await ready
  const clock = { nowMs: Date.now() }
  const configs = [
    { name: 'again', api: 'stopncii', baseUrl: `${base}/v1`, functionKey: 'f', subscriptionKey: 's', bank: 'again' },
  ]
  const feeds = exchangesIn(JSON.stringify({ exchanges: configs }))
  const service = await startService(t, { exchanges: feeds, now: () => clock.nowMs })
  const { headers, key } = await keyFor(service, 'operator', ['signals:write', 'match', 'admin'], 'operator')
  const caller = service.services.identify(key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  const make = () => service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'again' } })
  const body = { count: 0, nextSetTimestamp: 1_700_000_000, nextPageToken: null, hasMoreRecords: false, hashRecords: [] }
  const pull = async () => {
    asked.length = 0
    standIn.answerWith({ body })
    await service.services.exchanges.pull('again')
    return asked[0]?.url
  }
  await make()
  t.match(await pull(), /startTimestamp=10&/)
  t.match(await pull(), /startTimestamp=1700000000&/)
  await service.services.banks.remove(caller, 'again')
  clock.nowMs += 20_000
  await until(async () => (await make()).statusCode === 201)
  t.match(await pull(), /startTimestamp=10&/)
})

t.test('ThreatExchange: opinions, tags and deletions; the token stays out of what is kept', async (t) => {
  const { base, service, found, pull } = await ready
  const [one = '', two = '', three = '', four = ''] = hashes.slice(14)
  const update = (id: string, indicator: string, status = 'MALICIOUS', tags: unknown = [], more: object = {}) => ({
    id,
    indicator,
    type: 'HASH_PDQ',
    last_updated: 1_700_000_100,
    descriptors: { data: [{ id: '1', owner: { id: '2' }, status, tags, reactions: [] }] },
    ...more,
  })
  const next = `${base}/v21.0/77/threat_updates/?access_token=12345678%7Csecret&limit=100&after=QVFI`
  const first = await pull(
    'threatexchange',
    { body: { data: [update('1', one), update('2', two, 'NON_MALICIOUS'), { id: 9 }], paging: { next } } },
    { body: { data: [], paging: { next: `${next}2` } } },
    { body: { data: [update('3', three, 'MALICIOUS', [{ text: 'child_abuse' }]), update('4', four, 'UNKNOWN')] } },
  )
  t.match(first, {
    state: 'waiting',
    accepted: 2,
    rejectedFor: { 'not-harmful': 1, 'record-unreadable': 1, 'minor-declared': 1 },
  })
  t.same(await found(one, two, three, four), [1, 0, 0, 1])
  t.match(asked[1]?.url, /after=QVFI&access_token=12345678%7Csecret$/)
  const keys = await service.services.exchanges.report('threatexchange')
  t.notMatch(JSON.stringify(keys), 'secret')

  await pull('threatexchange', { body: { data: [update('4', four, '', [], { descriptors: undefined })] } })
  t.same(await found(four), [0], 'nobody says anything of it any more')
  await pull('threatexchange', { body: { data: [update('4', four)] } })

  await pull('threatexchange', {
    body: { data: [update('1', one, 'MALICIOUS', [], { should_delete: true }), update('4', four, 'NON_MALICIOUS')] },
  })
  t.match(asked[0]?.url, /start_time=1700000100/)
  t.same(await found(one, four), [0, 0])
  t.match(
    await pull('threatexchange', { body: { data: [], paging: { next: 'http://127.0.0.1:1/v21.0/77/threat_updates/' } } }),
    {
      failure: 'leads-elsewhere',
    },
  )
})

t.test(
  'a feed that was not read for longer than it tells of what is gone is read anew, and what it names no more goes',
  async (t) => {
    const [kept = '', gone = '', fresh = '', other = ''] = hashes.slice(24)
    const clock = { nowMs: Date.now() }
    const base = await ready.then(({ base }) => base)
    const config = {
      api: 'threatexchange',
      name: 'old',
      bank: 'OLD',
      baseUrl: `${base}/v21.0`,
      privacyGroup: '78',
      accessToken: 'x',
    }
    const service = await startService(t, {
      now: () => clock.nowMs,
      exchanges: exchangesIn(JSON.stringify({ exchanges: [config] })),
    })
    const { headers } = await keyFor(service, 'operator', ['signals:write', 'match'], 'operator')
    await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'OLD' } })
    const found = async (...asked: string[]) => {
      const payload = { queries: asked.map((hash) => ({ signals: [{ type: 'pdq', hash }] })) }
      const response = await service.app.inject({ method: 'POST', url: '/v1/match', headers, payload })
      return response.json<{ results: { matches: unknown[] }[] }>().results.map(({ matches }) => matches.length)
    }
    const update = (id: string, indicator: string) => ({
      id,
      indicator,
      type: 'HASH_PDQ',
      last_updated: 1_700_000_100,
      descriptors: { data: [{ id: '1', owner: { id: '2' }, status: 'MALICIOUS', tags: [], reactions: [] }] },
    })
    const pull = async (...pages: StandInAnswer[]) => {
      asked.length = 0
      standIn.answerWith(...pages)
      return (await service.services.exchanges.pull('old')).progress
    }
    const more = { next: `${base}/v21.0/78/threat_updates/?limit=100&after=QVFI` }
    await service.app.inject({
      method: 'POST',
      url: '/v1/banks/OLD/signals',
      headers,
      payload: { signals: [{ type: 'pdq', hash: other }] },
    })
    await pull({ body: { data: [update('1', kept), update('2', gone)] } })
    clock.nowMs += 80 * 86_400_000
    await pull({ body: { data: [] } })
    t.match(asked[0]?.url, /start_time=/, 'while it is told of what is gone, it goes on where it was')
    t.same(await found(kept, gone), [1, 1])

    clock.nowMs += 86 * 86_400_000
    t.match(
      await pull(
        { body: { data: [update('3', fresh)], paging: more } },
        { status: 400, body: '' },
        { status: 400, body: '' },
      ),
      {
        state: 'failed',
      },
    )
    t.notMatch(asked[0]?.url, /start_time=/)
    t.same(await found(kept, gone, fresh), [1, 1, 1], 'half of it says nothing about the rest')
    t.match(await pull({ body: { data: [update('1', kept)] } }), { state: 'waiting', removed: 1 })
    t.match(asked[0]?.url, /after=QVFI/, 'it is gone on with')
    t.same(await found(kept, gone, fresh, other), [1, 0, 1, 1], 'what people handed in to the same bank stays')
    t.match(await pull({ body: { data: [] } }), { removed: 1 }, 'and that once')
    t.match(asked[0]?.url, /start_time=/)
    t.same(await found(kept, fresh), [1, 1])
  },
)

t.test('Tech Against Terrorism: a token for a password, a checkpoint, tombstones', async (t) => {
  const { found, pull } = await ready
  const [one = '', two = ''] = hashes.slice(20)
  const entry = (id: number, hash_digest: string | null, more: object = {}) => ({
    id,
    hash_digest,
    algorithm: 'PDQ',
    ideology: 'far-right',
    file_type: 'jpg',
    deleted: false,
    updated_on: 1_704_085_200.5,
    created_on: 1_704_085_200.5,
    ...more,
  })
  const page = (checkpoint: string, results: unknown[], next: string | null = null) => ({
    body: { count: 3, next, previous: null, checkpoint, results },
  })
  const login = { body: { user: {}, token: 'jwt.jwt' } }
  await pull(
    'tat',
    login,
    page(
      '1704085200,124',
      [entry(1, one), entry(2, 'ff', { algorithm: 'MD5' }), entry(4, one, { algorithm: '__proto__' })],
      'http://x/',
    ),
    page('1704085201,125', [entry(3, two)]),
  )
  t.match(asked, [
    { url: '/token-auth/tcap/', body: 'username=u&password=p%26%3D&resend=False' },
    { url: '/api/hash-list/v2/all?order=asc&after=', headers: { authorization: 'Bearer jwt.jwt' } },
    { url: '/api/hash-list/v2/all?order=asc&after=1704085200%2C124' },
  ])
  t.same(await found(one, two), [1, 1])
  await pull('tat', login, page('1704085202,126', [entry(1, null, { deleted: true })]))
  t.same(await found(one, two), [0, 1])
  t.match(await pull('tat', { body: { error: 'no' } }), { failure: 'not-let-in' })
})

t.test('a page that costs more to read than any feed gives is refused before it is read', async (t) => {
  const { pull } = await ready
  const stopncii = (records: string) => ({ body: `{"nextSetTimestamp":1700000001,"hashRecords":[${records}]}` })
  const many = (unit: string, count: number) => unit.repeat(count).slice(0, -1)
  const tagged = (tags: string) =>
    `{"data":[{"id":"1","indicator":"x","type":"y","descriptors":{"data":[{"tags":${tags}}]}}]}`
  const costly: Readonly<Record<string, readonly [feed: string, page: StandInAnswer]>> = {
    'a million empty records': ['stopncii', stopncii(many('{},', 1_000_000))],
    'names in one record': ['stopncii', stopncii(`{${many('"a":1,', 300_000)}}`)],
    'lists in lists': ['stopncii', stopncii('['.repeat(100_000) + ']'.repeat(100_000))],
    'tags in tags': ['threatexchange', { body: tagged('['.repeat(20_000) + ']'.repeat(20_000)) }],
    'more records than fit on a page': ['stopncii', stopncii(many('1,', 20_000))],
    elements: ['ncmec', { body: `<r>${'<a/>'.repeat(300_000)}</r>` }],
    attributes: ['ncmec', { body: `<r ${Array.from({ length: 210_000 }, (_, i) => `a${i}=""`).join(' ')}/>` }],
    'more bytes than a page has': ['stopncii', stopncii(`"${'x'.repeat(9 << 20)}"`)],
  }
  for (const [name, [feed, page]] of Object.entries(costly))
    t.match(await pull(feed, page), { state: 'failed', failure: 'answer-unreadable' }, name)
})

t.test('a feed that has no end and is slow lets others have their turn, and is gone on with afterwards', async (t) => {
  const clock = { nowMs: Date.now() }
  const { base } = await ready
  const config = { api: 'stopncii', name: 'slow', bank: 'slow', baseUrl: base, functionKey: 'fk', subscriptionKey: 'sk' }
  const exchanges = exchangesIn(JSON.stringify({ exchanges: [config] }))
  const service = await startService(t, { exchanges, now: () => clock.nowMs })
  const { headers } = await keyFor(service, 'operator', ['signals:write'], 'operator')
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'slow' } })
  const pages = Array.from({ length: 30 }, (_, i) => ({
    body: {
      toJSON() {
        clock.nowMs += 60_000
        return { nextSetTimestamp: 1, nextPageToken: `page ${i}`, hasMoreRecords: true, hashRecords: [] }
      },
    },
  }))
  const pull = async () => (await service.services.exchanges.pull('slow')).progress
  standIn.answerWith(...pages)
  t.match(await pull(), { state: 'pulling', failure: undefined, pages: 10 })
  asked.length = 0
  t.match(await pull(), { pages: 20 })
  t.match(asked[0]?.url, /nextPageToken=page\+9/)
})

t.test('an operator sees how feeds stand and asks for one more pull, which the queue does; nobody else does', async (t) => {
  const { service, headers } = await ready
  const { app } = service
  const list = await app.inject({ url: '/v1/exchanges', headers })
  t.match(list.json(), { exchanges: [{ name: 'stopncii', bank: 'stopncii', intervalS: 300, state: String }, {}, {}, {}] })
  refused(t, await app.inject({ method: 'POST', url: '/v1/exchanges/nobody/pulls', headers }), 'exchange-unknown')
  const before = await service.services.exchanges.report('tat')
  const begunAtMs = Date.now()
  standIn.answerWith() // so that each pull by the clock ends at once
  service.services.beginPulling()
  await until(async () => {
    const all = await service.services.exchanges.list()
    return all.every(({ progress }) => progress?.state === 'failed' && progress.startedAtMs >= begunAtMs)
  })
  standIn.answerWith({ body: { token: 't' } }, { body: { next: null, checkpoint: '9,9', results: [] } })
  const asked = await app.inject({ method: 'POST', url: '/v1/exchanges/tat/pulls', headers })
  t.equal(asked.statusCode, 202, asked.body)
  const pages = before.progress?.pages ?? 0
  await until(async () => ((await service.services.exchanges.report('tat')).progress?.pages ?? 0) > pages)
  const acts = async () => (await app.inject({ url: '/v1/audit?limit=1000', headers })).body
  await until(async () => (await acts()).includes('"exchange.pull-asked"'))
  t.equal((await acts()).split('"exchange.pull-asked"').length, 2, 'once, and not for the feed that there is none of')
  const stranger = await keyFor(service, 'stranger', ['match', 'signals:write'])
  refused(t, await app.inject({ url: '/v1/exchanges', headers: stranger.headers }), 'scope-missing')
})

t.test('of two pulls of one feed, the older one writes nothing more', async (t) => {
  const redis = await startRedis(t)
  const store = await openStore(storeAt(redis.socket))
  t.teardown(() => store.close())
  const exchanges = createExchangeStore(store)
  const older = await exchanges.begin('feed', 'older')
  const progress = {
    state: 'pulling',
    startedAtMs: 1,
    updatedAtMs: 1,
    pages: 0,
    accepted: 0,
    removed: 0,
    refused: 0,
  } as const
  const state = (position: string): ExchangeState => ({
    identity: 'i',
    place: { position, highest: position },
    progress: { ...progress, failure: undefined, caughtUpAtMs: undefined, rejectedFor: {} },
  })
  await exchanges.save('feed', older, state('1'), [])
  const newer = await exchanges.begin('feed', 'newer')
  await exchanges.save('feed', newer, state('3'), [])
  await t.rejects(exchanges.save('feed', older, state('2'), []), { code: 'idempotency-key-busy' })
  t.match(await exchanges.get('feed'), { place: { position: '3' } })
})
