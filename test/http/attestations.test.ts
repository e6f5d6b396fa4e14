// The list of pictures that an NGO may attest: from which cases, in which order, and until when.

import t from 'tap'
import { z } from 'zod'
import { MARKER, refused } from '../helpers/refusal.js'
import { redisOf, silent } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService } from '../helpers/service.js'
import { ask, operator } from '../helpers/trust.js'

const Waiting = z.object({
  signals: z.array(
    z.object({ signalId: z.string(), matchId: z.string(), caseId: z.string(), because: z.string(), tier: z.string() }),
  ),
  next: z.string().nullable(),
})
type Headers = Readonly<Record<string, string>>

const helper = (service: TestService, name: string) => keyFor(service, name, ['cases:write', 'feedback', 'match'], 'ngo')

async function waiting(service: TestService, { headers }: { readonly headers: Headers }, query = '') {
  const answer = await ask(service, 'GET', `/v1/attestations/waiting${query}`, headers)
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return Waiting.parse(answer.json())
}

/** Adds this many new pictures to a case. @returns their ids. */
async function addTo(service: TestService, url: string, headers: Headers, count: number): Promise<string[]> {
  const images = Array.from({ length: count }, () => ({
    signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }],
  }))
  const added = await ask(service, 'POST', `${url}/hashes`, headers, { images })
  return added.json<{ images: { imageId: string }[] }>().images.map(({ imageId }) => imageId)
}

async function assistedCase(service: TestService, headers: Headers, attest = false) {
  const consent = { kind: 'in-person', on: '2026-01-31' }
  const opened = await ask(service, 'POST', '/v1/assisted-cases', headers, { adult: true, consent, attest })
  const { caseId, caseNumber } = opened.json<{ caseId: string; caseNumber: string }>()
  return { caseId, url: `/v1/cases/${caseNumber}` }
}

