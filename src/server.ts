// Process entry of an api: config → connections → services → hydrate and listen; closed in reverse.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { type CertificateFiles, type KeptCertificate, keepCertificate } from './certificate-files.js'
import { readConfig } from './config.js'
import { exchangesIn, reconcilersIn } from './exchange/exchange-config.js'
import { SERVER_LIMITS } from './http/limits.js'
import { whyNotListening } from './listening.js'
import { isLoopback, refusePublicHost } from './private-host.js'
import {
  hearHangups,
  leaveMemoryOutOfDumps,
  mostOpenFiles,
  orRefuseToStart,
  refuseToStart,
  stopOnSignal,
} from './process.js'
import { openServices } from './services.js'
import { headText } from './store/audit/audit-marks.js'
import { keyringOf } from './store/sealing/seal-keys.js'
import { startTracing } from './tracing.js'
import { loadSite } from './web/site.js'

leaveMemoryOutOfDumps()
let tellStarted = (_app: FastifyInstance) => {}
const started = new Promise<FastifyInstance>((tell) => {
  tellStarted = tell
})
const certificates = new Map<string, KeptCertificate>()
hearHangups(() => {
  for (const certificate of certificates.values()) void certificate.reload()
})
const config = orRefuseToStart(() => readConfig(process.env))
if (config.handoffTlsFiles === undefined)
  await refusePublicHost('TABIR_HANDOFF_HOST', config.handoffHost).catch(refuseToStart)
const tls = certificateOf('api', 'TABIR_TLS', config.tlsFiles)
const tracing = config.tracesUrl === undefined ? undefined : await startTracing(config.tracesUrl, 'tabir-api')
const exchangeFile = config.exchangesFile === undefined ? '{}' : readFileSync(config.exchangesFile, 'utf8')
const withdrawalsFolder = config.withdrawalsDir ?? join(config.dataDir, 'withdrawals')
const services = await openServices({
  redis: { url: config.redisUrl, socket: config.redisSocket },
  keyring: (isFirstUse) => keyringOf(config, isFirstUse),
  handoff: {
    host: config.handoffHost,
    port: config.handoffPort,
    announcedHost: announced(config.handoffHost),
    certificate: certificateOf('handoff', 'TABIR_HANDOFF_TLS', config.handoffTlsFiles),
  },
  snapshots:
    config.snapshotEveryS === 0
      ? undefined
      : { folder: join(config.dataDir, 'snapshots'), everyMs: config.snapshotEveryS * 1000 },
  exchanges: exchangesIn(exchangeFile),
  reconcilers: reconcilersIn(exchangeFile),
  withdrawalsFolder,
  folders: new Map([
    ['data', config.dataDir],
    ['withdrawals', withdrawalsFolder],
  ]),
  auditKeepDays: config.auditKeepDays,
  withdrawalsKeepDays: config.withdrawalsKeepDays,
  retentionMs: config.caseRetentionDays * 86_400_000,
  env: config.env,
  extendedProtection: config.extendedProtection === 'on',
  trustLimits: {
    maxImagesPerCase: config.maxImagesPerCase,
    maxImagesPerNewCase: config.maxImagesPerNewCase,
    maxSignalsPerOrgPerDay: config.maxSignalsPerOrgPerDay,
    proofRounds: config.proofRounds,
  },
  webhookOrigins: config.webhookOrigins,
  fetchFrom: config.fetchFrom,
  maxWatchesPerOrg: config.maxWatchesPerOrg,
  probing: config.probing,
  feedDelay: config.feedDelay,
  now: () => Date.now(),
  clock: () => performance.now(),
  onWaiting: (line) => console.error(line),
  onTrouble: (error) => void started.then(({ log }) => log.error({ err: error }, 'trouble')),
  onAuditHead: (head) => void started.then(({ log }) => log.info({ auditHead: headText(head) }, 'audit')),
}).catch(refuseToStart)

/** What build.mjs made of `page/`, beside the compiled sources. */
const site = loadSite(fileURLToPath(new URL('../public/', import.meta.url)), {
  exitUrl: config.pageExitUrl,
  country: config.country,
  contact:
    config.contactName === undefined || config.contactLink === undefined
      ? undefined
      : { name: config.contactName, link: config.contactLink },
  maxImageBytes: config.maxImageBytes,
  maxImages: config.maxImagesPerRequest,
  offersExtendedProtection: config.extendedProtection === 'on',
})

/** A quarter of the files stays for Redis, workers, fetches and snapshots. */
const connections = Math.min(SERVER_LIMITS.connections, Math.floor((mostOpenFiles() ?? Number.POSITIVE_INFINITY) * 0.75))

// Loading a snapshot waits for files and for another thread, about as long as the code of the routes takes to load.
const hydrated = services.hydrate().catch(refuseToStart) // from here: it may fail before it is waited for
const app = await import('./app.js').then(({ buildApp }) =>
  buildApp({
    services,
    site,
    uploadLimits: {
      maxImageBytes: config.maxImageBytes,
      maxImages: config.maxImagesPerRequest,
      maxInFlightBytes: config.maxInFlightBytes,
    },
    country: config.country,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies ?? [],
    serverLimits: { ...SERVER_LIMITS, connections },
    tls,
    certificates,
    tracing: tracing?.plugin,
    exposure: config.exposure,
    mostOf: config.maxQueriesPerOrgPerDay === 0 ? {} : { 'match-queries': config.maxQueriesPerOrgPerDay },
    logLevel: config.logLevel,
    logSample: config.logSample,
  }),
)
tellStarted(app)

/** What a worker is given to finish when the api is told to stop; the supervisor allows 15 s in all. */
const FINISH_WITHIN_MS = 5000

stopOnSignal(async () => {
  const lastCall = setTimeout(services.callOff, FINISH_WITHIN_MS)
  await app.close()
  clearTimeout(lastCall)
  await services.close()
  await tracing?.close()
  for (const certificate of certificates.values()) certificate.close()
})

const { host, port } = config
if (config.trustedProxies === undefined && !isLoopback(host))
  app.log.warn(
    'TABIR_TRUST_PROXY is not set. Behind a proxy all callers count as one, and one of them can use up the limits of all: set the addresses of the proxies in front, or none.',
  )
if (connections < SERVER_LIMITS.connections)
  app.log.warn(
    `This process may open few files: it takes ${connections} connections. Raise its limit (LimitNOFILE, ulimit -n).`,
  )
const url = await app.listen({ host, port }).catch((error) => refuseToStart(whyNotListening(error, host, port)))
await hydrated
services.beginPulling()
process.send?.({ ready: true, url })

/** @param name in logs and metrics. */
function certificateOf(name: string, variables: string, files: CertificateFiles | undefined): KeptCertificate | undefined {
  if (files === undefined) return undefined
  const log = (write: (log: FastifyBaseLogger) => void) => void started.then((app) => write(app.log))
  try {
    const certificate = keepCertificate({
      files,
      now: () => Date.now(),
      onRenewed: (expiresAtMs) =>
        log((to) => to.info({ certificate: name, expiresAt: new Date(expiresAtMs).toISOString() }, 'certificate renewed')),
      onRefused: (why) => log((to) => to.error({ certificate: name, why }, 'certificate refused')),
    })
    certificates.set(name, certificate)
    return certificate
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return refuseToStart(new Error(`The files of ${variables}_CERT and ${variables}_KEY cannot be used: ${why}`))
  }
}

/** Workers on other hosts find a wildcard's listener under this host's name. */
function announced(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host
}
