import t from 'tap'
import { z } from 'zod'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'

const Registry = z.object({
  images: z.int(),
  silent: z.int(),
  signals: z.record(z.string(), z.int()),
  falseMatches: z.unknown(),
  groups: z.array(
    z.object({
      bank: z.string(),
      tier: z.string(),
      category: z.string().nullable(),
      disputed: z.boolean(),
      images: z.int(),
    }),
  ),
})

t.test('an operator sees how many signals of each kind are registered, and other callers do not', async (t) => {
  let aheadMs = 0
  const service = await startService(t, { now: () => Date.now() + aheadMs })
  const { headers } = await operator(service)
  const counts = async () => {
    aheadMs += 6_000 // counts are cached for five seconds
    return Registry.parse((await ask(service, 'GET', '/v1/insights/registry', headers)).json())
  }
  t.same((await counts()).groups, [])

  const her = await openCase(service.app)
  for (const category of ['nude', 'nude', undefined]) {
    const images = [
      { signals: [{ type: 'pdq', hash: randomHashText(), quality: 80 }], ...(category !== undefined && { category }) },
    ]
    await ask(service, 'POST', `${her.url}/hashes`, her.headers, { images })
  }
  const invalidated = await caseWithPicture(service)
  await ask(service, 'POST', `/v1/signals/${invalidated.imageId}/quarantine`, headers)
  const disputed = await caseWithPicture(service)
  await ask(service, 'POST', `/v1/signals/${disputed.imageId}/dispute`, headers, { reason: 'other' })
  await ask(service, 'POST', '/v1/banks', headers, { name: 'of-ours' })
  const signals = [1, 2].map(() => ({ type: 'pdq', hash: randomHashText() }))
  await ask(service, 'POST', '/v1/banks/of-ours/signals', headers, { signals })

  const { groups, ...rest } = await counts()
  t.match(rest, { images: 6, silent: 1, signals: { pdq: 6, blockhash: 0 } })
  t.match(rest, {
    falseMatches: {
      strong: { perMillion: 1, largestBits: { pdq: 31, 'pdq-area': 42, 'two-views': 88 } },
      near: { perMillion: 1, largestBits: { pdq: 31, 'pdq-area': 42, 'two-views': 112 } },
    },
  })
  const own = { bank: 'cases', tier: 'self-reported', disputed: false }
  const kinds = [
    { ...own, category: 'nude', images: 2 },
    { ...own, category: null, images: 1 },
    { ...own, category: null, disputed: true, images: 1 },
    { ...own, bank: 'of-ours', tier: 'ngo-attested', category: null, images: 2 },
  ]
  t.equal(groups.length, kinds.length)
  for (const kind of kinds)
    t.hasStrict(
      groups.find((group) => Object.entries(kind).every(([k, v]) => Reflect.get(group, k) === v)),
      kind,
    )

  await ask(service, 'DELETE', her.url, her.headers)
  t.equal((await counts()).images, 3, 'a withdrawn image is not counted')
  const other = await keyFor(service, 'platform', ['match', 'feed', 'signals:write'])
  t.equal((await ask(service, 'GET', '/v1/insights/registry', other.headers)).statusCode, 403)
})
