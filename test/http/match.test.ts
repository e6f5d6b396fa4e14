import { randomBytes } from 'node:crypto'
import t from 'tap'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { formatHash, parseHash } from '../../packages/hash/src/hash256.js'
import { keyFor, openCase, randomHashText, startService, type TestService, withBitsFlipped } from '../helpers/service.js'
import { vouchedCase } from '../helpers/trust.js'

interface MatchBody {
  results: { id?: string; matches: Record<string, unknown>[]; problem?: { code: string } }[]
}

type Owned = Pick<Awaited<ReturnType<typeof openCase>>, 'url' | 'headers'>
type Signals = { type: string; hash: string; quality?: number; view?: string }[]

async function register({ app }: TestService, ...images: Signals[]) {
  return registerIn(app, await openCase(app), images)
}

async function registerIn<T extends Owned>(app: TestService['app'], her: T, images: readonly Signals[]) {
  const payload = { images: images.map((signals) => ({ signals: signals.map((signal) => ({ quality: 100, ...signal })) })) }
  const response = await app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload })
  return { ...her, response }
}

async function ask({ app }: TestService, headers: Record<string, string>, payload: object): Promise<MatchBody> {
  const response = await app.inject({ method: 'POST', url: '/v1/match', headers, payload })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json<MatchBody>()
}

const pdq = (hash: string) => ({ signals: [{ type: 'pdq', hash }] })

t.test('a copy at distance 31 matches and one at distance 32 does not', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match', 'match:distance'])
  const hash = randomHashText()
  await register(service, [{ type: 'pdq', hash }])

  const queries = [0, 1, 31, 32].map((bits) => pdq(withBitsFlipped(hash, bits)))
  const { results } = await ask(service, headers, { queries, transforms: false })
  t.match(results, [
    { matches: [{ grade: 'near', distanceBits: 0, distanceBand: '0' }] },
    { matches: [{ grade: 'near', distanceBits: 1, distanceBand: '1-15' }] },
    {
      matches: [
        { grade: 'near', distanceBits: 31, distanceBand: '16-31', transform: 'original', view: 'whole', signalType: 'pdq' },
      ],
    },
    { matches: [] },
  ])
  t.equal(results[3]?.matches.length, 0)
})

t.test('a wider threshold adds matches of grade review, and a narrower one removes them', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match', 'match:distance'])
  const hash = randomHashText()
  await register(service, [{ type: 'pdq', hash }])
  const at = async (thresholdBits: number) => {
    const { results } = await ask(service, headers, {
      queries: [pdq(withBitsFlipped(hash, 40))],
      thresholdBits,
      transforms: false,
    })
    return results[0]?.matches
  }

  t.match(await at(40), [{ grade: 'review', distanceBits: 40, distanceBand: '32-45' }])
  t.same(await at(39), [])
})

t.test('a second algorithm that agrees makes a match strong', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const hash = randomHashText()
  const block = randomHashText()
  const both = [
    { type: 'pdq', hash },
    { type: 'blockhash', hash: block },
  ]
  const hers = await register(service, both)
  const grade = async (blockOff: number) => {
    const signals = [
      { type: 'pdq', hash: withBitsFlipped(hash, 20) },
      { type: 'blockhash', hash: withBitsFlipped(block, blockOff) },
    ]
    const { results } = await ask(service, headers, { queries: [{ signals }] })
    return results[0]?.matches.map(({ grade, signalType }) => [grade, signalType])
  }

  t.same(await grade(31), [['near', 'pdq']], 'not of hashes that anybody may have chosen')
  await service.app.inject({ method: 'DELETE', url: hers.url, headers: hers.headers })
  await registerIn(service.app, await vouchedCase(service), [both])
  t.same(await grade(31), [['strong', 'pdq']])
  t.same(await grade(60), [['near', 'pdq']])
})

