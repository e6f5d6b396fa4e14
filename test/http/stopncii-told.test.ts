// A key that fetched a hash over StopNCII gets its withdrawal. No other key gets the hash, and it is kept only until then.

import t from 'tap'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { storeAt } from '../helpers/redis.js'
import { del } from '../helpers/requests.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { ask, caseWithPicture, matchesOf, operator } from '../helpers/trust.js'
import { tellingWorld } from './stopncii-world.js'

const DAY_MS = 86_400_000

t.test('a Tabir that pulls from another Tabir removes the hashes withdrawn there at its next pull', async (t) => {
  const source = await tellingWorld(t)
  const baseUrl = `${await source.service.app.listen({ host: '127.0.0.1', port: 0 })}/stopncii/v1`
  t.teardown(() => source.service.app.server.closeAllConnections())
  const { key } = await keyFor(source.service, 'tabir', ['feed'])
  const exchange = { name: 'peer', bank: 'peer', api: 'stopncii', baseUrl, functionKey: key, subscriptionKey: 'unused' }
  const pulling = await startService(t, { exchanges: exchangesIn(JSON.stringify({ exchanges: [exchange] })) })
  const { headers } = await keyFor(pulling, 'operator', ['signals:write', 'match', 'admin'], 'operator')
  await ask(pulling, 'POST', '/v1/banks', headers, { name: 'peer' })
  const pull = async () => (await pulling.services.exchanges.pull('peer')).progress
  const grades = async (...hashes: string[]) => {
    const found = await Promise.all(hashes.map((hash) => matchesOf(pulling, headers, hash)))
    return found.map(([match]) => match?.grade)
  }

  const hers = await caseWithPicture(source.service)
  const [banked, held, staying] = [randomHashText(), randomHashText(), randomHashText()]
  const [bankedId, heldId] = [await source.handIn(banked), await source.handIn(held)]
  await source.handIn(staying)
  t.match(await pull(), { failure: undefined, accepted: 4 })
  t.same(await grades(hers.hash, banked, held, staying), ['near', 'near', 'near', 'near'])

  const { headers: admin } = await operator(source.service)
  await del(source.service.app, hers.url, hers.headers)
  await source.remove(bankedId)
  await ask(source.service, 'POST', `/v1/signals/${heldId}/quarantine`, admin)
  source.later()
  t.match(await pull(), { failure: undefined, removed: 3 })
  t.same(await grades(hers.hash, banked, held, staying), [undefined, undefined, undefined, 'near'])

  await ask(source.service, 'DELETE', `/v1/signals/${heldId}/quarantine`, admin)
  await source.handIn(banked)
  await pull()
  t.same(await grades(banked, held), ['near', 'near'], 'released or registered again')
})

t.test('a withdrawn hash is kept until every key that fetched it got the withdrawal, 30 days at most', async (t) => {
  const { service, redis, handIn, remove, fetcher, later, kept } = await tellingWorld(t)
  const unread = randomHashText()
  await remove(await handIn(unread))
  t.same(await kept(), [], 'nothing is kept without a fetcher')

  const [one, other] = [await fetcher(), await fetcher('another')]
  const hers = await caseWithPicture(service)
  const id = await handIn(unread)
  await one.all()
  await other.all()
  later()
  const unfetched = await caseWithPicture(service)
  await del(service.app, unfetched.url, unfetched.headers)
  t.same(await kept(), [], 'a hash that was not fetched is not kept')

  await del(service.app, hers.url, hers.headers)
  await remove(id)
  const names = (await kept()).filter((name) => name.includes('withdrawn-hash'))
  t.equal(names.length, 2)
  for (const name of await kept()) {
    const leftMs = await redis.pttl(name)
    t.ok(leftMs > 29 * DAY_MS && leftMs <= 30 * DAY_MS, '30 days at most')
  }
  for (const name of names) t.equal((await redis.getBuffer(name))?.length, 62, 'sealed')

  const fresh = await fetcher()
  await fresh.all()
  t.same([...fresh.had, ...fresh.strange], [], 'a new fetcher does not get withdrawn hashes')
  await one.page(800, true)
  later()
  await one.all()
  t.equal(one.removals(), 2, 'sent again after a lost answer')
  t.equal((await kept()).length, 6, 'the next fetch confirms the receipt')
  later()
  await one.all()
  await one.all()
  t.equal((await kept()).length, 5, 'kept for the other fetcher')
  await other.all()
  later()
  await other.all()
  t.same(await kept(), [])
  t.same([one.strange, other.strange, [...one.has], [...other.has]], [[], [], [], []])
})

