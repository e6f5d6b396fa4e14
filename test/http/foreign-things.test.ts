// Every route answers for another organisation's objects as if they did not exist, and answer times do not show what is registered.

import { randomUUID } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import { SCOPES } from '../../src/domain/organisations/access.js'
import { NOISE_MS, spreadMs } from '../helpers/answer-times.js'
import { refused, withoutInstance } from '../helpers/refusal.js'
import { Description, post, UNKNOWN_CASE } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService, withBitsFlipped } from '../helpers/service.js'
import { caseWithPicture, matchIdOf } from '../helpers/trust.js'

type Headers = Readonly<Record<string, string>>

/** Valid bodies of routes that need one before they look up the object. */
const BODIES: Readonly<Record<string, () => InjectOptions['payload']>> = {
  'POST /v1/matches/{matchId}/feedback': () => ({ verdict: 'blocked' }),
  'PATCH /v1/banks/{bank}': () => ({ readers: [] }),
  'POST /v1/banks/{bank}/signals': () => ({ signals: [{ type: 'pdq', hash: randomHashText() }] }),
  'PATCH /v1/webhooks/{webhookId}': () => ({ enabled: false }),
  'POST /v1/cases/{caseNumber}/hashes': () => ({
    images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }],
  }),
  'PUT /v1/cases/{caseNumber}/images/{imageId}/answer': () => ({ answer: 'added-by-mistake' }),
  'PUT /v1/cases/{caseNumber}/complaint': () => ({ reference: 'police 7' }),
  'POST /v1/cases/{caseNumber}/complaint/checks': () => ({ reference: 'police 7' }),
}

/** A context is named by its platform, so that two may have one of the same name: deleting is answered as done, and takes only the caller's own. */
const OWN_NAMES: ReadonlySet<string> = new Set(['DELETE /v1/insights/contexts/{context}'])

