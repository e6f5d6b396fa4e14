import t from 'tap'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { formatHash, type Hash256 } from '../../packages/hash/src/hash256.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { bitsFrom, hashNamed, symmetricOf } from '../helpers/hashes.js'
import { keyFor, startService } from '../helpers/service.js'
import { vouchedCase } from '../helpers/trust.js'

// One picture, registered with views that look unlike. Each query has views at given distances from them.
t.test('a view beyond the threshold for one view alone needs a corroborating view to match', async (t) => {
  const service = await startService(t)
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match', 'match:distance'])
  const her = await vouchedCase(service)
  const [whole, part] = [hashNamed('whole'), hashNamed('part')]
  const symmetric = symmetricOf(hashNamed('symmetric'))
  const signal = (view: string, hash: Hash256, quality = 100) => ({
    type: 'pdq-area',
    view,
    quality,
    hash: formatHash(hash),
  })
  const added = await app.inject({
    method: 'POST',
    url: `${her.url}/hashes`,
    payload: { images: [{ signals: [signal('whole', whole), signal('crop', part), signal('piece', symmetric)] }] },
    headers: her.headers,
  })
  t.equal(added.statusCode, 201, added.body)
  const askBy = async (signals: object[], more: object = {}) => {
    const payload = { queries: [{ signals }], transforms: false, ...more }
    const answer = await app.inject({ method: 'POST', url: '/v1/match', payload, headers: platform.headers })
    t.equal(answer.statusCode, 200, answer.body)
    const { results } = answer.json<{ results: { matches: { grade: string; distanceBits: number }[] }[] }>()
    return results[0]?.matches.map(({ grade, distanceBits }) => [grade, distanceBits])
  }
  const ask = (wholeBits: number, partBits: number | undefined, more: object = {}) =>
    askBy(
      [
        signal('whole', bitsFrom(whole, wholeBits)),
        ...(partBits === undefined ? [] : [signal('deframed', bitsFrom(part, partBits))]),
      ],
      more,
    )

  t.same(await ask(42, undefined), [['near', 42]], 'within the threshold for one view alone')
  t.same(await ask(43, undefined), [], 'one bit beyond it')
  t.same(await ask(48, 60), [['near', 48]], 'with a corroborating view, which may be farther')
  t.same(await ask(48, 61), [], 'the corroborating view is too far')
  t.same(await ask(52, 60), [['near', 52]])
  t.same(await ask(52, 61), [])
  t.same(await ask(53, 53), [], 'two views beyond the threshold are no match')
  t.same(await ask(30, 58), [['strong', 30]], 'two views that are near are strong')
  t.same(await ask(30, 59), [['near', 30]])
  t.same(await ask(44, 44), [['strong', 44]], 'both within the threshold for a strong match')
  t.same(await ask(53, 61, { thresholdBits: 60 }), [['review', 53]], 'a wider threshold gives review')
  t.same(await ask(52, 60, { thresholdBits: 60 }), [['near', 52]])

  const plain = (bits: number) => signal('whole', bitsFrom(whole, bits), 69)
  t.same(await askBy([plain(34)]), [['near', 34]], 'a view of low quality can match alone')
  t.same(await askBy([plain(35)]), [], 'but has to be nearer')
  t.same(
    await askBy([signal('whole', bitsFrom(whole, 42), 70)]),
    [['near', 42]],
    'a view of slightly higher quality need not',
  )
  t.same(await askBy([plain(48), signal('deframed', bitsFrom(part, 60))]), [['near', 48]], 'it may corroborate')
  t.same(
    await askBy([plain(36), signal('deframed', bitsFrom(whole, 40))]),
    [['near', 40]],
    'it does not hide a view that decides',
  )
  t.same(await askBy([signal('deframed', bitsFrom(whole, 40)), plain(36)]), [['near', 40]], 'in any order')

  const itself = (bits: number) => signal('deframed', bitsFrom(symmetric, bits))
  t.same(await askBy([itself(20)]), [['near', 20]], 'a view that is symmetric along a diagonal can match alone')
  t.same(await askBy([itself(21)]), [], 'but has to be much nearer')
  t.same(await askBy([itself(48), signal('whole', bitsFrom(whole, 60))]), [['near', 48]], 'it may corroborate')
  t.same(await askBy([itself(20), signal('whole', bitsFrom(whole, 40))]), [['near', 20]], 'it makes no match strong')

  const alike = [signal('whole', bitsFrom(whole, 50)), signal('deframed', bitsFrom(whole, 52))]
  t.same(await askBy(alike), [], 'two views that look alike do not corroborate each other')
  t.same(await askBy([signal('crop', bitsFrom(whole, 31))]), [['near', 31]], 'a crop in a query has the usual threshold')
  t.same(await askBy([signal('crop', bitsFrom(whole, 32)), signal('crop', bitsFrom(part, 32))]), [])

  const upright = transforms.findIndex(({ name }) => name === 'rotate270')
  const onItsSide = async (bits: number) => {
    const signals = [whole, part].map((hash, i) => {
      const asked = dihedralsOf(bitsFrom(hash, bits))[upright]
      return signal(i === 0 ? 'whole' : 'deframed', asked ?? hash)
    })
    const payload = { queries: [{ signals }] }
    const answer = await app.inject({ method: 'POST', url: '/v1/match', payload, headers: platform.headers })
    const { results } = answer.json<{ results: { matches: { grade: string; transform: string }[] }[] }>()
    return results[0]?.matches.map(({ grade, transform }) => [grade, transform])
  }
  t.same(await onItsSide(34), [['near', 'rotate90']], 'a rotated copy is found')
  t.same(await onItsSide(35), [], 'a corroborating view does not widen it for rotated copies')

  await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.same(await ask(0, 0), [])
})

