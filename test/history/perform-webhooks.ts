// Steps about a platform that is told by webhook: its endpoint may be down for hours, and few messages can wait for it. The messenger works in this
// process, at a clock of its own, so that hours pass in one step.

import { randomBytes } from 'node:crypto'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { EVENTS_MISSED } from '../../src/domain/organisations/webhook.js'
import { createOutgoing } from '../../src/net/outgoing.js'
import { createApiKey } from '../../src/services/keys/access.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createPseudonyms } from '../../src/services/trust/pseudonyms.js'
import { webhookSending } from '../../src/services/webhooks/webhook-sending.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { connectForFollowing, openStore, type Store } from '../../src/store/redis/client.js'
import { idBuffer, keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { createDeliveryStore } from '../../src/store/webhooks/deliveries.js'
import { createWebhookStore } from '../../src/store/webhooks/webhooks.js'
import { planAll, plansIn } from '../helpers/webhook-plans.js'
import { startEndpoint } from '../helpers/webhooks.js'
import { bankOf, matchesOf, settled } from './check.js'
import { type Scene, thingName } from './scene.js'
import type { StepOf } from './steps.js'
import { SEAL_KEY, type World } from './world.js'

/** A platform with a webhook, and what it knows. */
export interface Listener {
  readonly key: string
  readonly orgId: string
  readonly webhookId: string
  readonly endpoint: Awaited<ReturnType<typeof startEndpoint>>
  /** Its match ids of the things that it has met. */
  readonly met: Map<string, string>
  /** Match ids that it knows to be withdrawn. */
  readonly knows: Set<string>
  /** By how much [ms] the messenger is ahead of the apis, because its endpoint was waited for. */
  aheadMs: number
  hasRefused: boolean
}

/** As few as an episode reaches. */
const LIMITS = { deliveries: 8, withdrawals: 6, ofSubject: 3 }
/** Looks at the endpoint in one step. */
const MAX_LOOKS = 150
const HOUR_S = 3600
/** All are told within ten minutes; after refusals within half a day, the longest wait between two attempts. */
const TOLD_S = { atOnce: 660, afterRefusals: 13 * HOUR_S } as const
const KEYRING = makeKeyring([SEAL_KEY])

async function inStore<T>({ target }: World, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(target)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

export async function subscribe(scene: Scene): Promise<undefined> {
  const endpoint = await startEndpoint({ teardown: (end: () => unknown) => void scene.endings.push(end) })
  const name = randomBytes(6).toString('hex')
  scene.listener = await inStore(scene.world, async (store) => {
    const apiKeys = createApiKeyStore(store)
    const facts = { org: `listener ${name}`, kind: 'platform', scopes: new Set(['match', 'webhooks'] as const) } as const
    const { key, keyId } = await createApiKey(apiKeys, { ...facts, env: 'test', nowMs: Date.now() })
    const orgId = (await apiKeys.get(keyId))?.orgId ?? ''
    const webhookId = uuidV7(Date.now(), randomBytes(10))
    await createWebhookStore(store, KEYRING).add({
      ...{ webhookId, orgId, url: endpoint.url, events: ['signal.withdrawn'], isEnabled: true, maxPerSecond: 50 },
      secrets: [{ secret: `whsec_${randomBytes(32).toString('base64')}`, untilMs: undefined }],
      createdAtMs: Date.now(),
    })
    // What earlier episodes left is for nobody.
    await store.ask(async (redis) => {
      const [last] = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1)
      await redis.del(keys.webhookOutbox)
      if (last !== undefined) await redis.set(keys.webhookEventCursor, last[0])
    })
    return { key, orgId, webhookId, endpoint, met: new Map(), knows: new Set(), aheadMs: 0, hasRefused: false }
  })
}

/** It matches everything that is there. Once Redis has noted that, it has to be told of each withdrawal. */
export async function meet(scene: Scene, { at }: StepOf<'meet'>): Promise<undefined> {
  const { listener, world, model } = scene
  if (listener === undefined) return
  const { key, orgId, met } = listener
  const things = [...model.things.values()].filter(({ presence }) => presence === 'there')
  const hashes = things.map(({ hash }) => hash)
  const found = await matchesOf({ ...scene, keys: { ...scene.keys, watcher: key } }, at, hashes)
  const secrets = await inStore(world, (store) => loadSecrets(store, KEYRING))
  const [matchIds, pseudonymOf] = [createMatchIds(secrets.matchId), createPseudonyms(secrets.pseudonym)]
  const told = things.flatMap((thing) => {
    const match = found.get(thing.hash)?.find(({ bank }) => bank === bankOf(scene, thing.home))
    const imageId = match && matchIds.imageOf(orgId, match.matchId)
    if (match === undefined || imageId === undefined) return []
    met.set(thingName(thing), match.matchId)
    return [{ name: thingName(thing), imageId }]
  })
  await settled(scene, 'withdrawal-told', async () => {
    for (const { name, imageId } of told)
      if (!(await world.redis().sismember(keys.told(idBuffer(imageId).toString('hex')), pseudonymOf(orgId, imageId))))
        return `who has matched ${name} is not noted, and will not be told of its withdrawal`
    return undefined
  })
}

/** The messenger works for a while, and the endpoint answers or refuses. */
export async function deliver(scene: Scene, { s, answers }: StepOf<'deliver'>): Promise<undefined> {
  const { listener, world } = scene
  if (listener === undefined) return
  const { endpoint, webhookId } = listener
  endpoint.answer(() => (answers ? 204 : 503))
  const now = () => Math.round(scene.nowS() * 1000 + listener.aheadMs)
  const endMs = now() + s * 1000
  const until = (atMs: number) => {
    listener.aheadMs += Math.max(0, atMs - now())
  }
  const follower = connectForFollowing(world.target)
  try {
    await inStore(world, async (store) => {
      const deliveries = createDeliveryStore(store, LIMITS)
      await planAll(follower, deliveries, plansIn(store, KEYRING, await loadSecrets(store, KEYRING), now))
      const send = webhookSending({
        webhooks: createWebhookStore(store, KEYRING),
        deliveries,
        send: createOutgoing({ trusted: new Set([endpoint.origin]) }),
        isSubscribed: async () => true,
        stillMatching: async () => true,
        mayLearn: async () => true,
        now,
        random: scene.random,
        onError: ({ message }) => scene.broken('withdrawal-told', message),
      })
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        const againMs = await send(webhookId)
        if (againMs === undefined || againMs > endMs) break
        until(againMs)
      }
    })
  } finally {
    follower.disconnect()
  }
  until(endMs)
  learn(scene, listener, answers)
}

