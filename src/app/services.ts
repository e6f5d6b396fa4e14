// Connections in, services out: the one place where the parts are put together.

import { setTimeout as sleep } from 'node:timers/promises'
import { HandoffDesk } from '../handoff/desk.js'
import { listenForWorkers } from '../handoff/listener.js'
import { IMAGE_TTL_MS } from '../jobs/hash-image.js'
import { bankErasing } from '../services/banks/bank-erasure.js'
import { banksFrom } from '../services/banks/banks.js'
import { exportsFrom } from '../services/banks/exports.js'
import { caseAccessTo } from '../services/cases/case-access.js'
import { caseFilesIn } from '../services/cases/case-file.js'
import { casesFrom } from '../services/cases/cases.js'
import { feedOver } from '../services/feed/feed.js'
import { feedCursorsWith } from '../services/feed/feed-cursor.js'
import { createFeedLines } from '../services/feed/feed-lines.js'
import { ORIGIN_BYTES } from '../services/index/image-ids.js'
import { recentChanges } from '../services/index/recent-changes.js'
import { Replica } from '../services/index/replica.js'
import { snapshotsIn } from '../services/index/snapshot.js'
import { hashingThrough } from '../services/intake/hashing.js'
import { importsOver } from '../services/intake/imports.js'
import { pictureFetching } from '../services/intake/picture-fetching.js'
import { registrationIn } from '../services/intake/registration.js'
import { invalidatedSignals } from '../services/intake/resubmission-block.js'
import { contentIdsWith } from '../services/interop/content-ids.js'
import { contentsIn } from '../services/interop/contents.js'
import { fetchedHashesOver } from '../services/interop/fetched-hashes.js'
import { stopNciiOver } from '../services/interop/stopncii.js'
import { identify } from '../services/keys/access.js'
import { keyKeeping } from '../services/keys/key-administration.js'
import { keyUsesOver } from '../services/keys/key-uses.js'
import { dueTimeBy } from '../services/load/due-time.js'
import { LOOP, turnsOfLoop } from '../services/load/event-loop-scheduler.js'
import { idempotencyOver } from '../services/load/idempotency.js'
import { limitCounter } from '../services/load/limits.js'
import { harmlessAmong, harmlessLike } from '../services/matching/harmless-filter.js'
import { matchIdsWith } from '../services/matching/match-ids.js'
import { healthOf } from '../services/ops/health.js'
import { operationOf } from '../services/ops/operation.js'
import { registryCounts } from '../services/ops/registry-counts.js'
import { auditOver } from '../services/records/audit.js'
import { auditChecks } from '../services/records/audit-checks.js'
import { sealingAsAgreed } from '../services/records/key-rollover.js'
import { recordKeepingOver } from '../services/records/record-keeping.js'
import { signerFrom } from '../services/records/signer.js'
import { accountsFrom } from '../services/trust/accounts.js'
import { createAppeals } from '../services/trust/appeals.js'
import { talliesOver } from '../services/trust/daily-counts.js'
import { insightsFrom } from '../services/trust/insights.js'
import { partiesWith } from '../services/trust/parties.js'
import { watchServiceOver } from '../services/watch/watch-service.js'
import { webhooksFrom } from '../services/webhooks/webhooks.js'
import { auditLogIn } from '../store/audit/audit.js'
import { caseEventsIn } from '../store/cases/case-events.js'
import { casesIn } from '../store/cases/cases.js'
import { clocksIn } from '../store/cases/clocks.js'
import { createFeedBatches, FEED_DELAY } from '../store/exchange/feed-batches.js'
import { fetchPlacesIn } from '../store/exchange/fetch-cursors.js'
import { fetchedIn } from '../store/exchange/fetched.js'
import { lastRevision } from '../store/images/changes.js'
import { imagesIn } from '../store/images/images.js'
import { ownWrites } from '../store/images/read-your-writes.js'
import { imageReader } from '../store/images/reader/image-reader.js'
import { apiKeysIn } from '../store/organisations/api-keys.js'
import { banksIn } from '../store/organisations/banks.js'
import { ownerDuesIn } from '../store/organisations/hold-expiries.js'
import { idempotencyIn } from '../store/organisations/idempotency.js'
import { importsIn } from '../store/organisations/imports.js'
import { keyUsesIn } from '../store/organisations/key-uses.js'
import { refusalsIn } from '../store/organisations/refusals.js'
import { usesIn } from '../store/organisations/usage-counters.js'
import { connectForFollowing } from '../store/redis/client.js'
import { parseRedisUrl } from '../store/redis/redis-url.js'
import { talliesIn } from '../store/trust/daily-counts.js'
import { trustsIn } from '../store/trust/trust.js'
import { isToTrimToday } from '../store/upkeep/daily.js'
import { withdrawalLogIn } from '../store/upkeep/withdrawal-log.js'
import { watchesIn } from '../store/watch/watches.js'
import { deliveriesIn } from '../store/webhooks/deliveries.js'
import { webhooksIn } from '../store/webhooks/webhooks.js'
import type { AppServices } from './app-options.js'
import { exchangeParts } from './exchange-parts.js'
import { onceRedisAnswers } from './first-answer.js'
import { openQueue } from './hashing-queue.js'
import { matchParts } from './match-parts.js'
import { openSealed, type SealedStore } from './opening.js'
import { savingEvery } from './saving.js'
import type { ServiceOptions } from './service-options.js'
import { kindsIn, trustParts } from './trust-parts.js'

