// Services in, Fastify app out. The only file that knows every route.

import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyInstance, type FastifyPluginCallback, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Caller } from './domain/organisations/access.js'
import { limitConnections } from './http/connections.js'
import { errorInLogs } from './http/error-in-logs.js'
import { ADMISSION, type Exposure, type LimitName, SERVER_LIMITS, type ServerLimits } from './http/limits.js'
import { makeMetrics } from './http/metrics/metrics.js'
import type { CertificateFacts } from './http/metrics/operation-metrics.js'
import { openapi } from './http/openapi/openapi.js'
import { admission } from './http/plugins/admission.js'
import { browserHeaders, browserRules } from './http/plugins/browser-rules.js'
import { door } from './http/plugins/door.js'
import { lastAnswers } from './http/plugins/last-answers.js'
import { limits, limitsHere, noteFailure } from './http/plugins/limits.js'
import { answerBadAddress, answerBadBytes, problemAnswers } from './http/plugins/problem-answers.js'
import { logRequest, type RequestFacts, requestLog } from './http/plugins/request-log.js'
import { slowBodies } from './http/plugins/slow-bodies.js'
import { unnamedProxies } from './http/plugins/unnamed-proxies.js'
import { auditRoutes } from './http/routes/audit.js'
import { bankRoutes } from './http/routes/banks.js'
import { appealRoutes } from './http/routes/cases/appeals.js'
import { assistedCaseRoutes } from './http/routes/cases/assisted-cases.js'
import { caseFileRoutes } from './http/routes/cases/case-file.js'
import { caseImageRoutes } from './http/routes/cases/case-images.js'
import { caseRoutes } from './http/routes/cases/cases.js'
import { challengeRoutes } from './http/routes/cases/challenge.js'
import { noticeRoutes } from './http/routes/cases/notices.js'
import { dayRoutes } from './http/routes/days.js'
import { docRoutes } from './http/routes/docs.js'
import { exchangeRoutes } from './http/routes/exchanges.js'
import { exportRoutes } from './http/routes/exports.js'
import { feedRoutes } from './http/routes/feed.js'
import { healthRoutes } from './http/routes/health.js'
import { hmaRoutes } from './http/routes/hma.js'
import { importRoutes } from './http/routes/imports.js'
import { insightRoutes } from './http/routes/insights.js'
import { keyRoutes } from './http/routes/keys.js'
import { matchRoutes } from './http/routes/match.js'
import { pageRoutes } from './http/routes/page.js'
import { registryRoutes } from './http/routes/registry.js'
import { stopNciiRoutes } from './http/routes/stopncii.js'
import { accountRoutes } from './http/routes/trust/accounts.js'
import { attestationRoutes } from './http/routes/trust/attestations.js'
import { disputeAnswerRoutes } from './http/routes/trust/dispute-answers.js'
import { feedbackRoutes } from './http/routes/trust/feedback.js'
import { signalRoutes } from './http/routes/trust/signals.js'
import { watchRoutes } from './http/routes/watch.js'
import { webhookRoutes } from './http/routes/webhooks.js'
import { type InFlight, MULTIPART_OPTIONS, type UploadLimits } from './http/upload.js'
import { followRenewals, type ServerCertificate } from './net/certificate.js'
import type { Banks } from './services/banks/banks.js'
import type { Exports } from './services/banks/exports.js'
import type { CaseFiles } from './services/cases/case-file.js'
import type { Cases } from './services/cases/cases.js'
import type { Notices } from './services/cases/notices.js'
import type { ProofOfWork } from './services/cases/proof-of-work.js'
import type { Feed } from './services/feed/feed.js'
import type { Hashing } from './services/intake/hashing.js'
import type { Imports } from './services/intake/imports.js'
import type { PictureFetching } from './services/intake/picture-fetching.js'
import type { Registration } from './services/intake/registration.js'
import type { Contents } from './services/interop/contents.js'
import type { Exchanges } from './services/interop/exchanges.js'
import type { Reconcilers } from './services/interop/reconcilers.js'
import type { StopNcii } from './services/interop/stopncii.js'
import type { KeyKeeping } from './services/keys/key-administration.js'
import { type Admission, admissionFor } from './services/load/admission.js'
import type { TurnsOfLoop } from './services/load/event-loop-scheduler.js'
import type { Idempotency } from './services/load/idempotency.js'
import type { LimitCounter } from './services/load/limits.js'
import type { MatchIds } from './services/matching/match-ids.js'
import type { Matcher } from './services/matching/matcher.js'
import type { Health } from './services/ops/health.js'
import type { OperationReport } from './services/ops/operation.js'
import type { RegistryCounts } from './services/ops/registry-counts.js'
import type { Audit } from './services/records/audit.js'
import type { Signer } from './services/records/signer.js'
import type { Accounts } from './services/trust/accounts.js'
import type { AppealService } from './services/trust/appeals.js'
import type { Attesting } from './services/trust/attesting.js'
import type { Tallies } from './services/trust/daily-counts.js'
import type { Insights } from './services/trust/insights.js'
import type { TrustService } from './services/trust/trust.js'
import type { WatchService } from './services/watch/watch-service.js'
import type { WebhookService } from './services/webhooks/webhooks.js'
import type { Site } from './web/site.js'

