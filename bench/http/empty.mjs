// An api without a search: everything around a match is real, from the parser to the serialiser, and the answers are prepared. No match can cost less than
// a request here.

import { transforms } from '../../dist/packages/hash/src/transforms.js'
import { buildApp } from '../../dist/src/app/app.js'
import { openServices } from '../../dist/src/app/services.js'
import { readConfig } from '../../dist/src/boot/config.js'
import { stopOnSignal } from '../../dist/src/boot/process.js'
import { identify } from '../../dist/src/services/keys/access.js'
import { createApiKeyStore } from '../../dist/src/store/organisations/api-keys.js'
import { openStore } from '../../dist/src/store/redis/client.js'
import { keyringOf } from '../../dist/src/store/sealing/seal-keys.js'
import { BANK, CATEGORY } from '../service.mjs'
import { answer, ownHandlers } from './answers.mjs'
import { isMarked, PREPARED_BITS } from './queries.mjs'

answer(ownHandlers(), { saysReady: false })

const config = readConfig(process.env)
const redis = { url: config.redisUrl, socket: config.redisSocket }
const store = await openStore(redis)
const keys = new Map((await createApiKeyStore(store).all()).map((key) => [key.keyId, key]))
await store.close()

// Never loaded: it has no rows and follows no changes.
const services = await openServices({
  redis,
  keyring: (isFirstUse) => keyringOf(config, isFirstUse),
  handoff: { host: config.handoffHost, port: config.handoffPort, announcedHost: config.handoffHost },
  snapshots: undefined,
  retentionMs: config.caseRetentionDays * 86_400_000,
  trustLimits: { maxImagesPerCase: 1, maxSignalsPerOrgPerDay: 0, proofRounds: 0 },
  maxWatchesPerOrg: 1,
  webhookOrigins: new Set(),
  extendedProtection: false,
  env: config.env,
  now: () => Date.now(),
  clock: () => performance.now(),
  onError: console.error,
  onAuditHead: () => {},
})

const found = [
  {
    matchId: 'A'.repeat(43),
    grade: 'near',
    distanceBits: PREPARED_BITS,
    distanceBand: '16-31',
    signalType: 'pdq',
    view: 'whole',
    transform: transforms[0].name,
    bank: BANK,
    tier: 'ngo-attested',
    category: CATEGORY,
    disputed: false,
  },
]
const matcher = {
  match: async (pictures) =>
    Array.from(pictures, ({ signals: [signal] }) => ({
      matches: isMarked(signal.hashes[0]) ? found : [],
      isTruncated: false,
    })),
}

const app = await buildApp({
  services: { ...services, matcher, identify: (key, address) => identify(keys, key, { address, nowMs: Date.now() }) },
  uploadLimits: {
    maxImageBytes: config.maxImageBytes,
    maxImages: config.maxImagesPerRequest,
    maxInFlightBytes: config.maxInFlightBytes,
  },
  logLevel: config.logLevel,
})
stopOnSignal(async () => {
  await app.close()
  await services.close()
})
process.send({ ready: true, url: await app.listen({ host: config.host, port: config.port }) })