t.test('every route answers for an object of another organisation as for one that does not exist', async (t) => {
  const service = await startService(t)
  const { app } = service
  // An operator may see all signals, so these keys do not have `admin`.
  const others = SCOPES.filter((scope) => scope !== 'admin')
  const mine = await keyFor(service, 'mine', others, 'ngo')
  const theirs = await keyFor(service, 'theirs', others, 'ngo')
  const another = await openCase(app)
  const { ids, made } = await thingsOf(service, mine.headers)
  const { paths } = Description.parse(app.swagger())
  let compared = 0
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method.toUpperCase()} ${path}`
      const isGuarded = (operation.security?.length ?? 0) > 0
      const isAdmins = operation.security?.some((way) => way['organisationKey']?.includes('admin')) === true
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => param ?? '')
      if (!isGuarded || isAdmins || names.length === 0) continue
      for (const param of names) if (!(param in ids)) t.fail(`${name}: no ${param} to ask with; make one in thingsOf`)
      const isCases = operation.security?.some((way) => 'caseToken' in way) === true
      for (const { headers } of isCases ? [theirs, another] : [theirs]) {
        const asking = (values: Readonly<Record<string, string>>): InjectOptions => ({
          method: method.toUpperCase() as 'GET',
          url: path.replaceAll(/\{(\w+)\}/g, (_, param) => values[param] ?? ''),
          headers,
          ...(BODIES[name] !== undefined && { payload: BODIES[name]() ?? '' }),
        })
        const foreign = await app.inject(asking(ids))
        const missing = await app.inject(asking(made))
        compared++
        t.equal(foreign.statusCode, missing.statusCode, name)
        t.equal(foreign.statusCode >= 400, !OWN_NAMES.has(name), `${name}: ${foreign.statusCode}`)
        const said = OWN_NAMES.has(name) ? (body: string) => body : withoutInstance
        t.same(said(foreign.body), said(missing.body), `${name}: the same text`)
        const spread = await spreadMs(app, [asking(ids), asking(made)])
        if (spread >= NOISE_MS) t.fail(`${name}: the times differ by ${spread} ms`)
      }
    }
  }
  t.ok(compared >= 30, `${compared} combinations`)
})

/** One object of each kind, of one organisation, and for each an unused id of the same form. */
async function thingsOf(service: TestService, headers: Headers) {
  const { app } = service
  const send = async (method: 'POST', url: string, payload: object) =>
    (await app.inject({ method, url, headers: { ...headers }, payload })).json<Record<string, unknown>>()
  await send('POST', '/v1/banks', { name: 'ours', readers: [] })
  const hash = randomHashText()
  const added = await send('POST', '/v1/banks/ours/signals', { signals: [{ type: 'pdq', hash }] })
  const [signal] = added['signals'] as { signalId: string }[]
  const { caseNumber, imageId } = await caseWithPicture(service)
  const matchId = await matchIdOf(service, headers, hash)
  const context = randomUUID()
  await send('POST', '/v1/match', { queries: [{ context, signals: [{ type: 'pdq', hash }] }] })
  const webhook = await send('POST', '/v1/webhooks', { url: 'https://example.com/hook', events: ['match.found'] })
  const imported = await app.inject({
    method: 'POST',
    url: '/v1/banks/ours/imports',
    headers: { ...headers, 'content-type': 'text/plain' },
    payload: `${randomHashText()}\n`,
  })
  const watched = await send('POST', '/v1/watch', {
    days: 1,
    watches: [{ reference: 'upload', signals: [{ type: 'pdq', hash: randomHashText() }] }],
  })
  const [watch] = watched['watches'] as { watchId: string }[]
  const ids = {
    bank: 'ours',
    context,
    watchId: watch?.watchId ?? '',
    importId: imported.json<{ importId?: string }>().importId ?? '',
    signalId: signal?.signalId ?? '',
    caseNumber,
    imageId,
    matchId,
    webhookId: String(webhook['webhookId']),
    deliveryId: randomUUID(),
  }
  const made = {
    bank: 'none',
    context: randomUUID(),
    importId: randomUUID(),
    watchId: randomUUID(),
    signalId: randomUUID(),
    caseNumber: UNKNOWN_CASE,
    imageId: randomUUID(),
    matchId: `${matchId.startsWith('A') ? 'B' : 'A'}${matchId.slice(1)}`,
    webhookId: randomUUID(),
    deliveryId: randomUUID(),
  }
  return { ids, made }
}

t.test('answer times do not show a caller without match whether a hash is registered', async (t) => {
  const service = await startService(t)
  const { app } = service
  const her = await caseWithPicture(service)
  const outsider = await keyFor(service, 'outsider', ['feedback'])
  const asked = [her.hash, randomHashText()].map(
    (hash) =>
      ({
        method: 'POST',
        url: '/v1/match',
        headers: outsider.headers,
        payload: { queries: [{ signals: [{ type: 'pdq', hash }] }] },
      }) as const,
  )
  for (const request of asked) refused(t, await app.inject(request), 'scope-missing')
  t.ok((await spreadMs(app, asked)) < NOISE_MS, 'a query without the scope')

  // An attacker can also open a case or own a bank, submit pictures and measure how long that takes.
  const own = await openCase(app)
  const partner = await keyFor(service, 'partner', ['signals:write'], 'ngo')
  await post(app, '/v1/banks', { name: 'mine' }, partner.headers)
  const handedIn = (hash: string): Readonly<Record<string, InjectOptions>> => ({
    'into a case': {
      method: 'POST',
      url: `${own.url}/hashes`,
      headers: own.headers,
      payload: { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] },
    },
    'into a bank': {
      method: 'POST',
      url: '/v1/banks/mine/signals',
      headers: partner.headers,
      payload: { signals: [{ type: 'pdq', hash, quality: 90 }] },
    },
  })
  const near = handedIn(withBitsFlipped(her.hash, 3))
  const far = handedIn(randomHashText())
  for (const [where, request] of Object.entries(near)) {
    const other = far[where] ?? {}
    const said = [(await app.inject(request)).body, (await app.inject(other)).body]
    const [one, two] = said.map((body) => body.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'an id'))
    t.equal(one, two, `${where}: the same answer`)
    t.ok((await spreadMs(app, [request, other])) < NOISE_MS, where)
  }
})