const NOTICE = { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self' }
const idsIn = ({ signals }: z.infer<typeof Waiting>) => signals.map(({ signalId }) => signalId)

t.test('pictures of cases that an NGO opened, or that name it as contact, wait for its attestation', async (t) => {
  const service = await startService(t)
  const [ours, others] = [await helper(service, 'ours'), await helper(service, 'others')]
  t.same(await waiting(service, ours), { signals: [], next: null })
  const assisted = await assistedCase(service, ours.headers)
  const [first] = await addTo(service, assisted.url, ours.headers, 1)
  const vouchedFor = await assistedCase(service, ours.headers, true)
  await addTo(service, vouchedFor.url, ours.headers, 1)
  const hers = await openCase(service.app)
  const [second] = await addTo(service, hers.url, hers.headers, 1)
  t.equal((await ask(service, 'PUT', `${hers.url}/notice`, hers.headers, { ...NOTICE, contact: 'ours' })).statusCode, 200)
  const nobodys = await openCase(service.app)
  await addTo(service, nobodys.url, nobodys.headers, 1)

  const listed = await waiting(service, ours)
  t.same(
    listed.signals.map(({ signalId, because, tier }) => [signalId, because, tier]),
    [
      [first, 'opened', 'self-reported'],
      [second, 'contact', 'self-reported'],
    ],
  )
  t.equal(listed.signals[0]?.caseId, assisted.caseId)
  t.same(idsIn(await waiting(service, others)), [], 'another NGO sees none of them')

  const url = `/v1/matches/${listed.signals[1]?.matchId}/attestation`
  t.match((await ask(service, 'POST', url, ours.headers)).json(), { tier: 'ngo-attested' })
  t.same(idsIn(await waiting(service, ours)), [first])
  refused(t, await ask(service, 'POST', url, others.headers), 'match-unknown', 'the match id belongs to the other NGO')
})

t.test('pages of waiting pictures have the requested size and together list each picture once', async (t) => {
  const service = await startService(t, { now: () => Date.UTC(2026, 5, 1) }) // all in one millisecond
  const ours = await helper(service, 'ours')
  const expected: string[] = []
  for (let k = 0; k < 5; k++) {
    const { url } = await assistedCase(service, ours.headers)
    expected.push(...(await addTo(service, url, ours.headers, 3)))
  }
  const whole = idsIn(await waiting(service, ours))
  t.same(whole.toSorted(), expected.toSorted())
  for (const limit of [1, 2, 7, 15]) {
    const paged: string[] = []
    let next: string | null = ''
    while (next !== null) {
      const page: z.infer<typeof Waiting> = await waiting(service, ours, `?limit=${limit}${next && `&after=${next}`}`)
      t.ok(page.signals.length <= limit)
      paged.push(...idsIn(page))
      next = page.next
    }
    t.same(paged, whole, `${limit} at a time`)
  }
})

t.test('cases without pictures that name an NGO as their contact cost a request a bounded number of reads', async (t) => {
  const service = await startService(t)
  const ours = await helper(service, 'ours')
  const open = async () => {
    const its = await openCase(service.app)
    await ask(service, 'PUT', `${its.url}/notice`, its.headers, { ...NOTICE, contact: 'ours' })
    return its
  }
  for (let k = 0; k < 1100; k++) await open()
  const hers = await open()
  const expected = await addTo(service, hers.url, hers.headers, 1)
  const pages = []
  for (let next: string | null = ''; next !== null; next = pages.at(-1)?.next ?? null)
    pages.push(await waiting(service, ours, next && `?after=${next}`))
  t.same(pages.map(idsIn), [[], [], expected])
})

t.test('pictures that are handed over, withdrawn, invalidated or moved to another contact leave the list', async (t) => {
  const service = await startService(t)
  const [ours, others] = [await helper(service, 'ours'), await helper(service, 'others')]
  const redis = await redisOf(t, service)
  const handedOver = await assistedCase(service, ours.headers)
  await addTo(service, handedOver.url, ours.headers, 1)
  const withdrawn = await assistedCase(service, ours.headers)
  await addTo(service, withdrawn.url, ours.headers, 1)
  const invalidated = await assistedCase(service, ours.headers)
  const [invalidatedId] = await addTo(service, invalidated.url, ours.headers, 1)
  const hers = await openCase(service.app)
  const [moved] = await addTo(service, hers.url, hers.headers, 1)
  const name = (contact: string) => ask(service, 'PUT', `${hers.url}/notice`, hers.headers, { ...NOTICE, contact })
  await name('ours')
  t.equal((await waiting(service, ours)).signals.length, 4)

  await ask(service, 'POST', `${handedOver.url}/handover`, ours.headers, {})
  await ask(service, 'DELETE', withdrawn.url, ours.headers)
  const admin = await operator(service)
  await ask(service, 'POST', `/v1/signals/${invalidatedId}/dispute`, admin.headers, { reason: 'other' })
  await ask(service, 'POST', `/v1/signals/${invalidatedId}/dispute/decision`, admin.headers, { outcome: 'upheld' })
  await name('others')
  t.same(idsIn(await waiting(service, ours)), [])
  t.same(idsIn(await waiting(service, others)), [moved])

  await ask(service, 'DELETE', hers.url, hers.headers)
  await ask(service, 'DELETE', invalidated.url, ours.headers)
  t.equal((await redis.keys('{tabir}:assisted:*')).length, 1, 'a case that ends leaves the list')
  t.equal(
    await redis.zcard((await redis.keys('{tabir}:assisted:*'))[0] ?? ''),
    1,
    'a case that was handed over stays listed until it ends',
  )
})

t.test('only an NGO can list waiting pictures, and an invalid cursor or limit is refused', async (t) => {
  const service = await startService(t)
  const platform = await keyFor(service, 'platform', ['cases:write'])
  refused(t, await ask(service, 'GET', '/v1/attestations/waiting', platform.headers), 'organisation-kind-forbidden')
  const ours = await helper(service, 'ours')
  for (const query of [`?after=${MARKER}`, '?after=1.2.3.4', '?limit=0', '?limit=1001', `?limit=${MARKER}`])
    refused(t, await ask(service, 'GET', `/v1/attestations/waiting${query}`, ours.headers), 'request-invalid', query)
  silent(t, service)
})
