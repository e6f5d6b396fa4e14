// Builds the Fastify app from the services.

import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyInstance, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { limitConnections } from '../http/connections.js'
import { errorInLogs } from '../http/error-in-logs.js'
import { ADMISSION, SERVER_LIMITS } from '../http/limit-table.js'
import { type Metrics, makeMetrics } from '../http/metrics/metrics.js'
import { openapi } from '../http/openapi/openapi.js'
import { authentication } from '../http/plugins/authentication.js'
import { browserHeaders, browserRules } from '../http/plugins/browser-rules.js'
import { lastAnswers } from '../http/plugins/last-answers.js'
import { answerBadAddress, answerBadBytes, problemAnswers } from '../http/plugins/problem-answers.js'
import { limits, limitsHere, noteFailure } from '../http/plugins/rate-limits.js'
import { admission } from '../http/plugins/request-admission.js'
import { createRequestLog, type LogRequest, type RequestFacts, requestLog } from '../http/plugins/request-log.js'
import { slowBodies } from '../http/plugins/slow-bodies.js'
import { unnamedProxies } from '../http/plugins/unnamed-proxies.js'
import { MULTIPART_OPTIONS } from '../http/upload.js'
import { followRenewals } from '../net/certificate.js'
import { type Admission, admissionFor } from '../services/load/admission.js'
import type { AppOptions } from './app-options.js'
import { registerRoutes } from './routes.js'

/** At fine log levels plugins and parsers log request headers, which may hold a key, and bytes of the caller. */
const SECRET_IN_LOGS = { paths: ['busboyOptions', 'headers'], remove: true }

const MIN_TLS = 'TLSv1.2'

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, tracing, tls, corsOrigins = [], serverLimits = SERVER_LIMITS } = options
  const app = createServer(options)
  if (tracing !== undefined) await app.register(tracing)
  const metrics = makeMetrics(services.health, services.operation, options.certificates ?? new Map())
  const logRequest = createRequestLog(() => performance.now())
  await app.register(requestLog, { observe: metrics.observe, logRequest, sample: options.logSample ?? 1 })
  await app.register(unnamedProxies)
  await app.register(problemAnswers, { country: options.country })
  await app.register(lastAnswers)
  await app.register(browserRules, { origins: corsOrigins, isTls: tls !== undefined })
  await app.register(slowBodies, { limits: serverLimits })
  await app.register(openapi)
  await app.register(multipart, MULTIPART_OPTIONS)
  await app.register(async (guarded) => {
    await registerGuards(guarded, options, metrics, logRequest)
    const { site, uploadLimits, country, now = Date.now, exposure = 'private', gateTier = 'ngo-attested' } = options
    await registerRoutes(guarded, { services, site, uploadLimits, country, now, exposure, gateTier, metrics: metrics.text })
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    indexPrefix: '.', // relative addresses: a proxy may serve Tabir below a path
    // Relative to `docs/json`. In `openapi.yaml` it is relative to that file.
    transformSpecification: (description) => ({ ...description, servers: [{ url: '../' }] }),
    transformSpecificationClone: false,
  })
  return app
}

/** Checks before a route runs: admission, authentication, rate limits. */
async function registerGuards(
  app: FastifyInstance,
  options: AppOptions,
  metrics: Metrics,
  logRequest: LogRequest,
): Promise<void> {
  const { services, tracing, tls, exposure = 'private', maxOf = {} } = options
  const { cases, health, identify, scheduler } = services
  const here = limitsHere({ exposure, most: maxOf })
  const note = (facts: RequestFacts, reqId: string) => {
    metrics.observe(facts)
    logRequest(app.log.child({ reqId }), facts)
  }
  await app.register(admission, {
    admission: options.admission ?? usualAdmission(services),
    scheduler,
    onShed: metrics.shed,
    early: tracing === undefined ? { headers: browserHeaders(tls !== undefined), note } : undefined,
  })
  await app.register(authentication, {
    identify,
    cases,
    waitUntilFresh: () => health.waitUntilFresh(),
    onFailure: (request) => noteFailure(services.limits, here, request.ip),
  })
  await app.register(limits, { counter: services.limits, here })
}

function usualAdmission({ scheduler, health }: AppOptions['services']): Admission {
  return admissionFor({
    rules: ADMISSION,
    queuedMs: () => scheduler.waitMs,
    pictureWaitMs: (coming) => health.pictureWaitMs(coming),
    now: () => performance.now(),
    atEndOfTick: setImmediate,
  })
}

/** The server without plugins and routes. */
function createServer({
  exposure = 'private',
  serverLimits = SERVER_LIMITS,
  trustedProxies = [],
  tls,
  logLevel,
  logStream,
}: AppOptions): FastifyInstance {
  const http = {
    requireHostHeader: false, // Node's own refusal has no body; problemAnswers sends ours
    headersTimeout: serverLimits.headersMs,
    maxHeaderSize: serverLimits.headerBytes,
    connectionsCheckingInterval: serverLimits.checkIntervalMs,
  }
  const app = Fastify({
    bodyLimit: serverLimits.bodyBytes,
    requestTimeout: serverLimits.requestMs,
    connectionTimeout: serverLimits.idleMs,
    keepAliveTimeout: serverLimits.keepAliveMs,
    ...(tls === undefined
      ? { http }
      : {
          https: {
            ...http,
            cert: tls.cert,
            key: tls.key,
            minVersion: MIN_TLS,
            handshakeTimeout: serverLimits.headersMs,
          },
        }),
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    genReqId: () => randomUUID(),
    pluginTimeout: 0, // loading a plugin may take long on a busy machine, which is not an error
    routerOptions: { maxParamLength: serverLimits.paramChars, ignoreDuplicateSlashes: true },
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBadBytes,
    // Fastify's own lines have the whole URL and the caller's address; ours have route pattern and problem code.
    logController: new LogController({ disableRequestLogging: true }),
    logger: {
      level: logLevel,
      base: null,
      serializers: { err: errorInLogs },
      redact: SECRET_IN_LOGS,
      ...(logStream !== undefined && { stream: logStream }),
    },
  }).withTypeProvider<ZodTypeProvider>()
  // Without a completed TLS handshake nothing can be answered: a response would wait for it and keep the connection open.
  if (tls !== undefined) {
    app.server.on('tlsClientError', (_error, socket) => socket.destroy())
    followRenewals(app.server, tls, MIN_TLS)
  }
  limitConnections(app.server, {
    connections: serverLimits.connections,
    connectionsOfAddress: serverLimits.connectionsOfAddress[exposure],
    trustedProxies,
  })
  app.server.maxHeadersCount = serverLimits.headerCount
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  return app
}