export interface AppServices {
  readonly cases: Cases
  readonly files: CaseFiles
  readonly idempotency: Idempotency
  /** For what a route does itself; services record what they do. */
  readonly audit: Audit
  /** Signs receipts. */
  readonly signer: Signer
  readonly registration: Registration
  readonly banks: Banks
  readonly imports: Imports
  readonly exports: Exports
  readonly exchanges: Exchanges
  readonly reconcilers: Reconcilers
  readonly pullSoon: (name: string) => Promise<void>
  readonly contents: Contents
  readonly stopNcii: StopNcii
  readonly matchIds: MatchIds
  readonly matcher: Matcher
  readonly feed: Feed
  readonly trust: TrustService
  readonly appeals: AppealService
  readonly notices: Notices
  readonly attesting: Attesting
  readonly proofOfWork: ProofOfWork
  readonly insights: Insights
  readonly tallies: Pick<Tallies, 'days'>
  readonly keys: KeyKeeping
  readonly registry: () => Promise<RegistryCounts>
  readonly accounts: Accounts
  readonly webhooks: WebhookService
  readonly watches: WatchService
  readonly hashing: Hashing
  readonly pictures: PictureFetching
  readonly health: Health
  readonly operation: () => Promise<OperationReport>
  readonly limits: LimitCounter
  readonly turns: TurnsOfLoop
  /** Who shows this key, from this address. @throws {Problem} key-suspended */
  readonly identify: (key: string, address?: string) => Caller | undefined
}

export interface AppOptions {
  readonly services: AppServices
  readonly site: Site
  readonly uploadLimits: UploadLimits
  /** Whose hotlines are named first, ISO 3166-1 alpha-2; all of them when undefined. */
  readonly country: string | undefined
  readonly now?: () => number
  /** Who may reach it; private when left out. */
  readonly exposure?: Exposure
  /** In place of the numbers of the table of limits. */
  readonly mostOf?: Partial<Readonly<Record<LimitName, number>>>
  readonly serverLimits?: ServerLimits
  /** Makes a span of each request; none when left out. */
  readonly tracing?: FastifyPluginCallback | undefined
  /** Who is let in while there is too much to do; by the rules of the table of limits when left out. */
  readonly admission?: Admission
  /** Whose pages may read answers; nobody's but ours when left out. */
  readonly corsOrigins?: readonly string[]
  /** Networks whose `X-Forwarded-For` is believed; nobody's when left out. */
  readonly trustedProxies?: readonly string[]
  readonly tls?: ServerCertificate | undefined
  /** Whose expiry is told, by what they are for; none when left out. */
  readonly certificates?: ReadonlyMap<string, CertificateFacts>
  readonly logLevel: string
  /** Of how many requests that went well there is a line: a share; of all when left out. */
  readonly logSample?: number
  /** Where log lines go; standard output when left out. */
  readonly logStream?: { write(line: string): void }
}

