// Entry of an api process: config → connections → services → hydrate and listen. It stops in reverse order.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { AppOptions } from '../app/app-options.js'
import { createLifecycle, startOrStop } from '../app/lifecycle.js'
import type { ServiceOptions } from '../app/service-options.js'
import { openServices } from '../app/services.js'
import { leaveUnread, unreadWith } from '../domain/media/media-formats.js'
import { MAX_VIDEO_BYTES } from '../domain/media/video-limits.js'
import { messageOf } from '../domain/message-of.js'
import { exchangesIn, reconcilersIn } from '../exchange/exchange-config.js'
import { makeWritableFolderSync } from '../files/make-folder.js'
import { SERVER_LIMITS } from '../http/limit-table.js'
import { headText } from '../store/audit/audit-marks.js'
import { keyringOf } from '../store/sealing/seal-keys.js'
import { loadSite, type Site } from '../web/site.js'
import { type CertificateFiles, type KeptCertificate, keepCertificate } from './certificate-files.js'
import { type Config, readKeyedConfig } from './config.js'
import { whyNoHandoff, whyNotListening } from './listening.js'
import { isLoopback, refusePublicHost } from './private-host.js'
import { exitOnError, leaveMemoryOutOfDumps, maxOpenFiles, onHangups, refuseToStart, stopOnSignal } from './process.js'
import { startTracing } from './tracing.js'

/** How long workers may finish after an api is told to stop; the supervisor allows 15 s in all. */
const FINISH_TIMEOUT_MS = 5000

leaveMemoryOutOfDumps()
let resolveStarted = (_app: FastifyInstance) => {}
const started = new Promise<FastifyInstance>((resolve) => {
  resolveStarted = resolve
})
const certificates = new Map<string, KeptCertificate>()
onHangups(() => {
  for (const certificate of certificates.values()) void certificate.reload()
})
const config = exitOnError(() => readKeyedConfig(process.env))
leaveUnread(unreadWith(config))
const withdrawalsFolder = config.withdrawalsDir ?? join(config.dataDir, 'withdrawals')
const lifecycle = createLifecycle()
await startOrStop(lifecycle, start, (error) => console.error(String(error))).catch(refuseToStart)

async function start(): Promise<void> {
  if (config.handoffTlsFiles === undefined) await refusePublicHost('TABIR_HANDOFF_HOST', config.handoffHost)
  const tls = certificateOf('api', 'TABIR_TLS', config.tlsFiles)
  const tracing = config.tracesUrl === undefined ? undefined : await startTracing(config.tracesUrl, 'tabir-api')
  if (tracing !== undefined) lifecycle.keep('tracing', tracing)
  const services = await openServices(serviceOptions(), lifecycle).catch((error) => {
    throw whyNoHandoff(error, config.handoffHost, config.handoffPort)
  })
  makeWithdrawalsFolder() // not before the seal keys were found to fit: a start that is refused changes nothing
  // Loading a snapshot mostly waits for files and another thread, about as long as loading the code of the routes takes.
  const hydrated = services.hydrate()
  hydrated.catch(() => {}) // it may fail before it is awaited
  const { buildApp } = await import('../app/app.js')
  const app = await buildApp({ services, ...appOptions(), tls, tracing: tracing?.plugin })
  resolveStarted(app)
  // Stopped first: open requests need all other parts.
  lifecycle.add('app', async () => {
    const lastCall = setTimeout(services.cancel, FINISH_TIMEOUT_MS)
    await app.close()
    clearTimeout(lastCall)
  })
  stopOnSignal(lifecycle.stop)
  warnOfSettings(app.log)
  for (const risk of services.risks) app.log.warn(risk)
  const { host, port } = config
  const url = await app.listen({ host, port }).catch((error) => {
    throw whyNotListening(error, host, port)
  })
  await hydrated
  services.beginPulling()
  process.send?.({ ready: true, url })
}

