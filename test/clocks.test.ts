// Every file that reads a clock, with the reason why a wrong one does no harm that stays. A clock may be wrong by years, in both
// directions, in one process or in Redis. What cannot be undone is decided by src/services/load/due-time.ts.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '../..')
const CLOCK =
  /Date\.now|new Date\(\)|performance\.now|redis\.call\('TIME'\)|\.time\(\)|storeTime(Ms)?\(|store_ms\(\)|(?<![\w'])#?now\(\)/

const FILES_BY_REASON: Readonly<Record<string, readonly string[]>> = {
  'the helpers that decide, and what reads the clock for them': [
    'src/services/load/due-time.ts',
    'src/store/redis/store-time.ts',
    'src/store/scripts/agree-time.ts',
    'src/store/scripts/store-time.ts',
  ],
  'hands its clock to the parts': [
    'src/app/app.ts',
    'src/boot/server.ts',
    'src/boot/supervisor.ts',
    'src/cli/cases.ts',
    'src/cli/trust.ts',
    'workers/case-life.ts',
    'workers/main.ts',
    'workers/messenger.ts',
  ],
  'a duration in one process, by a monotonic clock': [
    'packages/feed/src/follow.ts',
    'page/sending/sender.ts',
    'page/sending/sending.ts',
    'src/app/first-answer.ts',
    'src/boot/kept-part.ts',
    'src/boot/kept-redis.ts',
    'src/boot/stop-signals.ts',
    'src/handoff/pending-images.ts',
    'src/handoff/worker-pace.ts',
    'src/http/arriving-pictures.ts',
    'src/http/connections.ts',
    'src/http/plugins/authentication.ts',
    'src/http/plugins/request-admission.ts',
    'src/http/plugins/slow-bodies.ts',
    'src/http/routes/feed.ts',
    'src/services/index/readiness.ts',
    'src/services/intake/video-hashing.ts',
    'src/services/load/admission.ts',
    'src/services/load/event-loop-scheduler.ts',
    'src/services/load/idempotency.ts',
    'src/services/load/yielding.ts',
    'src/store/embedded/embedded-redis.ts',
    'src/store/images/changes.ts',
    'src/store/redis/durable-writer.ts',
    'src/store/sealing/seal.ts',
    'src/store/upkeep/log-rewrite.ts',
    'workers/hash-video-job.ts',
    'workers/sandbox.ts',
  ],
  'compares clocks, and does so again every few seconds': [
    'src/cli/doctor/doctor-facts.ts',
    'src/store/redis/write-deadline.ts',
  ],
  'Redis’s clock; what it left in the future is ignored or set right': [
    'src/store/redis/heartbeats.ts',
    'src/store/scripts/images/fetched.ts', // but withdrawals that wait for a reader are forgotten if it is ahead by 30 days
    'src/store/scripts/organisations/feed-batches.ts',
    'src/store/sealing/seal-ring.ts',
  ],
  'when a job is tried again, by the clock of the worker that looks': ['src/jobs/known-jobs.ts'],
  'makes digests differ': ['src/store/scripts/announce.ts'],
  'says when something was; nothing is decided by it': [
    'src/cli/audit.ts',
    'src/cli/backup/backup.ts',
    'src/cli/backup/restore.ts',
    'src/cli/canary.ts',
    'src/cli/webhooks.ts',
    'src/http/routes/cases/case-file.ts',
    'src/services/banks/banks.ts',
    'src/services/cases/case-pauses.ts', // but a pause ends by it, and can be undone and repeated
    'src/services/cases/handover.ts',
    'src/services/cases/wishes.ts', // but it is compared with the store's time, and the later one counts
    'src/services/intake/registration.ts',
    'src/services/interop/content-checks.ts',
    'src/services/interop/run-state.ts',
    'src/services/records/audit.ts',
    'src/services/trust/trust-changes.ts',
    'src/services/watch/comparing.ts',
    'src/store/scripts/organisations/outbox.ts',
    'src/store/upkeep/withdrawal-files.ts',
    'src/store/upkeep/withdrawal-log.ts',
  ],
  'shows something to somebody who asks': [
    'console/ask-api.ts',
    'console/console.tsx',
    'page/following/case-requests.ts',
    'page/following/time-line.ts',
    'page/sending/sentences.ts',
    'page/start.ts',
    'src/cli/backup/restore-progress.ts',
    'src/cli/byte-bar.ts',
    'src/cli/doctor/doctor.ts',
    'src/cli/export.ts',
    'src/cli/import.ts',
    'src/http/metrics/metrics.ts',
    'src/services/cases/case-file.ts',
    'src/services/cases/kept-of-case.ts',
    'src/http/routes/hma/hma-exchanges.ts',
    'src/http/routes/hma/status.ts',
    'src/services/ops/operation.ts',
    'src/services/ops/registry-counts.ts',
    'src/services/trust/daily-counts.ts',
    'src/services/trust/insights.ts',
  ],
  'refuses or allows one request; right again with the clock': [
    'src/app/key-parts.ts',
    'src/http/routes/cases/assisted-cases.ts',
    'src/http/routes/hma/contents.ts',
    'src/http/routes/stopncii.ts',
    'src/services/cases/case-changes.ts',
    'src/services/cases/cases.ts', // until when a case is kept: the later of two clocks
    'src/services/cases/notices.ts', // what is announced: the earlier of two clocks
    'src/services/cases/proof-of-work.ts',
    'src/services/intake/resubmission-block.ts',
    'src/services/interop/contents.ts', // which pauses have ended: the earlier of two clocks
    'src/services/trust/appeals.ts', // which blocks have ended: the earlier of two clocks
    'src/services/trust/trust.ts',
    'src/services/webhooks/webhook-subscribers.ts',
    'src/services/webhooks/webhooks.ts',
  ],
  'counts in windows; a wrong clock forgets counts, and never adds those of other windows': [
    'src/services/index/image-facts.ts',
    'src/services/intake/bank-storing.ts',
    'src/services/intake/quotas.ts',
    'src/services/load/limits.ts',
    'src/services/matching/probing/probing-guard.ts',
    'src/services/matching/probing/probing.ts',
    'src/services/trust/accounts.ts',
  ],
  'the clock of a device, for how long its tab keeps hashes': ['page/choosing/kept-hashes.ts', 'page/choosing/picker.ts'],
  'when to do again what may be done at any time': [
    'src/boot/certificate-files.ts',
    'src/services/intake/import-run.ts',
    'src/services/intake/imports.ts',
    'src/services/interop/exchanges.ts',
    'src/services/interop/full-resync.ts', // reads the whole feed again, and removes what it no longer names
    'src/services/interop/reconcilers.ts',
    'src/services/interop/reconciling.ts',
    'src/services/interop/stopncii.ts',
    'src/services/keys/key-uses.ts',
    'src/services/records/audit-checks.ts',
    'src/store/upkeep/backup-file.ts', // removes interrupted copies, which are made again
  ],
  'the later of two clocks: until when a watch is kept': ['src/services/watch/watch-service.ts'],
  'expiry by the earlier of two clocks; its own clock for when a case was erased': ['src/services/cases/case-expiry.ts'],
  'ends ten seconds of grace': ['src/services/banks/bank-erasure.ts'],
  'when a key of an organisation ends, which an operator sees and can change': [
    'src/cli/keys.ts',
    'src/cli/seal-keys.ts',
    'src/services/keys/key-administration.ts',
  ],
  'fallback for the clock of Redis': ['src/services/trust/match-follow-up.ts'],
  'when a delivery is due, and how long it is tried': [
    'src/services/webhooks/webhook-plan.ts',
    'src/services/webhooks/webhook-sending.ts',
    'workers/deliver-webhook.ts',
  ],
}

t.test('every file that reads a clock is listed with its reason', (t) => {
  const listed = Object.values(FILES_BY_REASON).flat()
  const found = ['src', 'workers', 'packages', 'page', 'console'].flatMap(clockFilesUnder)
  t.same(
    found.filter((file) => !listed.includes(file)),
    [],
    'add it to the reason that fits, or let due-time.ts decide',
  )
  t.same(
    listed.filter((file) => !found.includes(file)),
    [],
    'these read no clock',
  )
  t.equal(new Set(listed).size, listed.length, 'one reason each')
  t.end()
})

function clockFilesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => /\.tsx?$/.test(file) && !/node_modules|\bdist\b/.test(file))
    .filter((file) => CLOCK.test(withoutComments(readFileSync(join(root, file), 'utf8'))))
    .sort()
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
}
