// Process entry: the messenger, which sends webhooks. It has access to Redis, the seal keys and the network. It never sees a picture.

import { setTimeout as sleep } from 'node:timers/promises'
import { onceRedisAnswers } from '../src/app/first-answer.js'
import { createLifecycle, startOrStop } from '../src/app/lifecycle.js'
import { readConfig } from '../src/boot/config.js'
import { exitOnError, leaveMemoryOutOfDumps, onHangups, refuseToStart, stopOnSignal } from '../src/boot/process.js'
import { plainJson } from '../src/domain/plain-text.js'
import { errorInLogs } from '../src/http/error-in-logs.js'
import { createOutgoing } from '../src/net/outgoing.js'
import { createMatchIds } from '../src/services/matching/match-ids.js'
import { createKeyRollover } from '../src/services/records/key-rollover.js'
import { createPseudonyms } from '../src/services/trust/pseudonyms.js'
import { webhookPlans } from '../src/services/webhooks/webhook-plan.js'
import { webhookSending } from '../src/services/webhooks/webhook-sending.js'
import { createLearnerCheck, createSubscriberCheck } from '../src/services/webhooks/webhook-subscribers.js'
import { createCaseStore } from '../src/store/cases/cases.js'
import { createDeadlineStore } from '../src/store/cases/deadlines.js'
import { createImageStore } from '../src/store/images/images.js'
import { createApiKeyStore } from '../src/store/organisations/api-keys.js'
import { createBankStore } from '../src/store/organisations/banks.js'
import { connectForFollowing, connectForWaiting, openStore, type Store } from '../src/store/redis/client.js'
import { checkFormat } from '../src/store/redis/format.js'
import { HEARTBEAT_INTERVAL_MS } from '../src/store/redis/heartbeats.js'
import type { Keyring } from '../src/store/sealing/seal.js'
import { keyringOf } from '../src/store/sealing/seal-keys.js'
import { checkRing, missingKeys } from '../src/store/sealing/seal-ring.js'
import { hasSecrets, loadSecrets, type Secrets } from '../src/store/sealing/secrets.js'
import { createTrustStore } from '../src/store/trust/trust.js'
import { createDeliveryStore } from '../src/store/webhooks/deliveries.js'
import { createWaitingEventStore } from '../src/store/webhooks/waiting-events.js'
import { createWebhookStore } from '../src/store/webhooks/webhooks.js'
import { deliverWebhooks } from './deliver-webhook.js'
import { keepHeartbeat } from './heartbeat.js'

/** By then deliveries under way are answered or aborted. The supervisor waits a little longer. */
const FINISH_TIMEOUT_MS = 20_000
const ASK_AGAIN_MS = 200

leaveMemoryOutOfDumps()
onHangups() // this process has no files to reload
const config = exitOnError(() => readConfig(process.env))
const target = { url: config.redisUrl, socket: config.redisSocket }
const warnLine = (msg: string) => console.error(plainJson({ level: 'warn', msg }))
const patience = { onWaiting: (line: string) => console.error(line) }
const now = () => Date.now()
const lifecycle = createLifecycle()
await startOrStop(lifecycle, start, warn).catch(refuseToStart)
stopOnSignal(lifecycle.stop)
process.send?.({ ready: true }) // only now, when signals stop it in order

async function start(): Promise<void> {
  const store = lifecycle.keep('store', await onceRedisAnswers(() => openStore(target), patience))
  await untilFirstUse(store)
  const { keyring, secrets } = await onceRedisAnswers(() => openSeals(store), patience)
  lifecycle.keep('sealing', createKeyRollover({ store, keyring, onError: warn, onSwitch: () => {} }))
  const connection = connectForWaiting(target)
  lifecycle.add('redis', () => connection.disconnect())
  const delivering = deliverWebhooks({
    connection,
    follower: connectForFollowing(target),
    ...createDelivery(store, keyring, secrets),
    now,
    warn: warnLine,
  })
  const jobs: { close(): Promise<void> }[] = [delivering]
  // Stopped in parallel, so that each may use all of the time.
  lifecycle.add('jobs', () => Promise.all(jobs.map((job) => job.close())), FINISH_TIMEOUT_MS)
  await delivering.ready
  const isFit = () => delivering.isFit()
  jobs.push(keepHeartbeat({ redis: connection, intervalMs: HEARTBEAT_INTERVAL_MS, isFit, whose: 'messengers' }))
}

function createDelivery(store: Store, keyring: Keyring, secrets: Secrets) {
  const [webhooks, deliveries] = [createWebhookStore(store, keyring), createDeliveryStore(store)]
  const [images, trusts, apiKeys] = [createImageStore(store, keyring), createTrustStore(store), createApiKeyStore(store)]
  const [cases, deadlines] = [createCaseStore(store), createDeadlineStore(store)]
  const isSubscribed = createSubscriberCheck({ apiKeys, now })
  return {
    deliveries,
    webhooks,
    waitingEvents: createWaitingEventStore(store),
    missingKeys: async () =>
      (await missingKeys(store, keyring)).map(({ label, fingerprint }) => `${label} (${fingerprint})`),
    planOf: webhookPlans({
      webhooks,
      images,
      cases,
      banks: createBankStore(store),
      apiKeys,
      deadlines,
      matchIds: createMatchIds(secrets.matchId),
      pseudonymOf: createPseudonyms(secrets.pseudonym),
      isSubscribed,
      now,
    }),
    sendTo: webhookSending({
      webhooks,
      deliveries,
      send: createOutgoing({ trusted: config.webhookOrigins }),
      isSubscribed,
      async stillMatching(imageId) {
        const [[isThere], [trustStatus]] = await Promise.all([images.existing([imageId]), trusts.trustStatuses([imageId])])
        return isThere === true && trustStatus?.matches !== false
      },
      mayLearn: createLearnerCheck({ cases, deadlines }),
      now,
      random: Math.random,
      onError: warn,
    }),
  }
}

function warn(error: unknown): void {
  console.error(plainJson({ level: 'warn', msg: 'trouble', err: errorInLogs(error) }))
}

async function openSeals(store: Store) {
  await checkFormat(store)
  const keyring = keyringOf(config, false)
  await checkRing(store, keyring)
  return { keyring, secrets: await loadSecrets(store, keyring) }
}

/** Waits for the api's first start, which creates the secrets. Before that there is nothing to send. */
async function untilFirstUse(store: Store): Promise<void> {
  while (!(await hasSecrets(store).catch(() => false))) await sleep(ASK_AGAIN_MS)
}
