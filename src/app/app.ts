// Services in, Fastify app out. The only file that knows every route.

import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { limitConnections } from '../http/connections.js'
import { errorInLogs } from '../http/error-in-logs.js'
import { ADMISSION, SERVER_LIMITS } from '../http/limits.js'
import { makeMetrics } from '../http/metrics/metrics.js'
import { openapi } from '../http/openapi/openapi.js'
import { admission } from '../http/plugins/admission.js'
import { browserHeaders, browserRules } from '../http/plugins/browser-rules.js'
import { door } from '../http/plugins/door.js'
import { lastAnswers } from '../http/plugins/last-answers.js'
import { limits, limitsHere, noteFailure } from '../http/plugins/limits.js'
import { answerBadAddress, answerBadBytes, problemAnswers } from '../http/plugins/problem-answers.js'
import { logRequest, type RequestFacts, requestLog } from '../http/plugins/request-log.js'
import { slowBodies } from '../http/plugins/slow-bodies.js'
import { unnamedProxies } from '../http/plugins/unnamed-proxies.js'
import { auditRoutes } from '../http/routes/audit.js'
import { bankRoutes } from '../http/routes/banks.js'
import { appealRoutes } from '../http/routes/cases/appeals.js'
import { assistedCaseRoutes } from '../http/routes/cases/assisted-cases.js'
import { caseFileRoutes } from '../http/routes/cases/case-file.js'
import { caseImageRoutes } from '../http/routes/cases/case-images.js'
import { caseRoutes } from '../http/routes/cases/cases.js'
import { challengeRoutes } from '../http/routes/cases/challenge.js'
import { noticeRoutes } from '../http/routes/cases/notices.js'
import { dayRoutes } from '../http/routes/days.js'
import { docRoutes } from '../http/routes/docs.js'
import { exchangeRoutes } from '../http/routes/exchanges.js'
import { exportRoutes } from '../http/routes/exports.js'
import { feedRoutes } from '../http/routes/feed.js'
import { healthRoutes } from '../http/routes/health.js'
import { hmaRoutes } from '../http/routes/hma.js'
import { importRoutes } from '../http/routes/imports.js'
import { insightRoutes } from '../http/routes/insights.js'
import { keyRoutes } from '../http/routes/keys.js'
import { matchRoutes } from '../http/routes/match.js'
import { pageRoutes } from '../http/routes/page.js'
import { registryRoutes } from '../http/routes/registry.js'
import { stopNciiRoutes } from '../http/routes/stopncii.js'
import { accountRoutes } from '../http/routes/trust/accounts.js'
import { attestationRoutes } from '../http/routes/trust/attestations.js'
import { disputeAnswerRoutes } from '../http/routes/trust/dispute-answers.js'
import { feedbackRoutes } from '../http/routes/trust/feedback.js'
import { signalRoutes } from '../http/routes/trust/signals.js'
import { watchRoutes } from '../http/routes/watch.js'
import { webhookRoutes } from '../http/routes/webhooks.js'
import { type InFlight, MULTIPART_OPTIONS } from '../http/upload.js'
import { followRenewals } from '../net/certificate.js'
import { admissionFor } from '../services/load/admission.js'
import type { AppOptions } from './app-options.js'

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
