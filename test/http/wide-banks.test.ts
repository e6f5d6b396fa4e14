// Thresholds of a bank can widen the matches of its owner only.

import t from 'tap'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { catalogueOf } from '../helpers/registered-image.js'
import { keyFor, openCase, randomHashText, startService, withBitsFlipped } from '../helpers/service.js'

const WIDE = { pdq: 90, blockhash: 31, 'pdq-area': 56 }

interface Found {
  bank: string
  grade: string
  tier: string
}

t.test('the wide thresholds of a bank do not widen the matches of other organisations', async (t) => {
  const service = await startService(t)
  const { app } = service
  const flooder = await keyFor(service, 'flooder', ['signals:write', 'match'], 'platform')
  const other = await keyFor(service, 'other', ['match'])
  const send = async (url: string, payload: object, headers: Record<string, string>) =>
    app.inject({ method: 'POST', url, payload, headers })
  t.equal((await send('/v1/banks', { name: 'wide', thresholdBits: WIDE }, flooder.headers)).statusCode, 201)
  const hashes = Array.from({ length: 40 }, randomHashText)
  const signals = hashes.flatMap(
    (hash) =>
      [
        { type: 'pdq', hash },
        { type: 'blockhash', hash },
      ] as const,
  )
  t.equal((await send('/v1/banks/wide/signals', { signals }, flooder.headers)).statusCode, 201)
  const her = await openCase(app)
  const registered = randomHashText()
  const images = [{ signals: [{ type: 'pdq', hash: registered, quality: 100 }] }]
  t.equal((await send(`${her.url}/hashes`, { images }, her.headers)).statusCode, 201)

  const found = async (hash: string, headers: Record<string, string>, types = ['pdq', 'blockhash']) => {
    const queries = [{ signals: types.map((type) => ({ type, hash })) }]
    const answer = await send('/v1/match', { queries, transforms: false }, headers)
    return (answer.json<{ results: { matches: Found[] }[] }>().results[0]?.matches ?? []).map(
      ({ bank, grade, tier }) => `${bank} ${grade} ${tier}`,
    )
  }
  const far = hashes.map((hash) => withBitsFlipped(hash, 80))
  for (const hash of far.slice(0, 10)) t.same(await found(hash, other.headers), [])
  const near = withBitsFlipped(hashes[0] ?? '', 20)
  t.same(await found(near, other.headers), ['wide near self-reported'], 'a platform’s entry is self-reported')
  t.same(await found(withBitsFlipped(registered, 31), other.headers), ['cases near self-reported'])
  const own = await found(far[0] ?? '', flooder.headers, ['pdq'])
  t.ok(
    own.length > 0 && own.every((match) => match === 'wide review self-reported'),
    'queries of its owner use the wide threshold, for review only',
  )
  const lookup = `/m/raw_lookup?signal_type=pdq&signal=${far[0]}`
  t.same(
    (await app.inject({ url: lookup, headers: flooder.headers })).json(),
    { matches: [] },
    'HMA routes, which have no review, give no match',
  )
})

t.test('signals that an NGO submits have the tier ngo-attested', async (t) => {
  const service = await startService(t)
  const ngo = await keyFor(service, 'ngo', ['signals:write', 'match'], 'ngo')
  const hash = randomHashText()
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers: ngo.headers, payload: { name: 'list' } })
  const payload = { signals: [{ type: 'pdq', hash }] }
  await service.app.inject({ method: 'POST', url: '/v1/banks/list/signals', headers: ngo.headers, payload })
  const queries = [{ signals: [{ type: 'pdq', hash }] }]
  const answer = await service.app.inject({ method: 'POST', url: '/v1/match', headers: ngo.headers, payload: { queries } })
  t.match(answer.json(), { results: [{ matches: [{ tier: 'ngo-attested' }] }] })
})

t.test('the search radius of a query does not grow by thresholds of another organisation', async (t) => {
  const { catalogue, images } = catalogueOf(1)
  catalogue.banks.set('wide', { name: 'wide', purpose: 'match', orgId: 'owner', thresholdBits: WIDE, createdAtMs: 1 })
  const radii: number[] = []
  const index = catalogue.index('pdq')
  const search = index.search.bind(index)
  index.search = (needles, thresholdBits) => {
    radii.push(thresholdBits)
    return search(needles, thresholdBits)
  }
  const matcher = bareMatcher({ replica: { catalogue } })
  const picture = images.map(({ hash }) => ({ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }) as const)
  for (const orgId of ['other', 'owner'])
    await matchesOf(matcher, [picture], { orgId, banks: undefined, thresholdBits: undefined })
  t.same(radii, [31, 90])
})
