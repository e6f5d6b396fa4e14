// A newly registered picture is compared with earlier watches, by the rules of a match in reverse.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { formatHash, hashFromBytes, parseHash } from '../../packages/hash/src/hash256.js'
import { writtenForms } from '../../src/demo/written-forms.js'
import { allOrientations } from '../../src/services/matching/orientations.js'
import { createWatchIndex } from '../../src/services/watch/watch-index.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { storeAt } from '../helpers/redis.js'
import { refused } from '../helpers/refusal.js'
import { imageOf } from '../helpers/registered-image.js'
import { del, post } from '../helpers/requests.js'
import { runs } from '../helpers/runs.js'
import { keyFor, randomHashText, startService, until, withBitsFlipped } from '../helpers/service.js'

const clock = { nowMs: Date.now() }
const service = await startService(t, { now: () => clock.nowMs, maxWatchesPerOrg: 40 })
const { app, services } = service
const target = storeAt(service.redis.socket)
const store = await openStore(target)
t.teardown(() => store.close())
const watches = createWatchStore(store, makeKeyring([Buffer.alloc(32, 7)]))

interface Found {
  readonly watchId: string
  readonly imageId: string
  readonly grade: string
}

/** The pending notifications, once all that was registered so far has been compared. */
async function found(): Promise<Found[]> {
  const revision = Number(await store.ask((redis) => redis.get('{tabir}:revision')))
  await until(async () => ((await watches.cursor())?.revision ?? -1) >= revision)
  const entries = await store.ask((redis) => redis.xrangeBuffer('{tabir}:webhook-outbox', '-', '+'))
  return entries.flatMap(([, flat]) => {
    const field = (name: string) => flat[flat.findIndex((part) => part.toString() === name) + 1] ?? Buffer.alloc(0)
    const id = (name: string) =>
      field(name)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    if (field('kind').toString() !== 'match.found') return []
    return [{ watchId: id('watch'), imageId: id('image'), grade: field('grade').toString() }]
  })
}
const foundFor = async (watchId: string) => (await found()).filter((one) => one.watchId === watchId)

const platform = await keyFor(service, 'platform', ['match', 'feedback'])
const ngo = await keyFor(service, 'ngo', ['signals:write', 'admin'], 'operator')
await post(app, '/v1/banks', { name: 'mine' }, ngo.headers)

async function watch(signals: object[], more: object = {}, headers = platform.headers): Promise<string> {
  const answer = await post(app, '/v1/watch', { watches: [{ signals }], ...more }, headers)
  return answer.json<{ watches: { watchId: string }[] }>().watches[0]?.watchId ?? answer.body
}
async function register(hash: string, bank = 'mine'): Promise<string> {
  const answer = await post(app, `/v1/banks/${bank}/signals`, { signals: [{ type: 'pdq', hash }] }, ngo.headers)
  return answer.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? answer.body
}
const pdq = (hash: string) => ({ type: 'pdq', hash })

t.test('a watch finds a later picture once, also rotated or changed, and not one that is too far', async (t) => {
  const [same, changed, mirrored, far] = [randomHashText(), randomHashText(), randomHashText(), randomHashText()]
  const parsed = parseHash(mirrored)
  const inMirror = parsed === undefined ? undefined : dihedralsOf(parsed)[5]
  const ids = {
    same: await watch([pdq(same)]),
    changed: await watch([pdq(withBitsFlipped(changed, 31))]),
    mirrored: await watch([pdq(inMirror === undefined ? '' : formatHash(inMirror))]),
    far: await watch([pdq(withBitsFlipped(far, 32))]),
    other: await watch([pdq(randomHashText())]),
  }
  const [one, two, three] = [await register(same), await register(changed), await register(mirrored)]
  await register(far)
  const told = await found()

  t.same(
    new Map(told.map(({ watchId, imageId: image, grade }) => [watchId, { image, grade }])),
    new Map([
      [ids.same, { image: one, grade: 'near' }],
      [ids.changed, { image: two, grade: 'near' }],
      [ids.mirrored, { image: three, grade: 'near' }],
    ]),
  )
  await register(same)
  t.equal((await found()).length, 3, 'registered again, and reported once')
})