t.test('withdrawn hashes are not kept for a revoked key', async (t) => {
  const { service, handIn, remove, fetcher, later, kept } = await tellingWorld(t)
  const [one, other] = [await fetcher(), await fetcher()]
  const [first, second] = [await handIn(randomHashText()), await handIn(randomHashText())]
  await one.all()
  await other.all()
  later()
  await remove(first)
  const store = await openStore(storeAt(service.redis.socket))
  t.teardown(() => store.close())
  for (const { key } of [one, other])
    await createApiKeyStore(store).revoke(service.services.identify(key)?.keyId ?? '', Date.now())
  t.same(await kept(), [])
  await remove(second)
  t.same(await kept(), [], 'not for later withdrawals either')
})

t.test('a hash is reported withdrawn only once no image that the fetcher may read has it', async (t) => {
  const { makeBank, handIn, remove, fetcher, later } = await tellingWorld(t)
  await makeBank('twin')
  await makeBank('hidden', { readers: ['ngo'] })
  const one = await fetcher()
  const hash = randomHashText()
  const id = await handIn(hash)
  await one.all()
  later()
  const twin = await handIn(hash, 'twin')
  await handIn(hash, 'hidden')
  await remove(id)
  await one.all()
  t.same([...one.has], [hash], 'another image was registered since the last page')
  const third = await handIn(hash)
  await one.all()
  later()
  await remove(third)
  await one.all()
  t.same([...one.has], [hash], 'another image was known before')
  later()
  await remove(twin, 'twin')
  const again = await handIn(hash)
  await one.all()
  t.same([...one.has], [hash], 'registered again')
  later()
  await remove(again)
  await one.all()
  t.same([...one.has, ...one.strange], [], 'an image in a hidden bank does not count')
})

t.test('a withdrawal is reported only after a delayed report of the same hash is withdrawn too', async (t) => {
  const { service, handIn, remove, fetcher, later } = await tellingWorld(t, {
    feedDelay: { minMs: 3_600_000, maxMs: 3_600_000 },
  })
  const one = await fetcher()
  const hash = randomHashText()
  const id = await handIn(hash)
  await one.all()
  later()
  const hers = await caseWithPicture(service, hash)
  await remove(id)
  await one.all()
  t.same([...one.has], [hash])
  later()
  await del(service.app, hers.url, hers.headers)
  await one.all()
  t.same([...one.has, ...one.strange], [])
})

t.test('a changed hash, a hidden or removed bank and a hold are reported to every fetcher of the hash', async (t) => {
  const { service, ngo, makeBank, handIn, put, fetcher, later } = await tellingWorld(t)
  const one = await fetcher()
  const late = await fetcher('late')
  const [itself, former, next] = [randomHashText(), randomHashText(), randomHashText()]
  await put(itself, former)
  await one.all()
  t.same(one.has, new Set([itself, former]))
  later()
  await put(itself, next)
  await one.all()
  await late.all()
  t.same([one.has, late.has], [new Set([itself, next]), new Set([itself, next])])
  t.same(late.strange, [], 'a later fetcher never gets the former hash')

  await makeBank('shown')
  const hidden = randomHashText()
  await handIn(hidden, 'shown')
  await one.all()
  later()
  await ask(service, 'PATCH', '/v1/banks/shown', ngo.headers, { readers: ['ngo'] })
  await one.all()
  t.notOk(one.has.has(hidden))

  const { headers: admin } = await operator(service)
  const [paused, removed] = [randomHashText(), randomHashText()]
  const pausedId = await handIn(paused)
  await makeBank('LEAVING')
  await handIn(removed, 'LEAVING')
  await one.all()
  t.ok(one.has.has(paused) && one.has.has(removed))
  await ask(service, 'POST', `/v1/signals/${pausedId}/quarantine`, admin)
  await ask(service, 'DELETE', '/c/bank/LEAVING', ngo.headers)
  one.restart()
  later()
  // A removed bank is erased in steps; what is erased while a page is read is reported on the next page.
  await until(async () => {
    await one.all()
    return !one.has.has(removed)
  })
  t.same(one.has, new Set([itself, next]), 'the remaining hashes are kept')
  t.same([one.strange, late.strange], [[], []])
})
