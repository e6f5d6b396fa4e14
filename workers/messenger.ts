// Process entry: tells other systems what happened. It knows Redis, the seal keys and the way out; it never sees a picture.

import { setTimeout as sleep } from 'node:timers/promises'
import { onceRedisAnswers } from '../src/app/first-answer.js'
import { createLifecycle, startOrStop } from '../src/app/lifecycle.js'
import { readConfig } from '../src/boot/config.js'
import { hearHangups, leaveMemoryOutOfDumps, orRefuseToStart, refuseToStart, stopOnSignal } from '../src/boot/process.js'
import { plainJson } from '../src/domain/plain-text.js'
import { outgoingThrough } from '../src/net/outgoing.js'
import { matchIdsWith } from '../src/services/matching/match-ids.js'
import { sealingAsAgreed } from '../src/services/records/key-rollover.js'
import { partiesWith } from '../src/services/trust/parties.js'
import { webhookHearers } from '../src/services/webhooks/webhook-hearers.js'
import { webhookPlans } from '../src/services/webhooks/webhook-plan.js'
import { webhookSending } from '../src/services/webhooks/webhook-sending.js'
import { casesIn } from '../src/store/cases/cases.js'
import { clocksIn } from '../src/store/cases/clocks.js'
import { imagesIn } from '../src/store/images/images.js'
import { apiKeysIn } from '../src/store/organisations/api-keys.js'
import { banksIn } from '../src/store/organisations/banks.js'
import { connectForFollowing, connectForWaiting, openStore, type Store } from '../src/store/redis/client.js'
import { checkFormat } from '../src/store/redis/format.js'
import { BEAT_EVERY_MS } from '../src/store/redis/heartbeats.js'
import type { Keyring } from '../src/store/sealing/seal.js'
import { keyringOf } from '../src/store/sealing/seal-keys.js'
import { checkRing, missingKeys } from '../src/store/sealing/seal-ring.js'
import { hasSecrets, loadSecrets, type Secrets } from '../src/store/sealing/secrets.js'
import { trustsIn } from '../src/store/trust/trust.js'
import { deliveriesIn } from '../src/store/webhooks/deliveries.js'
import { waitingEventsIn } from '../src/store/webhooks/waiting-events.js'
import { webhooksIn } from '../src/store/webhooks/webhooks.js'
import { keepBeating } from './beating.js'
import { deliverWebhooks } from './deliver-webhook.js'

/** Messages on their way are answered, or taken back, by then; the supervisor waits a little longer. */
const FINISH_WITHIN_MS = 20_000
const ASK_AGAIN_MS = 200

leaveMemoryOutOfDumps()
hearHangups() // they have nothing to read again
const config = orRefuseToStart(() => readConfig(process.env))
const target = { url: config.redisUrl, socket: config.redisSocket }
const patience = { onWaiting: (line: string) => console.error(line) }
const now = () => Date.now()
const lifecycle = createLifecycle()
await startOrStop(lifecycle, start, warn).catch(refuseToStart)
stopOnSignal(lifecycle.stop)
process.send?.({ ready: true }) // and not before a signal stops it as it should

async function start(): Promise<void> {
  const store = lifecycle.keep('store', await onceRedisAnswers(() => openStore(target), patience))
  await untilFirstUse(store)
  const { keyring, secrets } = await onceRedisAnswers(() => openSeals(store), patience)
  lifecycle.keep('sealing', sealingAsAgreed({ store, keyring, now, onTrouble: warn, onSwitch: () => {} }))
  const connection = connectForWaiting(target)
  lifecycle.add('redis', () => connection.disconnect())
  const delivering = deliverWebhooks({
    connection,
    follower: connectForFollowing(target),
    ...createDelivery(store, keyring, secrets),
    now,
    warn: (line) => console.error(line),
  })
  const jobs: { close(): Promise<void> }[] = [delivering]
  // Stopped together, so that each may take all of the time.
  lifecycle.add('jobs', () => Promise.all(jobs.map((job) => job.close())), FINISH_WITHIN_MS)
  await delivering.ready
  const isFit = () => delivering.isFit()
  jobs.push(keepBeating({ redis: connection, everyMs: BEAT_EVERY_MS, isFit, whose: 'messengers' }))
}

function createDelivery(store: Store, keyring: Keyring, secrets: Secrets) {
  const [webhooks, deliveries] = [webhooksIn(store, keyring), deliveriesIn(store)]
  const [images, trusts, apiKeys] = [imagesIn(store, keyring), trustsIn(store), apiKeysIn(store)]
  const mayHear = webhookHearers({ apiKeys, now })
  return {
    deliveries,
    webhooks,
    waitingEvents: waitingEventsIn(store),
    missingKeys: async () =>
      (await missingKeys(store, keyring)).map(({ label, fingerprint }) => `${label} (${fingerprint})`),
    planOf: webhookPlans({
      webhooks,
      images,
      cases: casesIn(store),
      banks: banksIn(store),
      apiKeys,
      clocks: clocksIn(store),
      matchIds: matchIdsWith(secrets.matchId),
      partyOf: partiesWith(secrets.party),
      mayHear,
      now,
    }),
    sendTo: webhookSending({
      webhooks,
      deliveries,
      send: outgoingThrough({ trusted: config.webhookOrigins }),
      mayHear,
      async stillMatches(imageId) {
        const [[isThere], [standing]] = await Promise.all([images.areThere([imageId]), trusts.standings([imageId])])
        return isThere === true && standing?.matches !== false
      },
      now,
      random: Math.random,
      onTrouble: warn,
    }),
  }
}

function warn(error: unknown): void {
  console.error(plainJson({ level: 'warn', msg: error instanceof Error ? error.message : 'trouble' }))
}

async function openSeals(store: Store) {
  await checkFormat(store)
  const keyring = keyringOf(config, false)
  await checkRing(store, keyring)
  return { keyring, secrets: await loadSecrets(store, keyring) }
}

/** The api makes what is secret when it starts for the first time; before that there is nothing to tell of. */
async function untilFirstUse(store: Store): Promise<void> {
  while (!(await hasSecrets(store).catch(() => false))) await sleep(ASK_AGAIN_MS)
}