t.test('a match decided by corroborating views is reported with the nearer of them and no other signal', async (t) => {
  const service = await startService(t)
  const platform = await keyFor(service, 'platform', ['match', 'match:distance'])
  const her = await vouchedCase(service)
  const hashes = Object.fromEntries(['pdq', 'block', 'whole', 'part', 'box', 'inner'].map((name) => [name, hashNamed(name)]))
  const hash = (name: string, bits = 0) => formatHash(bitsFrom(hashes[name] ?? hashNamed(name), bits))
  const signal = (type: string, view: string, name: string, bits?: number) => ({
    type,
    view,
    quality: 100,
    hash: hash(name, bits),
  })
  const area = (view: string, name: string, bits?: number) => signal('pdq-area', view, name, bits)
  const images = [
    [signal('pdq', 'whole', 'pdq'), signal('blockhash', 'whole', 'block'), area('whole', 'whole'), area('crop', 'part')],
    [area('deframed', 'box'), area('deframed', 'inner')],
  ]
  const payload = { images: images.map((signals) => ({ signals })) }
  const added = await service.app.inject({ method: 'POST', url: `${her.url}/hashes`, payload, headers: her.headers })
  t.equal(added.statusCode, 201, added.body)
  const ask = async (...signals: object[]) => {
    const body = { queries: [{ signals }], transforms: false }
    const request = { method: 'POST', url: '/v1/match', payload: body, headers: platform.headers } as const
    const answer = await service.app.inject(request)
    t.equal(answer.statusCode, 200, answer.body)
    const { results } = answer.json<{ results: { matches: Record<string, unknown>[] }[] }>()
    return results[0]?.matches.map((match) => ['grade', 'signalType', 'view', 'distanceBits'].map((name) => match[name]))
  }
  const blockhash = signal('blockhash', 'whole', 'block', 2)
  const [near, far] = [area('whole', 'whole', 52), area('deframed', 'part', 58)]
  t.same(
    await ask(blockhash, area('whole', 'whole', 54), far),
    [],
    'two views that are too far do not match, with blockhash either',
  )
  t.same(
    await ask(blockhash, near, far),
    [['near', 'pdq-area', 'whole', 52]],
    'two views match, and blockhash is not reported',
  )
  const sure = [area('whole', 'whole', 40), area('deframed', 'part', 30)]
  t.same(await ask(signal('pdq', 'whole', 'pdq', 8), ...sure), [['strong', 'pdq-area', 'crop', 30]])
  t.same(await ask(signal('pdq', 'whole', 'pdq', 8), area('whole', 'whole', 40)), [['near', 'pdq', 'whole', 8]])
  t.same(
    await ask(area('whole', 'box', 10), area('deframed', 'inner', 12)),
    [['near', 'pdq-area', 'deframed', 10]],
    'two deframed views are not strong',
  )
})