// With 256 watches around the edge of the radius, one registration or dispute revealed which bits of the registered
// hash differ.
t.test(
  'of several watches near one picture one is notified, also when it is deleted and the picture compared again',
  async (t) => {
    const prober = await keyFor(service, 'prober', ['match', 'feedback'])
    const hash = randomHashText()
    const edge = withBitsFlipped(hash, 31)
    const given = Array.from({ length: 30 }, (_, bit) => ({
      signals: [
        pdq(`${edge.slice(0, bit)}${(Number.parseInt(edge[bit] ?? '0', 16) ^ 1).toString(16)}${edge.slice(bit + 1)}`),
      ],
    }))
    const answer = await post(app, '/v1/watch', { watches: given }, prober.headers)
    const ids = answer.json<{ watches: { watchId: string }[] }>().watches.map(({ watchId }) => watchId)
    const toldOfThem = async () => (await found()).map(({ watchId }) => watchId).filter((id) => ids.includes(id))
    const signalId = await register(hash)
    const [told = '', ...more] = await toldOfThem()
    t.same(more, [])
    t.equal((await del(app, `/v1/watch/${told}`, prober.headers)).statusCode, 204)
    await services.trust.hold(signalId, { cause: 'operator', flood: 0 })
    await services.trust.release(signalId)
    t.same(await toldOfThem(), [told])
  },
)

t.test('a case is reported as a bank is; a picture registered before the watch is left to queries', async (t) => {
  const hash = randomHashText()
  const before = randomHashText()
  await register(before)
  await found()
  const late = await watch([pdq(before)])
  const early = await watch([pdq(hash)])
  const her = (await post(app, '/v1/cases', { adult: true })).json<{ caseNumber: string; token: string }>()
  const headers = { authorization: `Bearer ${her.token}` }
  await post(app, `/v1/cases/${her.caseNumber}/hashes`, { images: [{ signals: [{ ...pdq(hash), quality: 100 }] }] }, headers)
  t.equal((await foundFor(early)).length, 1)
  t.equal((await foundFor(late)).length, 0)
})

t.test('a harmless or held picture is not reported; it is reported when it is released', async (t) => {
  const [harmless, held] = [randomHashText(), randomHashText()]
  await post(app, '/v1/banks/harmless/signals', { signals: [pdq(harmless)] }, ngo.headers)
  const one = await watch([pdq(harmless)])
  await register(withBitsFlipped(harmless, 8))
  t.equal((await foundFor(one)).length, 0)

  const hidden = randomHashText()
  await post(app, '/v1/banks', { name: 'hidden', readers: ['ngo'] }, ngo.headers)
  const third = await watch([pdq(hidden)])
  await register(hidden, 'hidden')
  t.equal((await foundFor(third)).length, 0, 'of a bank that it may not know of')

  const signalId = await register(held)
  await services.trust.hold(signalId, { cause: 'operator', flood: 0 })
  const other = await watch([pdq(held)])
  await found()
  t.equal((await foundFor(other)).length, 0)
  await services.trust.release(signalId)
  t.equal((await foundFor(other)).length, 1)
})

t.test('a picture that is removed and registered again is reported again, to the same watch and to a new one', async (t) => {
  const hash = randomHashText()
  const remove = (id: string) => del(app, `/v1/banks/mine/signals/${id}`, ngo.headers)
  const one = await watch([pdq(hash)])
  const signalId = await register(hash)
  t.equal((await foundFor(one)).length, 1)
  const kept = () => store.ask((redis) => redis.keys(`{tabir}:watch-told*${signalId.replaceAll('-', '')}`))
  t.equal((await kept()).length, 2)
  await remove(signalId)
  t.same(await kept(), [])
  t.equal(await register(hash), signalId)
  t.equal((await foundFor(one)).length, 2)
  await services.trust.hold(signalId, { cause: 'operator', flood: 0 })
  await services.trust.release(signalId)
  t.equal((await foundFor(one)).length, 2, 'once for each registration')

  await remove(signalId)
  await del(app, `/v1/watch/${one}`, platform.headers)
  const other = await watch([pdq(hash)])
  await register(hash)
  t.equal((await foundFor(other)).length, 1)
})

t.test('a picture that is withdrawn at once, and one whose watch was deleted or expired, is not reported', async (t) => {
  const [gone, removed, over] = [randomHashText(), randomHashText(), randomHashText()]
  const [one, other, third] = [await watch([pdq(gone)]), await watch([pdq(removed)]), await watch([pdq(over)], { days: 1 })]
  // The process that compares is kept from continuing: its lease is taken.
  await store.ask((redis) => redis.set('{tabir}:watch-holder', 'another', 'PX', 1500))
  const signalId = await register(gone)
  await del(app, `/v1/banks/mine/signals/${signalId}`, ngo.headers)
  await register(removed)
  t.equal((await del(app, `/v1/watch/${other}`, platform.headers)).statusCode, 204)
  clock.nowMs += 86_400_000
  await register(over)
  for (const id of [one, other, third]) t.equal((await foundFor(id)).length, 0)
})