t.test('a hash that is called the whole is believed where its PDQ is near, or somebody vouches for it', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const viewOf = async (given: 'by her' | 'vouched for', distanceBits: number) => {
    const hash = randomHashText()
    const signals = [
      { type: 'pdq', hash: withBitsFlipped(hash, distanceBits) },
      { type: 'pdq-area', hash },
    ]
    if (given === 'by her') await register(service, signals)
    else await registerIn(service.app, await vouchedCase(service), [signals])
    const { results } = await ask(service, headers, { queries: [{ signals: [{ type: 'pdq-area', hash }] }] })
    return results[0]?.matches[0]?.view
  }
  t.equal(await viewOf('by her', 60), 'whole')
  t.equal(await viewOf('by her', 61), 'crop')
  t.equal(await viewOf('vouched for', 61), 'whole')
})

t.test('blockhash alone gives no match and no review', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const block = randomHashText()
  await register(service, [
    { type: 'pdq', hash: randomHashText() },
    { type: 'blockhash', hash: block },
  ])
  const queries = [
    {
      signals: [
        { type: 'pdq', hash: randomHashText() },
        { type: 'blockhash', hash: withBitsFlipped(block, 2) },
      ],
    },
    { signals: [{ type: 'blockhash', hash: block }] },
  ]

  for (const more of [{}, { thresholdBits: 31 }])
    for (const { matches } of (await ask(service, headers, { queries, ...more })).results) t.same(matches, [])
})

t.test('the same SHA-256 is an exact match, regardless of the other hashes', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const file = randomHashText()
  await register(service, [
    { type: 'pdq', hash: randomHashText() },
    { type: 'sha256', hash: file },
  ])

  const { results } = await ask(service, headers, {
    queries: [
      { signals: [{ type: 'sha256', hash: file }] },
      { signals: [{ type: 'sha256', hash: withBitsFlipped(file, 1) }] },
    ],
  })
  t.match(results[0]?.matches, [{ grade: 'exact', signalType: 'sha256' }])
  t.same(results[1]?.matches, [])
})

t.test('rotated and mirrored copies are found by the hash alone, unless transforms is false', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const original = parseHash(randomHashText())
  if (original === undefined) throw new Error('a random hash parses')
  await register(service, [{ type: 'pdq', hash: formatHash(original) }])
  const queries = dihedralsOf(original).map((rotated) => pdq(formatHash(rotated)))

  const found = await ask(service, headers, { queries })
  t.same(
    found.results.map(({ matches }) => matches.map(({ transform, grade }) => `${transform} ${grade}`)),
    // The transform that restores the original.
    ['original', 'rotate270', 'rotate180', 'rotate90', 'flipX', 'flipY', 'flipPlus1', 'flipMinus1'].map((way) => [
      `${way} near`,
    ]),
  )
  const without = await ask(service, headers, { queries, transforms: false })
  t.same(
    without.results.map(({ matches }) => matches.length),
    [1, 0, 0, 0, 0, 0, 0, 0],
  )
})

t.test('results have the order of the queries, matches are sorted by distance, and each image comes once', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match', 'match:distance'])
  const hash = randomHashText()
  await register(
    service,
    [{ type: 'pdq', hash: withBitsFlipped(hash, 9) }],
    [
      { type: 'pdq', hash: withBitsFlipped(hash, 3) },
      { type: 'pdq', view: 'deframed', hash: withBitsFlipped(hash, 5) },
    ],
  )

  const queries = [{ id: 'a', ...pdq(hash) }, pdq(randomHashText()), { id: 'c', ...pdq(hash) }]
  const { results } = await ask(service, headers, { queries })
  t.same(
    results.map(({ id }) => id),
    ['a', undefined, 'c'],
  )
  t.same(
    results.map(({ matches }) => matches.map(({ distanceBits }) => distanceBits)),
    [[3, 9], [], [3, 9]],
  )
})