/** What it has learned by the messages that it answered. The one for many says that it has to ask for all. */
function learn({ model }: Scene, listener: Listener, answers: boolean): void {
  const messages = listener.endpoint.received.splice(0)
  if (!answers) listener.hasRefused ||= messages.length > 0
  else if (messages.some(({ body }) => body.type === EVENTS_MISSED)) {
    for (const thing of model.things.values())
      if (thing.presence === 'gone') listener.knows.add(listener.met.get(thingName(thing)) ?? '')
  } else for (const { body } of messages) listener.knows.add(String(body.data['matchId']))
}

/** Everything that it has met and that was withdrawn. */
export async function checkAllTold(scene: Scene): Promise<undefined> {
  const { listener, model } = scene
  if (listener === undefined) return
  const s = listener.hasRefused ? TOLD_S.afterRefusals : TOLD_S.atOnce
  await deliver(scene, { do: 'deliver', s, answers: true })
  const { met, knows } = listener
  const gone = [...model.things.values()].filter((thing) => thing.presence === 'gone' && met.has(thingName(thing)))
  const untold = gone.filter((thing) => !knows.has(met.get(thingName(thing)) ?? ''))
  if (untold.length === 0) return
  const names = untold.slice(0, 3).map(thingName).join(', ')
  scene.broken('withdrawal-told', `of ${gone.length} withdrawals ${untold.length} were not told in ${s} s: ${names}`)
}
