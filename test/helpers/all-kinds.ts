// Requests after which a store has nearly every kind of record: by her, a platform and a helpline.

import { randomBytes } from 'node:crypto'
import { z } from 'zod'

type AskJson = (
  method: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
) => Promise<{ readonly status: number; readonly body: string }>

const Opened = z.object({ caseNumber: z.string(), pin: z.string(), recoveryCode: z.string(), token: z.string() })
const Matched = z.object({ results: z.array(z.object({ matches: z.array(z.object({ matchId: z.string() })) })) })

interface Callers {
  readonly platform: string
  readonly ngo: string
}

/** @returns what must be nowhere in readable form. @throws for a refused request */
export async function makeAllKinds(ask: AskJson, keys: Callers) {
  const as = (key: string) => ({ authorization: `Bearer ${key}` })
  const [platform, ngo] = [as(keys.platform), as(keys.ngo)]
  const done = async (...request: Parameters<AskJson>) => {
    const { status, body } = await ask(...request)
    if (status >= 300) throw new Error(`${request[0]} ${request[1]} was answered with ${status}: ${body}`)
    return body
  }
  const hash = randomBytes(32)
  const signals = [{ type: 'pdq', hash: hash.toString('hex'), quality: 100 }]
  const once = { 'idempotency-key': randomBytes(16).toString('hex') }

  const her = Opened.parse(JSON.parse(await done('POST', '/v1/cases', { adult: true }, once)))
  const [path, hers] = [`/v1/cases/${her.caseNumber}`, as(her.token)]
  await done('POST', `${path}/hashes`, { images: [{ signals }] }, hers)
  const consent = { kind: 'in-person', on: '2026-01-31' }
  await done('POST', '/v1/assisted-cases', { adult: true, consent }, ngo)
  const statements = ['goodFaith', 'withoutConsent', 'accurate', 'authorised']
  await done('PUT', `${path}/notice`, { laws: ['my-onsa'], statements, actingAs: 'self' }, hers)

  const queries = [{ signals, context: 'a-group-of-24-characters' }]
  const { results } = Matched.parse(JSON.parse(await done('POST', '/v1/match', { queries }, platform)))
  const matchId = results[0]?.matches[0]?.matchId ?? ''
  await done('POST', '/v1/watch', { watches: [{ signals, reference: 'item-4711' }], days: 1 }, platform)
  await done(
    'POST',
    '/v1/webhooks',
    { url: 'https://hooks.example/', events: ['signal.withdrawn', 'signal.disputed'] },
    platform,
  )
  await done('POST', `/v1/matches/${matchId}/feedback`, { verdict: 'disputed', reason: 'other' }, platform)
  await done('GET', '/v1/feed', undefined, platform)
  await done('GET', '/stopncii/v1/FetchHashes?pageSize=10', undefined, { 'x-functions-key': keys.platform })
  return { hash, secrets: [her.caseNumber, her.recoveryCode, her.token, ...Object.values(once)], pin: her.pin }
}
