// In every state in which copies of a registered picture are not all recognised, its submitter reads what platforms get.

import t from 'tap'
import { RECOGNITIONS, type Recognition } from '../../src/domain/trust/recognition.js'
import { refused } from '../helpers/refusal.js'
import { codeOf, openCase, startService, withBitsFlipped } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, operator, platform } from '../helpers/trust.js'

const service = await startService(t)
const boss = await operator(service)
const one = await platform(service, 'one')
const { trust } = service.services

type Hers = Awaited<ReturnType<typeof caseWithPicture>>

/** Lists a picture this many bits away as harmless. */
async function list(hash: string, bits: number): Promise<string> {
  const signals = [{ type: 'pdq', hash: withBitsFlipped(hash, bits) }]
  const answer = await ask(service, 'POST', '/v1/banks/harmless/signals', boss.headers, { signals })
  return answer.json<{ signals: { signalId: string }[] }>().signals[0]?.signalId ?? ''
}

async function uphold({ hash, imageId, url, headers }: Hers, reason: string, answer?: string): Promise<void> {
  await feedback(service, one, hash, { verdict: 'disputed', reason })
  if (answer !== undefined) await ask(service, 'PUT', `${url}/images/${imageId}/answer`, headers, { answer })
  const decision = { outcome: 'upheld' }
  const decided = await ask(service, 'POST', `/v1/signals/${imageId}/dispute/decision`, boss.headers, decision)
  if (decided.statusCode !== 200) throw new Error(decided.body)
}

interface State {
  readonly recognition: Recognition
  readonly enter: (hers: Hers) => Promise<unknown>
  /** Whether the picture itself is found, and a copy of it that differs in 20 bits. */
  readonly found: readonly [same: boolean, copy: boolean]
  readonly mayAppeal?: true
}

const STATES: Readonly<Record<string, State>> = {
  registered: { recognition: 'full', enter: async () => {}, found: [true, true] },
  disputed: {
    recognition: 'full',
    enter: ({ hash }) => feedback(service, one, hash, { verdict: 'disputed', reason: 'other' }),
    found: [true, true],
  },
  'with a view stopped': {
    recognition: 'decoration',
    enter: ({ imageId }) => trust.hold(imageId, { cause: 'decoration', flood: 1, view: 1 }),
    found: [true, true],
  },
  narrowed: {
    recognition: 'narrowed',
    enter: ({ imageId }) => trust.hold(imageId, { cause: 'look-alikes', flood: 1 }),
    found: [true, false],
  },
  listed: { recognition: 'listed', enter: ({ hash }) => list(hash, 0), found: [false, false], mayAppeal: true },
  'like a listed one': {
    recognition: 'listed',
    enter: ({ hash }) => list(hash, 22),
    found: [true, false],
    mayAppeal: true,
  },
  paused: {
    recognition: 'paused',
    enter: ({ imageId }) => trust.pause(imageId, 0, 'operator'),
    found: [false, false],
  },
  'held by an operator': {
    recognition: 'held',
    enter: ({ imageId }) => ask(service, 'POST', `/v1/signals/${imageId}/quarantine`, boss.headers),
    found: [false, false],
  },
  'held as flooded': {
    recognition: 'held',
    enter: ({ imageId }) => trust.hold(imageId, { cause: 'flood', flood: 1 }),
    found: [false, false],
  },
  'judged harmless': {
    recognition: 'judged',
    enter: (hers) => uphold(hers, 'harmless-content'),
    found: [false, false],
    mayAppeal: true,
  },
  'judged otherwise': {
    recognition: 'judged',
    enter: (hers) => uphold(hers, 'published-with-consent'),
    found: [false, false],
    mayAppeal: true,
  },
  'added by mistake': {
    recognition: 'mistake',
    enter: (hers) => uphold(hers, 'harmless-content', 'added-by-mistake'),
    found: [false, false],
  },
}

t.test('the export and the report say in every state what platforms find', async (t) => {
  t.same(new Set(Object.values(STATES).map(({ recognition }) => recognition)), new Set(RECOGNITIONS), 'every state is tried')
  for (const [name, { recognition, enter, found, mayAppeal }] of Object.entries(STATES)) {
    const hers = await caseWithPicture(service)
    await enter(hers)
    const isFound = async (hash: string) => (await matchesOf(service, one.headers, hash)).length > 0
    t.same([await isFound(hers.hash), await isFound(withBitsFlipped(hers.hash, 20))], found, name)
    const said = { images: [{ imageId: hers.imageId, matching: found[0], recognition }] }
    t.match((await ask(service, 'GET', `${hers.url}/export`, hers.headers)).json(), said, name)
    const report = await ask(service, 'GET', `${hers.url}/report`, hers.headers)
    t.match(report.json(), { images: [{ recognition }] }, name)
    const appealed = await ask(service, 'POST', `${hers.url}/images/${hers.imageId}/appeal`, hers.headers)
    t.same(mayAppeal ? appealed.json() : codeOf(appealed), mayAppeal ? { state: 'open' } : 'appeal-unneeded', name)
  }
})

t.test('an appeal that is granted makes the picture recognised again, whatever the dispute was about', async (t) => {
  const judged = await caseWithPicture(service)
  await uphold(judged, 'published-with-consent')
  const listed = await caseWithPicture(service)
  await ask(service, 'POST', '/v1/banks', boss.headers, { name: 'logos', purpose: 'harmless' })
  const signals = [{ type: 'pdq', hash: listed.hash }]
  const added = await ask(service, 'POST', '/v1/banks/logos/signals', boss.headers, { signals })
  const { signalId } = added.json<{ signals: [{ signalId: string }] }>().signals[0]
  for (const [hers, appealed] of [
    [judged, judged.imageId],
    [listed, signalId],
  ] as const) {
    const appeal = () => ask(service, 'POST', `${hers.url}/images/${hers.imageId}/appeal`, hers.headers)
    t.same((await appeal()).json(), { state: 'open' })
    const waiting = await ask(service, 'GET', '/v1/appeals', boss.headers)
    t.ok(waiting.body.includes(appealed), 'the operator sees it')
    const granted = await ask(service, 'POST', `/v1/appeals/${appealed}/decision`, boss.headers, { outcome: 'granted' })
    t.equal(granted.statusCode, 204, granted.body)
    t.equal((await matchesOf(service, one.headers, hers.hash)).length, 1)
    refused(t, await appeal(), 'appeal-unneeded')
  }
})

t.test('nobody appeals for a picture of another case', async (t) => {
  const judged = await caseWithPicture(service)
  await uphold(judged, 'other')
  const { url, headers } = await openCase(service.app)
  refused(t, await ask(service, 'POST', `${url}/images/${judged.imageId}/appeal`, headers), 'signal-unknown')
})
