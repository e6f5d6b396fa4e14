// What the operations of the client are tried on: one service, and organisations with keys to it.

import type { Answer, Args, OperationId, TabirClient } from '../../packages/client/src/tabir-client.js'
import { tabirClient } from '../../packages/client/src/tabir-client.js'
import { SCOPES } from '../../src/domain/organisations/access.js'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { EXCHANGE } from '../helpers/exchange.js'
import { keyFor, randomHashText } from '../helpers/service.js'
import { startEndpoint } from '../helpers/webhooks.js'
import { startMessenger } from '../helpers/workers.js'
import { openWorld, type World } from './world.js'

export interface Pseudonym {
  readonly key: string | undefined
  /** On a good line. */
  readonly call: TabirClient['call']
}

export interface ClientWorld {
  readonly world: World
  readonly endpointUrl: string
  readonly anybody: Pseudonym
  readonly ngo: Pseudonym
  readonly platform: Pseudonym
  readonly operator: Pseudonym
  owner(token: string): Pseudonym
}

/** One try of an operation: on what, and how it stands. */
export interface Trial<Op extends OperationId> {
  readonly by: Pseudonym
  readonly args: Args<Op>
  /** What the operation is to change, without ids: the same for each trial. */
  state?(): Promise<unknown>
  /** Is the answer worth what it says? @returns what is wrong. */
  check?(answer: Answer<Op>): Promise<string | undefined>
  /** What may be said of a repeat after a rejection; any reason of ours when left out. */
  readonly repeatSays?: readonly string[]
  /** Does what she had still hold when the client told of no success? @returns what is wrong. */
  checkRejected?(): Promise<string | undefined>
}

export async function openClientWorld(): Promise<ClientWorld & { close(): Promise<void> }> {
  const endings: (() => unknown)[] = []
  const t = { teardown: (end: () => unknown) => void endings.push(end) }
  const endpoint = await startEndpoint(t)
  const origins = new Set([endpoint.origin])
  const world = await openWorld({
    webhookOrigins: origins,
    exchanges: exchangesIn(JSON.stringify({ exchanges: [EXCHANGE] })),
  })
  endings.push(() => world.close())
  world.service.services.beginPulling()
  await startMessenger(t, world.service.redis, origins)
  const pseudonym = (key?: string): Pseudonym => ({
    key,
    call: tabirClient({ url: world.url, ...(key !== undefined && { key }) }).call,
  })
  const of = async (org: string, kind: 'ngo' | 'platform' | 'operator') =>
    pseudonym((await keyFor(world.service, org, SCOPES, kind)).key)
  return {
    world,
    endpointUrl: endpoint.url,
    anybody: pseudonym(),
    ngo: await of('ngo', 'ngo'),
    platform: await of('platform', 'platform'),
    operator: await of('operator', 'operator'),
    owner: pseudonym,
    async close() {
      for (const end of endings.reverse()) await end()
    },
  }
}

export async function freshCase(at: ClientWorld, hash = randomHashText()) {
  const { caseNumber, pin, token } = await at.anybody.call('openCase', { body: { adult: true } })
  const her = at.owner(token)
  const params = { caseNumber }
  const signals = [{ type: 'pdq', hash, quality: 100 }] as const
  const { images } = await her.call('addHashes', { params, body: { images: [{ signals }] } })
  const [image] = images
  if (image?.imageId === undefined) throw new Error('a case takes an image')
  return { her, params, caseNumber, pin, token, hash, signals, imageId: image.imageId }
}

export async function freshMatch(at: ClientWorld, by: Pseudonym) {
  const one = await freshCase(at)
  const { results } = await by.call('match', { body: { queries: [{ signals: one.signals }] } })
  const matchId = results[0]?.matches?.[0]?.matchId
  if (matchId === undefined) throw new Error('it matches')
  return { ...one, matchId }
}
