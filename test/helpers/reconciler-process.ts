// A process that runs a reconciler once, to be killed meanwhile.

import { openServices } from '../../src/app/services.js'
import { reconcilersIn } from '../../src/exchange/exchange-config.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'

const { SOCKET: socket, HMA: baseUrl } = process.env
const config = { name: 'ours', baseUrl, organisation: 'platform' }
const services = await openServices({
  redis: { url: undefined, socket },
  keyring: () => makeKeyring([Buffer.alloc(32, 7)]),
  handoff: { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1' },
  retentionMs: 86_400_000,
  env: 'test',
  snapshots: undefined,
  withdrawalsFolder: undefined,
  trustLimits: { maxImagesPerCase: 10_000, maxSignalsPerOrgPerDay: 0, proofRounds: 0 },
  webhookOrigins: new Set(),
  extendedProtection: false,
  maxWatchesPerOrg: 1,
  reconcilers: reconcilersIn(JSON.stringify({ reconcilers: [config] })),
  now: Date.now,
  clock: () => performance.now(),
  onError: () => {},
  onAuditHead: () => {},
})
await services.hydrate()
const { progress } = await services.reconcilers.run('ours')
await services.close()
process.exit(progress?.state === 'waiting' ? 0 : 1)
