// Each feed protocol: pages, positions, withdrawals, and rejected records.

import t from 'tap'
import { EXCHANGE_APIS } from '../../src/domain/organisations/exchange.js'
import { randomHashText } from '../helpers/service.js'
import { startPulledFeeds } from './pulled-feeds.js'

const { asked, pulled, ready } = startPulledFeeds(t)
const hashes = Array.from({ length: 40 }, randomHashText)
const [A = '', B = '', C = '', D = ''] = hashes

t.test(
  'StopNCII: pages are read by token, withdrawals take effect, unknown records are rejected with a reason',
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
      page(
        1_625_175_071,
        [
          record(A),
          record(B.toUpperCase()),
          record(C, { signalType: 'VideoTMK' }),
          record(C.slice(32), { signalType: 'VideoMD5' }),
        ],
        'a token/+=',
      ),
      // as in the fixture of StopNCII's own client, the second page goes backwards
      page(1_625_167_824, [record(C, { hashStatus: 'Lost' }), record(D.slice(32)), 7, record(D, { CSPFeedbacks: null })]),
    )
    t.match(first, {
      state: 'waiting',
      failure: undefined,
      pages: 2,
      accepted: 4,
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
    t.equal(asked[0]?.url, '/v1/FetchHashes?startTimestamp=1625175071&pageSize=800', 'the position never goes backwards')
    t.match(second, { removed: 1 })
    t.same(await found(A, B), [0, 1])
    const third = await pull('stopncii', page(1_625_175_072, [record(A)]))
    t.match(third, { accepted: 6 })
    t.same(await found(A), [1], 'found again once it is registered anew')

    const [early = '', unsure = '', over = ''] = hashes.slice(30)
    const others = ['Unknown', 'VideoTMK', 'Text', 'URL'].map((signalType, i) =>
      record(hashes[34 + i] ?? '', { signalType }),
    )
    const statuses = [record(early, { hashStatus: 'Received' }), record(unsure, { hashStatus: 'Unknown' }), record(over)]
    const fourth = await pull('stopncii', page(1_625_175_073, [...statuses, ...others]))
    t.match(fourth, { accepted: 9, rejectedFor: { 'signal-type-unknown': 5 } })
    t.same(await found(early, unsure, over), [1, 1, 1])
    await pull('stopncii', page(1_625_175_074, [record(over, { hashStatus: 'Deleted' })]))
    t.same(await found(over), [0], 'deleted counts as withdrawn')
  },
)

t.test(
  'hash sharing v2: only classifications of adults are taken, tombstones remove, pages stay on our address',
  async (t) => {
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
    t.match(second, { removed: 2 }, 'a tombstone, and a record whose hash changed')
    t.same(await found(one, two, three, five), [0, 1, 1, 0])
    const untimed = page(image('i7', four)).body.replace(/ maxTimestamp="[^"]*"/, '')
    const video = '<video><member id="42">A</member><id>v1</id><classification>NCII</classification></video>'
    const deletedVideo = '<deletedVideo><member id="42">A</member><id>i7</id></deletedVideo>'
    await pull('ncmec', { body: untimed.replace('<videos count="0"/>', `<videos count="1">${video}</videos>`) })
    t.same(await found(four), [1], 'a list without a time, and a video beside it')
    await pull('ncmec', { body: untimed.replace('<videos count="0"/>', `<videos>${deletedVideo}</videos>`) })
    t.equal(
      asked[0]?.url,
      '/hashsharing/v2/entries?from=2024-03-01T00%3A00%3A00Z',
      'continues from the last time stamp received',
    )
    t.same(await found(four), [0], 'a tombstone of either kind')

    await pull('ncmec', page(image('i6', three, 'A1')))
    t.same(await found(three), [0], 'a record that turns out to show a child is removed')

    t.match(await pull('ncmec', page('', 'https://elsewhere.example/v2/entries?')), { failure: 'next-page-outside-feed' })
    t.equal(asked.length, 1, 'the password is not sent elsewhere')
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
      t.match(await pull('ncmec', { body }), { state: 'failed', failure: 'response-invalid' })
  },
)

t.test('two records of one hash are two signals, however long their names; removing one leaves the other', async (t) => {
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

t.test('ThreatExchange: opinions, tags and deletions are applied; the token is not stored', async (t) => {
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
  t.same(await found(four), [0], 'the last opinion is gone')
  await pull('threatexchange', { body: { data: [update('4', four)] } })

  await pull('threatexchange', {
    body: { data: [update('1', one, 'MALICIOUS', [], { should_delete: true }), update('4', four, 'NON_MALICIOUS')] },
  })
  t.match(asked[0]?.url, /start_time=1700000100/)
  t.same(await found(one, four), [0, 0])
  t.match(
    await pull('threatexchange', { body: { data: [], paging: { next: 'http://127.0.0.1:1/v21.0/77/threat_updates/' } } }),
    {
      failure: 'next-page-outside-feed',
    },
  )
})

t.test(
  'Tech Against Terrorism: a password is exchanged for a token, and checkpoints and tombstones are applied',
  async (t) => {
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
    t.match(await pull('tat', { body: { error: 'no' } }), { failure: 'credentials-rejected' })
  },
)

t.test('every protocol was pulled above', async (t) => {
  t.same([...pulled].sort(), [...EXCHANGE_APIS].sort())
})
