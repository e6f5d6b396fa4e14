// Registers every route.

import type { FastifyInstance } from 'fastify'
import { named } from '../http/plugins/named.js'
import { auditRoutes } from '../http/routes/audit.js'
import { bankRoutes } from '../http/routes/banks.js'
import { appealRoutes } from '../http/routes/cases/appeals.js'
import { assistedCaseRoutes } from '../http/routes/cases/assisted-cases.js'
import { caseFileRoutes } from '../http/routes/cases/case-file.js'
import { caseHashRoutes } from '../http/routes/cases/case-hashes.js'
import { caseImageRoutes } from '../http/routes/cases/case-images.js'
import { caseVideoRoutes } from '../http/routes/cases/case-videos.js'
import { caseWishRoutes } from '../http/routes/cases/case-wishes.js'
import { caseRoutes } from '../http/routes/cases/cases.js'
import { challengeRoutes } from '../http/routes/cases/challenge.js'
import { heldHashRoutes } from '../http/routes/cases/held-hashes.js'
import { noticeRoutes } from '../http/routes/cases/notices.js'
import { privacyRoutes } from '../http/routes/cases/privacy.js'
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
import { matchImageRoutes } from '../http/routes/match-images.js'
import { matchVideoRoutes } from '../http/routes/match-videos.js'
import { registryRoutes } from '../http/routes/registry.js'
import { stopNciiRoutes } from '../http/routes/stopncii.js'
import { accountRoutes } from '../http/routes/trust/accounts.js'
import { attestationRoutes } from '../http/routes/trust/attestations.js'
import { disputeAnswerRoutes } from '../http/routes/trust/dispute-answers.js'
import { feedbackRoutes } from '../http/routes/trust/feedback.js'
import { signalRoutes } from '../http/routes/trust/signals.js'
import { verdictRoutes } from '../http/routes/verdict/verdict.js'
import { watchRoutes } from '../http/routes/watch.js'
import { pageRoutes } from '../http/routes/web-pages.js'
import { webhookRoutes } from '../http/routes/webhooks.js'
import type { InFlight } from '../http/upload.js'
import type { AppOptions } from './app-options.js'

export interface RouteOptions
  extends Required<Pick<AppOptions, 'services' | 'site' | 'uploadLimits' | 'now' | 'exposure' | 'gateTier'>> {
  readonly country: string | undefined
  /** All metrics, in Prometheus' text format. */
  readonly metrics: () => Promise<string>
}

export async function registerRoutes(app: FastifyInstance, options: RouteOptions): Promise<void> {
  const { services, site, uploadLimits, country, now, exposure, metrics } = options
  const { cases, files, idempotency, signer, registration, banks, matcher, trust, hashing, health } = services
  const { videoMatcher, refuseUnknownBanks, videoHashing, scheduler, proofOfWork } = services
  const countsFor = exposure === 'public' ? 'admin' : 'public'
  const inFlight: InFlight = { bytes: 0 }
  const { privacyNotice } = site
  const bandsOnly = exposure === 'public'
  await app.register(named(healthRoutes), { health, metrics, countsFor })
  await app.register(named(docRoutes))
  await app.register(named(privacyRoutes), { prefix: '/v1', privacyNotice })
  await app.register(named(challengeRoutes), { prefix: '/v1', proofOfWork })
  await app.register(named(caseRoutes), { prefix: '/v1', cases, files, idempotency, signer, proofOfWork, privacyNotice })
  await app.register(named(caseWishRoutes), { prefix: '/v1', cases, signer, pauses: services.pauses })
  await app.register(named(assistedCaseRoutes), { prefix: '/v1', cases, idempotency, now })
  await app.register(named(caseFileRoutes), { prefix: '/v1', files, signer, limits: services.limits, now })
  await app.register(named(heldHashRoutes), { prefix: '/v1', caseHashes: services.caseHashes })
  await app.register(named(caseHashRoutes), { prefix: '/v1', registration, idempotency, scheduler })
  await app.register(named(caseImageRoutes), { prefix: '/v1', hashing, registration, idempotency, uploadLimits, inFlight })
  await app.register(named(caseVideoRoutes), { prefix: '/v1', videoHashing, registration, idempotency })
  await app.register(named(disputeAnswerRoutes), { prefix: '/v1', trust })
  await app.register(named(appealRoutes), { prefix: '/v1', appeals: services.appeals })
  await app.register(named(pageRoutes), { site, videoHashing })
  await app.register(named(matchRoutes), { prefix: '/v1', matcher, videoMatcher, bandsOnly, scheduler })
  await app.register(named(matchImageRoutes), {
    prefix: '/v1',
    matcher,
    refuseUnknownBanks,
    hashing,
    uploadLimits,
    inFlight,
    bandsOnly,
  })
  await app.register(named(matchVideoRoutes), {
    prefix: '/v1',
    videoMatcher,
    refuseUnknownBanks,
    videoHashing,
    scheduler,
    bandsOnly,
  })
  await app.register(named(verdictRoutes), {
    prefix: '/v1',
    matcher,
    videoMatcher,
    hashing,
    videoHashing,
    uploadLimits,
    inFlight,
    hasDetails: () => matcher.hasDetails(),
    gateTier: options.gateTier,
  })
  await app.register(named(feedRoutes), { prefix: '/v1', feed: services.feed })
  await app.register(named(feedbackRoutes), { prefix: '/v1', trust })
  await app.register(named(signalRoutes), { prefix: '/v1', trust, otherEntries: services.otherEntries })
  await app.register(named(noticeRoutes), { prefix: '/v1', notices: services.notices })
  await app.register(named(attestationRoutes), { prefix: '/v1', attesting: services.attesting })
  await app.register(named(insightRoutes), { prefix: '/v1', insights: services.insights })
  await app.register(named(keyRoutes), { prefix: '/v1', keys: services.keys, idempotency })
  await app.register(named(auditRoutes), { prefix: '/v1', audit: services.audit })
  await app.register(named(dayRoutes), { prefix: '/v1', dailyCounts: services.dailyCounts })
  await app.register(named(registryRoutes), { prefix: '/v1', registry: services.registry })
  await app.register(named(accountRoutes), { prefix: '/v1', accounts: services.accounts })
  await app.register(named(watchRoutes), { prefix: '/v1', watches: services.watches, idempotency })
  await app.register(named(webhookRoutes), { prefix: '/v1', webhooks: services.webhooks, idempotency })
  await app.register(named(stopNciiRoutes), { prefix: '/stopncii/v1', stopNcii: services.stopNcii, now })
  await app.register(named(hmaRoutes), {
    country,
    matcher,
    videoMatcher,
    matchIds: services.matchIds,
    contents: services.contents,
    audit: services.audit,
    banks,
    registration,
    hashing,
    videoHashing,
    pictures: services.pictures,
    health,
    countsFor,
    uploadLimits,
    inFlight,
    now,
  })
  await app.register(named(bankRoutes), { prefix: '/v1', banks, registration, scheduler })
  await app.register(named(importRoutes), { prefix: '/v1', banks, imports: services.imports })
  await app.register(named(exportRoutes), { prefix: '/v1', banks, exports: services.exports })
  const { exchanges, reconcilers, pullSoon } = services
  await app.register(named(exchangeRoutes), { prefix: '/v1', exchanges, reconcilers, pullSoon, audit: services.audit })
}
