// Several concurrent fetchers that remember only a timestamp: each gets every hash that stays registered, whatever the others do.

import t, { type Test } from 'tap'
import { z } from 'zod'
import { type Chance, chanceFrom } from '../fuzz/chance.js'
import { keyFor, randomHashText, startService, type TestService } from '../helpers/service.js'
import { stopNciiFetcher } from '../helpers/stopncii-fetcher.js'
import { ask, operator } from '../helpers/trust.js'

const Page = z.object({
  nextPageToken: z.string().nullable(),
  hashRecords: z.array(z.object({ hashValue: z.string() })),
})

async function world(t: Test) {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const ngo = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  const handIn = async (count: number) => {
    const hashes = Array.from({ length: count }, randomHashText)
    const answer = await ask(service, 'POST', '/v1/banks/mine/signals', ngo.headers, {
      signals: hashes.map((hash) => ({ type: 'pdq', hash })),
    })
    const { signals } = answer.json<{ signals: { signalId: string }[] }>()
    return hashes.map((hash, i) => ({ hash, id: signals[i]?.signalId ?? '' }))
  }
  const remove = (id: string) => ask(service, 'DELETE', `/v1/banks/mine/signals/${id}`, ngo.headers)
  return { service, clock, handIn, remove }
}

const fetcherWith = ({ app }: TestService, key: string) => stopNciiFetcher(() => app, key)

t.test('two fetchers that share a key and page in the same second both get every hash', async (t) => {
  const { service, clock, handIn } = await world(t)
  const { key } = await keyFor(service, 'platform', ['feed'])
  const [production, staging] = [fetcherWith(service, key), fetcherWith(service, key)]
  await handIn(5)
  await production.all()
  await staging.all()
  clock.nowMs += 1500
  const hashes: string[] = []
  for (let i = 0; i < 40; i++) for (const { hash } of await handIn(1)) hashes.push(hash)
  await staging.all()
  await production.page(3)
  production.breakOff()
  clock.nowMs += 1500
  await production.all()
  await handIn(2)
  await production.all()
  t.same(
    hashes.filter((hash) => !production.had.has(hash)),
    [],
  )
})

t.test('a fetcher with a new key gets every hash from a timestamp that this key was never given', async (t) => {
  const { service, clock, handIn } = await world(t)
  const [old, next] = [await keyFor(service, 'platform', ['feed']), await keyFor(service, 'platform', ['feed'])]
  const hashes = (await handIn(30)).map(({ hash }) => hash)
  await fetcherWith(service, next.key).all()
  clock.nowMs += 2000
  const before = fetcherWith(service, old.key)
  await before.page(3)
  const query = `startTimestamp=${Math.floor(clock.nowMs / 1000)}&pageSize=800`
  const after = await service.app.inject({
    url: `/stopncii/v1/FetchHashes?${query}`,
    headers: { 'x-functions-key': next.key },
  })
  const got = new Set(Page.parse(after.json()).hashRecords.map(({ hashValue }) => hashValue))
  t.same(
    hashes.filter((hash) => !got.has(hash) && !before.had.has(hash)),
    [],
    'nothing is lost by the change of key',
  )
})

t.test('a page token is valid only with the key that it was given to', async (t) => {
  const { service, handIn } = await world(t)
  await handIn(30)
  const [one, other] = [await keyFor(service, 'platform', ['feed']), await keyFor(service, 'platform', ['feed'])]
  const get = (key: string, more = '') =>
    service.app.inject({ url: `/stopncii/v1/FetchHashes?pageSize=2${more}`, headers: { 'x-functions-key': key } })
  const { nextPageToken } = Page.parse((await get(one.key)).json())
  const token = `&nextPageToken=${encodeURIComponent(nextPageToken ?? '')}`
  t.equal((await get(one.key, token)).statusCode, 200)
  t.match((await get(other.key, token)).json(), { code: 'cursor-unknown' })
})

t.test('in any order of pages, interruptions, lost answers and writes every fetcher gets every hash', async (t) => {
  const { service, clock, handIn, remove } = await world(t)
  const { headers: admin } = await operator(service)
  const there = new Map<string, string>()
  for (let seed = 1; seed <= 6; seed++) {
    const chance = chanceFrom(seed)
    const keys = await Promise.all(['a', 'b'].map(async () => (await keyFor(service, 'platform', ['feed'])).key))
    const fetchers = Array.from({ length: 2 + chance.below(4) }, () => fetcherWith(service, chance.oneOf(keys)))
    for (let step = 0; step < 60; step++) await act(chance, fetchers)
    clock.nowMs += 5000
    for (const { all, had } of fetchers) {
      await all(1 + chance.below(50))
      t.same(
        [...there.keys()].filter((hash) => !had.has(hash)),
        [],
        `seed ${seed}`,
      )
    }
  }

  async function act(chance: Chance, fetchers: readonly ReturnType<typeof fetcherWith>[]) {
    if (chance.happens(0.1)) clock.nowMs += chance.below(1500) - 200
    const dice = chance.below(10)
    const fetcher = chance.oneOf(fetchers)
    if (dice < 2) for (const { hash, id } of await handIn(1 + chance.below(6))) there.set(hash, id)
    else if (dice === 2 && there.size > 20) {
      const [hash, id] = chance.oneOf([...there])
      there.delete(hash)
      await remove(id)
    } else if (dice === 3 && there.size > 0) {
      const [, id] = chance.oneOf([...there])
      await ask(service, 'POST', `/v1/signals/${id}/quarantine`, admin)
      await ask(service, 'DELETE', `/v1/signals/${id}/quarantine`, admin)
    } else if (dice === 4) fetcher.breakOff()
    else await fetcher.page(chance.oneOf([1, 2, 3, 7, 800]), chance.happens(0.1))
  }
})