t.test('match ids are the same for all keys of an organisation and differ between organisations', async (t) => {
  const service = await startService(t)
  const one = await keyFor(service, 'one', ['match'])
  const alsoOne = await keyFor(service, 'one', ['match'])
  const other = await keyFor(service, 'other', ['match'])
  const hash = randomHashText()
  await register(service, [{ type: 'pdq', hash }])
  const idFor = async ({ headers }: { headers: Record<string, string> }) =>
    (await ask(service, headers, { queries: [pdq(hash)] })).results[0]?.matches[0]?.['matchId']

  t.equal(await idFor(one), await idFor(one))
  t.equal(await idFor(one), await idFor(alsoOne))
  t.not(await idFor(one), await idFor(other))
})

t.test('a key without match:distance gets a distance band and no exact distance', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const hash = randomHashText()
  await register(service, [{ type: 'pdq', hash }])
  const response = await service.app.inject({
    method: 'POST',
    url: '/v1/match',
    headers,
    payload: { queries: [pdq(withBitsFlipped(hash, 7))] },
  })
  t.match(response.json(), { results: [{ matches: [{ distanceBand: '1-15' }] }] })
  t.notMatch(response.body, /distanceBits|"7"|:7\b/)
  t.notMatch(response.body, hash)
})

t.test('each of a thousand queries in one call is answered independently', async (t) => {
  const service = await startService(t)
  const { headers } = await keyFor(service, 'platform', ['match', 'match:distance'])
  const hashes = Array.from({ length: 300 }, randomHashText)
  await register(service, ...hashes.map((hash) => [{ type: 'pdq', hash }]))

  const queries = Array.from({ length: 1000 }, (_, i) =>
    pdq(i < 300 ? withBitsFlipped(hashes[i] ?? '', i % 32) : randomBytes(32).toString('hex')),
  )
  const { results } = await ask(service, headers, { queries, transforms: false })
  t.equal(results.length, 1000)
  t.same(
    results.slice(0, 300).map(({ matches }) => matches.map(({ distanceBits }) => distanceBits)),
    hashes.map((_, i) => [i % 32]),
  )
  t.ok(results.slice(300).every(({ matches }) => matches.length === 0))
})

t.test('a bank’s threshold narrows matches of others and widens those of its owner', async (t) => {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['signals:write', 'match'])
  const { headers } = await keyFor(service, 'platform', ['match', 'match:distance'])
  const hash = randomHashText()
  await register(service, [{ type: 'pdq', hash }])
  for (const [name, thresholdBits] of [
    ['strict', { pdq: 5 }],
    ['wide', { pdq: 45 }],
  ] as const) {
    await service.app.inject({ method: 'POST', url: '/v1/banks', headers: ngo.headers, payload: { name, thresholdBits } })
    await service.app.inject({
      method: 'POST',
      url: `/v1/banks/${name}/signals`,
      headers: ngo.headers,
      payload: { signals: [{ type: 'pdq', hash }] },
    })
  }
  const banksAt = async (bits: number, more: object = {}, asking: Record<string, string> = headers) => {
    const { results } = await ask(service, asking, {
      queries: [pdq(withBitsFlipped(hash, bits))],
      transforms: false,
      ...more,
    })
    return results[0]?.matches.map(({ bank, grade }) => `${bank} ${grade}`).sort()
  }

  t.same(await banksAt(5), ['cases near', 'strict near', 'wide near'])
  t.same(await banksAt(6), ['cases near', 'wide near'])
  t.same(await banksAt(45), [], 'a bank’s wider threshold does not apply to others')
  t.same(await banksAt(45, { thresholdBits: 45 }), ['cases review', 'strict review', 'wide review'])
  t.same(await banksAt(45, {}, ngo.headers), ['wide review'], 'a bank’s wider threshold applies to its owner')
  t.same(await banksAt(46, {}, ngo.headers), [])
  t.same(await banksAt(31, {}, ngo.headers), ['cases near', 'wide near'])
  t.same(await banksAt(5, { banks: ['strict'] }), ['strict near'])
})
