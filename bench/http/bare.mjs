// An api with the real search, log and metrics, and no guards: no key, no limit, no security headers, no detectors of slow bodies or of searches for
// stored hashes. The guards cost what the real api takes in addition.

import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import Fastify, { LogController } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { openServices } from '../../dist/src/app/services.js'
import { readConfig } from '../../dist/src/boot/config.js'
import { stopOnSignal } from '../../dist/src/boot/process.js'
import { makeMetrics } from '../../dist/src/http/metrics/metrics.js'
import { lastAnswers } from '../../dist/src/http/plugins/last-answers.js'
import { problemAnswers } from '../../dist/src/http/plugins/problem-answers.js'
import { requestLog } from '../../dist/src/http/plugins/request-log.js'
import { matchRoutes } from '../../dist/src/http/routes/match.js'
import { keyringOf } from '../../dist/src/store/sealing/seal-keys.js'
import { answer, ownHandlers } from './answers.mjs'

answer(ownHandlers(), { saysReady: false })

const config = readConfig(process.env)
const services = await openServices({
  redis: { url: config.redisUrl, socket: config.redisSocket },
  keyring: (isFirstUse) => keyringOf(config, isFirstUse),
  handoff: { host: config.handoffHost, port: config.handoffPort, announcedHost: config.handoffHost },
  snapshots: undefined,
  retentionMs: config.caseRetentionDays * 86_400_000,
  trustLimits: { maxImagesPerCase: 1, maxSignalsPerOrgPerDay: 0, proofRounds: 0 },
  webhookOrigins: new Set(),
  probing: 'off',
  now: () => Date.now(),
  clock: () => performance.now(),
  onError: console.error,
  onAuditHead: () => {},
})
const app = Fastify({
  genReqId: () => randomUUID(),
  logController: new LogController({ disableRequestLogging: true }),
  logger: { level: config.logLevel, base: null },
})
app.setValidatorCompiler(validatorCompiler)
app.setSerializerCompiler(serializerCompiler)
await app.register(requestLog, { observe: makeMetrics(services.health, services.operation, new Map()).observe })
await app.register(lastAnswers)
await app.register(multipart)
await app.register(problemAnswers, { country: undefined }) // so that a refusal differs from a wrong answer
app.decorateRequest('caller', null)
app.decorateRequest('consumeQuota', () => {})
const caller = { keyId: 'bare', orgId: 'bare', scopes: new Set(['match', 'match:distance']) }
app.addHook('onRequest', async (request) => {
  request.caller = caller
})
await app.register(matchRoutes, { prefix: '/v1', ...services, uploadLimits: {}, inFlight: { bytes: 0 }, bandsOnly: false })
stopOnSignal(async () => {
  await app.close()
  await services.close()
})
await services.hydrate()
process.send({ ready: true, url: await app.listen({ host: config.host, port: config.port }) })
