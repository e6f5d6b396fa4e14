import type { FastifyPluginCallback } from 'fastify'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import type { Caller } from '../domain/organisations/access.js'
import type { Exposure, LimitName, ServerLimits } from '../http/limit-table.js'
import type { CertificateFacts } from '../http/metrics/operation-metrics.js'
import type { UploadLimits } from '../http/upload.js'
import type { ServerCertificate } from '../net/certificate.js'
import type { Banks } from '../services/banks/banks.js'
import type { Exports } from '../services/banks/exports.js'
import type { CaseFiles } from '../services/cases/case-file.js'
import type { CaseHashes } from '../services/cases/case-hashes.js'
import type { CasePauses } from '../services/cases/case-pauses.js'
import type { Cases } from '../services/cases/cases.js'
import type { Notices } from '../services/cases/notices.js'
import type { ProofOfWork } from '../services/cases/proof-of-work.js'
import type { Feed } from '../services/feed/feed.js'
import type { Hashing } from '../services/intake/hashing.js'
import type { Imports } from '../services/intake/imports.js'
import type { PictureFetching } from '../services/intake/picture-fetching.js'
import type { Registration } from '../services/intake/registration.js'
import type { VideoHashing } from '../services/intake/video-hashing.js'
import type { Contents } from '../services/interop/contents.js'
import type { Exchanges } from '../services/interop/exchanges.js'
import type { Reconcilers } from '../services/interop/reconcilers.js'
import type { StopNcii } from '../services/interop/stopncii.js'
import type { KeyKeeping } from '../services/keys/key-administration.js'
import type { Admission } from '../services/load/admission.js'
import type { EventLoopScheduler } from '../services/load/event-loop-scheduler.js'
import type { Idempotency } from '../services/load/idempotency.js'
import type { LimitCounter } from '../services/load/limits.js'
import type { MatchIds } from '../services/matching/match-ids.js'
import type { RefuseUnknownBanks } from '../services/matching/match-scope.js'
import type { Matcher } from '../services/matching/matcher.js'
import type { VideoMatcher } from '../services/matching/video/video-matcher.js'
import type { Health } from '../services/ops/health.js'
import type { OperationReport } from '../services/ops/operation.js'
import type { RegistryCounts } from '../services/ops/registry-counts.js'
import type { Audit } from '../services/records/audit.js'
import type { Signer } from '../services/records/signer.js'
import type { Accounts } from '../services/trust/accounts.js'
import type { AppealService } from '../services/trust/appeals.js'
import type { Attesting } from '../services/trust/attesting.js'
import type { DailyCounts } from '../services/trust/daily-counts.js'
import type { Insights } from '../services/trust/insights.js'
import type { OtherEntries } from '../services/trust/other-entries.js'
import type { TrustService } from '../services/trust/trust.js'
import type { WatchService } from '../services/watch/watch-service.js'
import type { WebhookService } from '../services/webhooks/webhooks.js'
import type { Site } from '../web/site.js'

export interface AppServices {
  readonly cases: Cases
  readonly files: CaseFiles
  readonly idempotency: Idempotency
  /** For acts of routes; services record their own. */
  readonly audit: Audit
  /** Signs receipts and reports. */
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
  readonly videoMatcher: VideoMatcher
  readonly refuseUnknownBanks: RefuseUnknownBanks
  readonly feed: Feed
  readonly trust: TrustService
  readonly appeals: AppealService
  readonly caseHashes: CaseHashes
  readonly notices: Notices
  readonly pauses: CasePauses
  readonly attesting: Attesting
  readonly otherEntries: OtherEntries
  readonly proofOfWork: ProofOfWork
  readonly insights: Insights
  readonly dailyCounts: Pick<DailyCounts, 'days'>
  readonly keys: KeyKeeping
  readonly registry: () => Promise<RegistryCounts>
  readonly accounts: Accounts
  readonly webhooks: WebhookService
  readonly watches: WatchService
  readonly hashing: Hashing
  readonly videoHashing: VideoHashing
  readonly pictures: PictureFetching
  readonly health: Health
  readonly operation: () => Promise<OperationReport>
  readonly limits: LimitCounter
  readonly scheduler: EventLoopScheduler
  /** @returns the caller with this key. Some keys are valid only from certain addresses. @throws {Problem} key-suspended */
  readonly identify: (key: string, address?: string) => Caller | undefined
}

export interface AppOptions {
  readonly services: AppServices
  readonly site: Site
  readonly uploadLimits: UploadLimits
  /** ISO 3166-1 alpha-2: the country whose hotlines come first; `undefined` shows all. */
  readonly country: string | undefined
  readonly now?: () => number
  /** Private by default. */
  readonly exposure?: Exposure
  /** The lowest tier for which an upload is blocked; `ngo-attested` by default. */
  readonly gateTier?: Tier
  /** Replaces maximums of the table of limits. */
  readonly maxOf?: Partial<Readonly<Record<LimitName, number>>>
  readonly serverLimits?: ServerLimits
  /** Makes a span of each request; no spans by default. */
  readonly tracing?: FastifyPluginCallback | undefined
  /** Which requests are admitted under overload; by default, the delays of the table of limits. */
  readonly admission?: Admission
  /** Origins whose pages may read answers; by default only our own. */
  readonly corsOrigins?: readonly string[]
  /** Networks whose `X-Forwarded-For` is trusted; none by default. */
  readonly trustedProxies?: readonly string[]
  readonly tls?: ServerCertificate | undefined
  /** Certificates whose expiry is reported, by purpose; none by default. */
  readonly certificates?: ReadonlyMap<string, CertificateFacts>
  readonly logLevel: string
  /** Share of successful requests that are logged; all by default. */
  readonly logSample?: number
  /** Destination of log lines; standard output by default. */
  readonly logStream?: { write(line: string): void }
}