function serviceOptions(): ServiceOptions {
  const exchangeFile = config.exchangesFile === undefined ? '{}' : textOfExchanges(config.exchangesFile)
  return {
    redis: { url: config.redisUrl, socket: config.redisSocket },
    keyring: (isFirstUse) => keyringOf(config, isFirstUse),
    handoff: {
      host: config.handoffHost,
      port: config.handoffPort,
      announcedHost: announced(config.handoffHost),
      certificate: certificateOf('handoff', 'TABIR_HANDOFF_TLS', config.handoffTlsFiles),
    },
    videoLimits: { maxInFlightBytes: config.maxInFlightVideoBytes },
    snapshots:
      config.snapshotIntervalS === 0
        ? undefined
        : { folder: join(config.dataDir, 'snapshots'), intervalMs: config.snapshotIntervalS * 1000 },
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
      maxUnattestedHashesPerDay: config.maxUnattestedHashesPerDay,
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
    onError: (error) => void started.then(({ log }) => log.error({ err: error }, 'trouble')),
    onAuditHead: (head) => void started.then(({ log }) => log.info({ auditHead: headText(head) }, 'audit')),
  }
}

/** A disk that fails later does not stop the service: then the log says that withdrawals are missing in it. */
function makeWithdrawalsFolder(): void {
  try {
    makeWritableFolderSync(withdrawalsFolder)
  } catch (error) {
    const why = messageOf(error)
    throw new Error(`The folder for withdrawals cannot be used (TABIR_WITHDRAWALS_DIR, or TABIR_DATA_DIR): ${why}`)
  }
}

function textOfExchanges(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`The file of TABIR_EXCHANGES_FILE cannot be read: ${messageOf(error)}`)
  }
}

function appOptions(): Omit<AppOptions, 'services' | 'tls' | 'tracing'> {
  return {
    site: siteOf(config),
    uploadLimits: {
      maxImageBytes: config.maxImageBytes,
      maxImages: config.maxImagesPerRequest,
      maxInFlightBytes: config.maxInFlightBytes,
    },
    country: config.country,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies ?? [],
    serverLimits: { ...SERVER_LIMITS, connections: maxConnections() },
    certificates,
    exposure: config.exposure,
    gateTier: config.gateTier,
    maxOf: config.maxQueriesPerOrgPerDay === 0 ? {} : { 'match-queries': config.maxQueriesPerOrgPerDay },
    logLevel: config.logLevel,
    logSample: config.logSample,
  }
}

/** The site that build.mjs made of `page/`, beside the compiled sources. */
function siteOf({ pageExitUrl: exitUrl, country, contactName: name, contactLink: link, ...own }: Config): Site {
  return loadSite(fileURLToPath(new URL('../../public/', import.meta.url)), {
    exitUrl,
    country,
    operator: own.operator,
    retentionDays: own.caseRetentionDays,
    platformNames: own.platformNames,
    noticeContacts: own.noticeContacts,
    banner: own.pageBanner,
    contact: name === undefined || link === undefined ? undefined : { name, link },
    maxImageBytes: own.maxImageBytes,
    maxImages: own.maxImagesPerRequest,
    maxVideoBytes: Math.min(MAX_VIDEO_BYTES, own.maxInFlightVideoBytes),
    offersExtendedProtection: own.extendedProtection === 'on',
    unread: unreadWith(own),
  })
}

/** Leaves a quarter of the files that this process may open to Redis, workers, fetches and snapshots. */
function maxConnections(): number {
  return Math.min(SERVER_LIMITS.connections, Math.floor((maxOpenFiles() ?? Number.POSITIVE_INFINITY) * 0.75))
}

function warnOfSettings(log: FastifyBaseLogger): void {
  if (config.trustedProxies === undefined && !isLoopback(config.host))
    log.warn(
      'TABIR_TRUST_PROXY is not set. Behind a proxy all callers count as one, and one of them can use up the limits of all: set the addresses of the proxies in front, or none.',
    )
  const connections = maxConnections()
  if (connections < SERVER_LIMITS.connections)
    log.warn(
      `This process may open few files: it takes ${connections} connections. Raise its limit (LimitNOFILE, ulimit -n).`,
    )
}

/** @param name of the certificate in logs and metrics */
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
    certificates.set(name, lifecycle.keep(`certificate of ${name}`, certificate))
    return certificate
  } catch (error) {
    const why = messageOf(error)
    throw new Error(`The files of ${variables}_CERT and ${variables}_KEY cannot be used: ${why}`)
  }
}

/** A wildcard address is announced by this host's name, so that workers on other hosts find it. */
function announced(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host
}