export interface Services extends AppServices {
  /** Loads the index and keeps it equal to the store. @returns when it may be asked. @throws when a queue cannot be had. */
  hydrate(): Promise<void>
  /** Pulls feeds from here on. */
  beginPulling(): void
  /** Waits until all that follows from the matches answered so far has been done, or has failed. */
  settled(): Promise<void>
  /** Reads the audit log to its end if that is due, as one process does by itself. */
  checkAudit(): Promise<void>
  /** Erases what is watched for no longer, as one process does once a minute by itself. */
  sweepWatches(): Promise<void>
  /** Removes records that are kept no longer, as happens every hour by itself. */
  sweepRecords(): Promise<void>
  /** Gives up all pictures that wait for a worker: for a process that cannot stop before they are answered. */
  callOff(): void
  close(): Promise<void>
}

/** @throws {SealError} when the keyring does not belong to what is stored. */
export async function openServices(options: ServiceOptions): Promise<Services> {
  const opened = await onceRedisAnswers(() => openSealed(options), { onWaiting: options.onWaiting ?? (() => {}) })
  try {
    return await openOver(opened, options)
  } catch (error) {
    await opened.store.close()
    throw error
  }
}

async function openOver({ store, keyring, secrets }: SealedStore, options: ServiceOptions): Promise<Services> {
  const { now, clock, onTrouble } = options
  const auditLog = auditLogIn(store, secrets.audit)
  const checks = auditChecks({ store, log: auditLog, now, onTrouble })
  const audit = auditOver({ store, log: auditLog, now, onTrouble, onHead: options.onAuditHead })
  const own = ownWrites()
  const images = imagesIn(store, keyring, options.trustLimits.maxImagesPerCase, own)
  const caseStore = casesIn(store)
  const caseEvents = caseEventsIn(store, () => connectForFollowing(options.redis))
  const banks = banksIn(store)
  const apiKeys = apiKeysIn(store)
  const kindOf = kindsIn(apiKeys)
  const trusts = trustsIn(store)
  const keyUses = keyUsesOver({ uses: keyUsesIn(store), now })
  const limits = limitCounter({ uses: usesIn(store), now })
  const matchIds = matchIdsWith(secrets.matchId)
  const recent = recentChanges()
  const withdrawals =
    options.withdrawalsFolder === undefined ? undefined : withdrawalLogIn(options.withdrawalsFolder, now, onTrouble)
  const replica = new Replica({
    store,
    images,
    own,
    reader: imageReader(options.redis, keyring),
    snapshots:
      options.snapshots === undefined
        ? undefined
        : snapshotsIn({ folder: options.snapshots.folder, store, keyring, secret: secrets.matchId, clock, onTrouble }),
    withdrawals,
    trusts,
    banks,
    apiKeys,
    follower: connectForFollowing(options.redis),
    onChanges: recent.note,
    onLoss(loss, isRepeated) {
      recent.clear()
      if (!isRepeated) onTrouble(new Error(WHY_READ_AGAIN[loss]))
    },
    ...(options.hearing !== undefined && { hearing: options.hearing }),
    now: clock,
    onTrouble,
  })

  const cases = casesFrom({
    cases: caseStore,
    access: caseAccessTo(caseStore, secrets, options.stretching),
    replica,
    retentionMs: options.retentionMs,
    offersExtendedProtection: options.extendedProtection,
    now,
  })
  const tallies = talliesOver({ tallies: talliesIn(store), everyMs: TALLY_EVERY_MS, now, onTrouble })
  const trust = trustParts({
    onSaid: tallies.said,
    store,
    keyring,
    secrets,
    images,
    cases: caseStore,
    apiKeys,
    kindOf,
    trusts,
    caseEvents,
    replica,
    matchIds,
    partyOf: partiesWith(secrets.party),
    limits: options.trustLimits,
    now,
    onTrouble,
  })
  const sealing = sealingAsAgreed({
    store,
    keyring,
    now,
    onTrouble,
    onSwitch: () => void replica.saveAgain().catch(onTrouble),
  })
  const watches = watchesIn(store, keyring)
  const dueTime = options.dueTime ?? dueTimeBy(now, (line) => onTrouble(new Error(line)))
  const records = recordKeepingOver({
    log: auditLog,
    isOursToday: () => isToTrimToday(store),
    dueUntilMs: () => dueTime(store),
    withdrawalsFolder: options.withdrawalsFolder,
    auditDays: options.auditKeepDays ?? 0,
    withdrawalsDays: options.withdrawalsKeepDays ?? 0,
    onTrouble,
  })
  const turns = turnsOfLoop(LOOP, clock)
  const matching = matchParts({
    store,
    redis: options.redis,
    images,
    watches,
    apiKeys,
    replica,
    matchIds,
    sightings: trust.sightings,
    events: trust.events,
    detailSecret: options.extendedProtection ? secrets.details : undefined,
    probing: options.probing,
    probingSecret: secrets.party,
    turns,
    now,
    dueTime,
    clock,
    onTrouble,
  })
  const imports = importsIn(store)
  const erasing = bankErasing({ banks, images, replica, now, onTrouble })
  const bankService = banksFrom({ banks, organisations: apiKeys, replica, erasing, now })
  const invalidated = invalidatedSignals(refusalsIn(store), secrets.signalId, now)
  const registration = registrationIn({
    images,
    replica,
    ceilings: trust.ceilings,
    harmlessAmong: (pictures) => harmlessAmong(() => replica.catalogue, pictures, turns.pace()),
    invalidatedSignals: invalidated,
    idSecret: secrets.signalId,
    kindOf,
    detailing: matching.detailing,
    now,
  })
  const feedCursors = feedCursorsWith(secrets.feed)
  const feed = feedOver({
    store,
    lines: createFeedLines({ images, trusts, matchIds }),
    batches: createFeedBatches(store, options.feedDelay ?? FEED_DELAY, ORIGIN_BYTES),
    replica,
    recent,
    cursors: feedCursors,
    audit,
    clock,
  })
  const contents = contentsIn({
    images,
    replica,
    trust: trust.trust,
    dues: ownerDuesIn(store),
    ids: contentIdsWith(secrets.matchId),
    lastRevision: () => lastRevision(store),
    now,
    onTrouble,
  })
  const webhooks = webhooksIn(store, keyring)
  const deliveries = deliveriesIn(store)
  const matcher = tallies.counted(matching.matcher)
  const saving = savingEvery(options.snapshots?.everyMs, replica, onTrouble)
  const desk = new HandoffDesk(IMAGE_TTL_MS, clock)
  const listener = await listenForWorkers(desk, options.handoff)
  const closing = new AbortController()
  const patience = { onWaiting: options.onWaiting ?? (() => {}), signal: closing.signal }
  const queue = onceRedisAnswers(() => openQueue(options.redis), patience)
  queue.catch(() => {}) // whoever hydrates is told

  const { exchanges, reconcilers, pulling } = exchangeParts({
    options,
    store,
    replica,
    registration,
    matcher: matching.quiet,
    matchIds,
    apiKeys,
    secret: secrets.signalId,
  })

  return {
    audit,
    cases,
    files: caseFilesIn({ cases, events: caseEvents, images, trusts, replica, audit, auditNameOf: caseStore.auditName }),
    signer: signerFrom(secrets.receipt),
    idempotency: idempotencyOver(idempotencyIn(store), secrets.idempotency, limits),
    registration,
    exports: exportsFrom({ images, trusts, audit }),
    exchanges,
    reconcilers,
    pullSoon: pulling.pullSoon,
    imports: importsOver({ imports, registration, turns, secret: secrets.signalId, now }),
    matcher,
    tallies,
    watches: watchServiceOver({ watches, audit, mostPerOrg: options.maxWatchesPerOrg, now }),
    banks: bankService,
    contents,
    matchIds,
    feed,
    stopNcii: stopNciiOver({
      feed,
      places: fetchPlacesIn(store),
      cursors: feedCursors,
      fetched: fetchedHashesOver({ fetched: fetchedIn(store, keyring), matchIds, replica, store }),
      banks: bankService,
      registration,
      matcher,
      trust: trust.trust,
      now,
    }),
    trust: trust.trust,
    appeals: createAppeals({
      appeals: trust.appeals,
      harmlessLike: (signals) => harmlessLike(replica.catalogue, signals),
      invalidatedSignals: invalidated,
      images,
      trusts,
      trust: trust.trust,
      replica,
      events: trust.events,
      now,
      onTrouble,
    }),
    notices: trust.notices,
    attesting: trust.attesting,
    proofOfWork: trust.proofOfWork,
    keys: keyKeeping({ apiKeys, uses: keyUsesIn(store), replica, env: options.env, now }),
    registry: registryCounts({ replica, now, clock }),
    insights: insightsFrom({ contexts: trust.contexts, now }),
    accounts: accountsFrom({ events: trust.events, strikes: trust.strikes, now }),
    webhooks: webhooksFrom({
      webhooks,
      deliveries,
      trusted: options.webhookOrigins,
      now,
    }),
    pictures: pictureFetching(options.fetchFrom),
    hashing: hashingThrough({
      desk,
      handoffUrl: listener.url,
      enqueue: async (job, priority) => (await queue).enqueue(job, priority),
    }),
    health: healthOf({ replica, store, desk, reconcilers, withdrawals }),
    operation: operationOf({
      store,
      folders: options.folders ?? new Map(),
      replicasRequired: options.redis.url === undefined ? 0 : parseRedisUrl(options.redis.url).replicas,
      audit,
      webhooks,
      deliveries,
      exchanges,
      clocks: clocksIn(store),
      now,
    }),
    limits,
    turns,
    identify(key, address) {
      const caller = identify(replica.catalogue.apiKeys, key, { address, nowMs: now() })
      if (caller !== undefined) {
        audit.recordDaily('key.used', `key:${caller.keyId}`, { orgId: caller.orgId })
        keyUses.note(caller.keyId)
      }
      return caller
    },
    async hydrate() {
      await Promise.all([queue, replica.start()])
      matching.start()
    },
    beginPulling: pulling.start,
    async settled() {
      await Promise.all([trust.sightings.flush(), tallies.flush()])
    },
    checkAudit: checks.next,
    sweepWatches: matching.sweepWatches,
    sweepRecords: records.sweep,
    callOff: () => desk.close(),
    async close() {
      closing.abort()
      desk.close()
      await Promise.race([pulling.close(), sleep(CLOSE_WITHIN_MS)])
      await Promise.race([
        queue.then(
          (opened) => opened.close(),
          () => {},
        ),
        sleep(CLOSE_WITHIN_MS),
      ])
      await listener.close()
      await matching.close()
      await trust.close()
      await limits.close()
      await contents.close()
      await erasing.close()
      await records.close()
      await tallies.close()
      await saving.close()
      caseEvents.close()
      await replica.close()
      await sealing.close()
      await checks.close()
      await audit.close()
      await store.close()
    },
  }
}

const WHY_READ_AGAIN = {
  gap: 'The stream of changes was trimmed behind this process: the index is read again.',
  'history-diverged':
    'The store lost changes that this process had, as after a failover or a restore: the index is read again.',
} as const

/** How long counts for people to look at may wait. */
const TALLY_EVERY_MS = 5000

/** Without Redis a queue may wait for a connection that does not come. */
const CLOSE_WITHIN_MS = 1000