t.test(
  'a watch is visible to its owner only, its hashes are sealed, and it ends with its time or the last key',
  async (t) => {
    const other = await keyFor(service, 'other', ['match'])
    const hash = randomHashText()
    const [mine, brief] = [await watch([pdq(hash)], {}, other.headers), await watch([pdq(hash)], { days: 1 }, other.headers)]
    t.same(
      (await app.inject({ url: '/v1/watch', headers: platform.headers }))
        .json<{ watches: { watchId: string }[] }>()
        .watches.filter(({ watchId }) => [mine, brief].includes(watchId)),
      [],
    )
    refused(t, await del(app, `/v1/watch/${mine}`, platform.headers), 'watch-unknown')
    const list = async () =>
      (await app.inject({ url: '/v1/watch', headers: other.headers }))
        .json<{ watches: { watchId: string }[] }>()
        .watches.map(({ watchId }) => watchId)
    t.same(await list(), [brief, mine], 'soonest expiry first')
    const redis = new Redis(target.socket)
    t.teardown(() => redis.disconnect())
    const stored = async () => {
      const names = await redis.keys('{tabir}:watch*')
      const dumps = await Promise.all(names.map((name) => redis.dumpBuffer(name)))
      return Buffer.concat(dumps.flatMap((dump) => dump ?? [])).toString('latin1')
    }
    const bytes = Buffer.from(hash, 'hex')
    const text = (await stored()) + service.log.join('')
    for (const form of [bytes.toString('latin1'), ...writtenForms(bytes).map((form) => form.text)])
      t.notOk(text.includes(form))

    clock.nowMs += 86_400_000 + 1
    t.same(await list(), [mine])
    await services.sweepWatches()
    t.equal((await watches.get([brief]))[0], undefined, 'erased')
    t.ok((await watches.get([mine]))[0])
    await createApiKeyStore(store).revoke(other.keyId, clock.nowMs)
    await until(() => services.identify(other.key) === undefined)
    await services.sweepWatches()
    t.equal((await watches.get([mine]))[0], undefined, 'no organisation is left to notify')
  },
)

t.test('an organisation has a limit of watches, and refusals echo nothing', async (t) => {
  const many = await keyFor(service, 'many', ['match'])
  const signals = () => ({ signals: [pdq(randomHashText())] })
  const post40 = await post(app, '/v1/watch', { watches: Array.from({ length: 40 }, signals) }, many.headers)
  t.equal(post40.statusCode, 201)
  refused(t, await post(app, '/v1/watch', { watches: [signals()] }, many.headers), 'watches-full')
  for (const payload of [
    { watches: [] },
    { watches: [{ signals: [] }] },
    { watches: [{ signals: Array.from({ length: 9 }, () => pdq(randomHashText())) }] },
    { watches: [signals()], days: 91 },
    { watches: [{ ...signals(), reference: 'a b' }] },
    { watches: [{ ...signals(), reference: 'a'.repeat(65) }] },
    { watches: [{ signals: [pdq('ABC')] }] },
  ]) {
    refused(t, await post(app, '/v1/watch', payload, many.headers), 'request-invalid')
  }
  const plain = await post(
    app,
    '/v1/watch',
    { watches: [{ signals: [{ ...pdq(randomHashText()), quality: 3 }] }] },
    many.headers,
  )
  t.match(plain.json(), { watches: [{ problem: { code: 'quality-too-low' } }] })
})

// The index is searched with the registered picture, the matcher with the watched one. Whatever the matcher could
// find, the index must return.
t.test('the index of watches returns whatever the matcher would find', async (t: Test) => {
  const index = createWatchIndex({
    watches,
    follower: new Redis(target.socket),
    clock: () => performance.now(),
    onError: (error) => t.fail(String(error)),
  })
  index.start()
  t.teardown(() => index.close())
  const orgId = '01890000-0000-7000-8000-000000000001'
  const bits = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const type = fc.constantFrom('pdq', 'pdq-area', 'blockhash')
  await fc.assert(
    fc.asyncProperty(type, bits, fc.constantFrom(...VIEW_NAMES), fc.nat(7), async (type, bytes, view, orientation) => {
      const hash = hashFromBytes(bytes)
      const rotated = allOrientations(type, hash)[orientation] ?? hash
      const id = `01890000-0000-7000-8000-${randomBytes(6).toString('hex')}`
      const signal = { type, view, quality: 100, hash: rotated } as const
      const image = { ...imageOf(hash), bank: orgId, signals: [signal] }
      await watches.put(orgId, [{ id, image }], clock.nowMs + 1000, 1000)
      await index.reached(await watches.lastPosition())
      const near = await index.near([{ type, view: 'whole', quality: 100, hash }], CASES_BANK)
      if (!near.some(({ watchId }) => watchId === id)) throw new Error(`${type} ${orientation}`)
    }),
    { numRuns: runs(30) },
  )
})