/** What plugins and parsers would write at the finer levels: headers with a key in them, bytes of a stranger. */
const SECRET_IN_LOGS = { paths: ['busboyOptions', 'headers'], remove: true }

const LEAST_TLS = 'TLSv1.2'

export async function buildApp({
  services,
  site,
  uploadLimits,
  country,
  now = Date.now,
  exposure = 'private',
  mostOf = {},
  serverLimits = SERVER_LIMITS,
  tracing,
  admission: admitted = admissionFor({
    rules: ADMISSION,
    queuedMs: () => services.turns.waitMs,
    pictureWaitMs: (coming) => services.health.pictureWaitMs(coming),
    now: () => performance.now(),
    atEndOfTurn: setImmediate,
  }),
  corsOrigins = [],
  trustedProxies = [],
  tls,
  certificates = new Map(),
  logLevel,
  logSample = 1,
  logStream,
}: AppOptions): Promise<FastifyInstance> {
  const http = {
    requireHostHeader: false, // Node's own refusal is empty; ours is in problemAnswers
    headersTimeout: serverLimits.headersMs,
    maxHeaderSize: serverLimits.headerBytes,
    connectionsCheckingInterval: serverLimits.checkEveryMs,
  }
  const app = Fastify({
    bodyLimit: serverLimits.bodyBytes,
    requestTimeout: serverLimits.requestMs,
    connectionTimeout: serverLimits.idleMs,
    keepAliveTimeout: serverLimits.keepAliveMs,
    ...(tls === undefined
      ? { http: http }
      : {
          https: {
            ...http,
            cert: tls.cert,
            key: tls.key,
            minVersion: LEAST_TLS,
            handshakeTimeout: serverLimits.headersMs,
          },
        }),
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    genReqId: () => randomUUID(),
    pluginTimeout: 0, // reading what it is made of may take long where others have the processor, and is no fault
    routerOptions: { maxParamLength: serverLimits.paramChars, ignoreDuplicateSlashes: true },
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBadBytes,
    // Fastify's own lines have the whole URL and the caller's address; ours have the route and the code.
    logController: new LogController({ disableRequestLogging: true }),
    logger: {
      level: logLevel,
      base: null,
      serializers: { err: errorInLogs },
      redact: SECRET_IN_LOGS,
      ...(logStream !== undefined && { stream: logStream }),
    },
  }).withTypeProvider<ZodTypeProvider>()
  // Without a handshake there is nobody to answer: what was written would wait for one, and the connection with it.
  if (tls !== undefined) {
    app.server.on('tlsClientError', (_error, socket) => socket.destroy())
    followRenewals(app.server, tls, LEAST_TLS)
  }
  limitConnections(app.server, {
    connections: serverLimits.connections,
    connectionsOfAddress: serverLimits.connectionsOfAddress[exposure],
    trustedProxies,
  })
  app.server.maxHeadersCount = serverLimits.headerCount
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)

  if (tracing !== undefined) await app.register(tracing)
  const metrics = makeMetrics(services.health, services.operation, certificates)
  await app.register(requestLog, { observe: metrics.observe, sample: logSample })
  await app.register(unnamedProxies)
  await app.register(problemAnswers, { country })
  await app.register(lastAnswers)
  await app.register(browserRules, { origins: corsOrigins, isTls: tls !== undefined })
  await app.register(slowBodies, { limits: serverLimits })
  await app.register(openapi)
  await app.register(multipart, MULTIPART_OPTIONS)
  const here = limitsHere({ exposure, most: mostOf })
  const countsFor = exposure === 'public' ? 'admin' : 'public'
  const inFlight: InFlight = { bytes: 0 }
  const { cases, files, idempotency, signer, registration, banks, matcher, trust, hashing, health, identify } = services
  const note = (facts: RequestFacts, reqId: string) => {
    metrics.observe(facts)
    logRequest(app.log.child({ reqId }), facts)
  }
  await app.register(async (guarded) => {
    await guarded.register(admission, {
      admission: admitted,
      turns: services.turns,
      onShed: metrics.shed,
      early: tracing === undefined ? { headers: browserHeaders(tls !== undefined), note } : undefined,
    })
    await guarded.register(door, {
      identify,
      cases,
      heardSoon: () => health.heardSoon(),
      onFailure: (request) => noteFailure(services.limits, here, request.ip),
    })
    await guarded.register(limits, { counter: services.limits, here })
    await guarded.register(healthRoutes, {
      health,
      metrics: metrics.text,
      countsFor,
    })
    await guarded.register(docRoutes)
    await guarded.register(challengeRoutes, { prefix: '/v1', proofOfWork: services.proofOfWork })
    await guarded.register(caseRoutes, { prefix: '/v1', cases, idempotency, signer, proofOfWork: services.proofOfWork })
    await guarded.register(assistedCaseRoutes, { prefix: '/v1', cases, idempotency, now })
    await guarded.register(caseFileRoutes, { prefix: '/v1', files, signer, limits: services.limits, now })
    await guarded.register(caseImageRoutes, { prefix: '/v1', hashing, registration, idempotency, uploadLimits, inFlight })
    await guarded.register(disputeAnswerRoutes, { prefix: '/v1', trust })
    await guarded.register(appealRoutes, { prefix: '/v1', appeals: services.appeals })
    await guarded.register(pageRoutes, { site })
    await guarded.register(matchRoutes, {
      prefix: '/v1',
      matcher,
      hashing,
      uploadLimits,
      inFlight,
      bandsOnly: exposure === 'public',
      turns: services.turns,
    })
    await guarded.register(feedRoutes, { prefix: '/v1', feed: services.feed })
    await guarded.register(feedbackRoutes, { prefix: '/v1', trust })
    await guarded.register(signalRoutes, { prefix: '/v1', trust })
    await guarded.register(noticeRoutes, { prefix: '/v1', notices: services.notices })
    await guarded.register(attestationRoutes, { prefix: '/v1', attesting: services.attesting })
    await guarded.register(insightRoutes, { prefix: '/v1', insights: services.insights })
    await guarded.register(keyRoutes, { prefix: '/v1', keys: services.keys, idempotency })
    await guarded.register(auditRoutes, { prefix: '/v1', audit: services.audit })
    await guarded.register(dayRoutes, { prefix: '/v1', tallies: services.tallies })
    await guarded.register(registryRoutes, { prefix: '/v1', registry: services.registry })
    await guarded.register(accountRoutes, { prefix: '/v1', accounts: services.accounts })
    await guarded.register(watchRoutes, { prefix: '/v1', watches: services.watches, idempotency })
    await guarded.register(webhookRoutes, { prefix: '/v1', webhooks: services.webhooks, idempotency })
    await guarded.register(stopNciiRoutes, { prefix: '/stopncii/v1', stopNcii: services.stopNcii, now })
    await guarded.register(hmaRoutes, {
      country,
      matcher,
      matchIds: services.matchIds,
      contents: services.contents,
      audit: services.audit,
      banks,
      registration,
      hashing,
      pictures: services.pictures,
      health,
      countsFor,
      uploadLimits,
      inFlight,
      now,
    })
    await guarded.register(bankRoutes, { prefix: '/v1', banks, registration, turns: services.turns })
    await guarded.register(importRoutes, { prefix: '/v1', banks, imports: services.imports })
    await guarded.register(exportRoutes, { prefix: '/v1', banks, exports: services.exports })
    const { exchanges, reconcilers, pullSoon } = services
    await guarded.register(exchangeRoutes, { prefix: '/v1', exchanges, reconcilers, pullSoon, audit: services.audit })
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  return app
}
