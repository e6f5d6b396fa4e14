// Every Redis key that Tabir owns. All share a prefix, so that an ACL can name them; its braces make it a hash tag.

import { idBytes } from '../../../packages/core/src/ids.js'
import { DETAIL_SHARDS, IMAGE_SHARDS, WATCH_SHARDS } from '../scripts/shards.js'

const TAG = '{tabir}'

export const keys = {
  /** Prefix of every key, for scripts that build key names. */
  prefix: `${TAG}:`,
  /** [integer] number of the last change of images, banks and API keys; an index calls it its revision. */
  revision: `${TAG}:revision`,
  /** stream: one entry per change, id `<revision>-0`, fields op, ids and chain (digests of the previous and of this entry). Never hash bits. */
  changes: `${TAG}:changes`,
  /** hash: `written`, the format of the store; `readableFrom`, the oldest format whose versions may still use it. */
  format: `${TAG}:format`,
  /** hash: name → 32 random bytes of the deployment, sealed. Names are in secrets.ts. */
  secrets: `${TAG}:secrets`,
  /** hash: fingerprint of a seal key → JSON: its label and a fixed text sealed under it. */
  sealChecks: `${TAG}:seal-checks`,
  /** string: fingerprint of the seal key that every process should seal with; missing before the first rotation. */
  sealActive: `${TAG}:seal-active`,
  /** sorted set: `<process>|<fingerprint>`, which process seals with which key; score [epoch ms] of its last report. */
  sealKeyUsers: `${TAG}:seal-key-users`,
  /** hash: organisation id → JSON. */
  orgs: `${TAG}:orgs`,
  /** hash: organisation name → id. */
  orgIds: `${TAG}:org-ids`,
  /** hash: key id → JSON with the SHA-256 of the secret. */
  apiKeys: `${TAG}:api-keys`,
  /** set: ids [16 bytes] of planted signals. A match of one shows that a list was passed on. */
  canaries: `${TAG}:canaries`,
  /** list, newest first: JSON of each backup: path, host, time and fingerprints of the seal keys that it needs. */
  backups: `${TAG}:backups`,
  /** hash: key id → day of its last use. */
  apiKeyUses: `${TAG}:api-key-uses`,
  /** hash: bank name → JSON. */
  banks: `${TAG}:banks`,
  /** hash: image id [16 bytes] → sealed record (image-record.ts). */
  images: (shard: number) => `${TAG}:images:${shard}`,
  /** Pattern of all `images` keys. */
  imagesPattern: `${TAG}:images:*`,
  /** hash: image id [16 bytes] → sealed points that verify a candidate (points-record.ts); only for extended protection. */
  details: (shard: number) => `${TAG}:details:${shard}`,
  /** Pattern of all `details` keys. */
  detailsPattern: `${TAG}:details:*`,
  /** hash: image id [16 bytes] → `<version>:<JSON>` of verdicts, disputes, attestations and pauses; only for images that have any. */
  trust: (shard: number) => `${TAG}:trust:${shard}`,
  /** hash: image id [16 bytes] → [2 bytes] trust status, the part that every index holds; for the same images. */
  trustStatuses: (shard: number) => `${TAG}:trust-statuses:${shard}`,
  /** sorted set: image ids [16 bytes] of disputed signals; score [epoch ms] of the dispute. */
  disputes: `${TAG}:disputes`,
  /** sorted set: image ids [16 bytes] of held signals; score [epoch ms] since when. */
  quarantine: `${TAG}:quarantine`,
  /** sorted set: feed positions given to one StopNCII fetcher, as `time:revision:…` (fetch-cursors.ts); score: the time [Unix seconds]. */
  fetchCursors: (keyId: string) => `${TAG}:fetched-up-to:${keyId}`,
  /**
   * hash: image id [16 bytes] and hash number [1 byte] → a hash that StopNCII fetchers were given, PDQ [32 bytes] or MD5 of a video [16 bytes],
   * sealed. Sharded as `images`.
   */
  fetched: (shard: number) => `${TAG}:fetched:${shard}`,
  /** Pattern of all `fetched` keys. */
  fetchedPattern: `${TAG}:fetched:*`,
  /** hash: the same fields → ids of the API keys that fetched the hash, separated by spaces. */
  fetchedBy: (shard: number) => `${TAG}:fetched-by:${shard}`,
  /** string: a hash that was withdrawn after it was fetched, sealed. The name is image id and hash number, in hex. */
  withdrawnHash: (nameHex: string) => `${TAG}:withdrawn-hash:${nameHex}`,
  /** Pattern of all `withdrawnHash` keys. */
  withdrawnHashPattern: `${TAG}:withdrawn-hash:*`,
  /** set: ids of the API keys that have not been given this withdrawal yet. */
  withdrawnKeys: (nameHex: string) => `${TAG}:withdrawn-keys:${nameHex}`,
  /** sorted set: image id and hash number [17 bytes] of the withdrawals that a key has not been given yet; score: their sequence number. */
  withdrawnFor: (keyId: string) => `${TAG}:withdrawn-for:${keyId}`,
  /** [integer] the last sequence number of a withdrawal: [epoch ms], or the previous one plus 1 if that is later. */
  withdrawnLast: `${TAG}:withdrawn-last`,
  /** sorted set: revisions at which a feed batch ended; score: the same. */
  feedBatches: `${TAG}:feed-batches`,
  /** string: ids [16 bytes each] of the images in the batch that ended at this revision. */
  feedBatch: (end: number) => `${TAG}:feed-batch:${end}`,
  /** sorted set: kind [1 byte: c new, s changed] and image id [16 bytes] of case images in the open batch; score: revision. */
  feedWaiting: `${TAG}:feed-waiting`,
  /** [epoch ms] of the oldest entry in the open batch. */
  feedWaitingSince: `${TAG}:feed-waiting-since`,
  /** string `1`, for one second: a large open batch was checked already. */
  feedWaitingLooked: `${TAG}:feed-waiting-looked`,
  /** sorted set: image ids [16 bytes] of signals that their owner paused; score [epoch ms] when they match again. */
  holdSchedule: `${TAG}:hold-schedule`,
  /** sorted set: keyed digests [16 bytes] of case pictures judged harmless; score [epoch ms] until when no case may register them. */
  resubmissionBlocks: `${TAG}:resubmission-blocks`,
  /** sorted set: what each open appeal is about (`Appealed` in domain/cases/appeal.ts) [17 bytes]; score [epoch ms] when it was made. */
  appeals: `${TAG}:appeals`,
  /** sorted set: the same for denied appeals; score [epoch ms] until when the denial is valid. */
  deniedAppeals: `${TAG}:denied-appeals`,
  /** hash: matches of an image: per platform (keyed hash) in this hour, uploads per half day, platforms that ever matched. */
  matchEvents: (imageHex: string) => `${TAG}:match-events:${imageHex}`,
  /** HyperLogLog: keyed 32-bit hashes of the looks of uploads that contain the image and are not copies of it, in this half day. */
  looks: (imageHex: string) => `${TAG}:looks:${imageHex}`,
  /** HyperLogLog: the same of the previous half day. */
  looksBefore: (imageHex: string) => `${TAG}:looks-before:${imageHex}`,
  /** sorted set: keyed hashes of a video's frames; score: how many looks (see `looks`) each frame found, in this half day. */
  lookFrames: (imageHex: string) => `${TAG}:look-frames:${imageHex}`,
  /** sorted set: the same of the previous half day. */
  lookFramesBefore: (imageHex: string) => `${TAG}:look-frames-before:${imageHex}`,
  /** set: keyed hashes of the platforms that an answer named this image to. They get its withdrawal. */
  told: (imageHex: string) => `${TAG}:told:${imageHex}`,
  /** hash: keyed digest of organisation and image → what queries near a threshold may have revealed (scripts/trust/probing.ts). */
  probing: (orgId: string) => `${TAG}:probing:${orgId}`,
  /** hash: keyed digest of image → the same, summed over all organisations. */
  probingAll: `${TAG}:probing-all`,
  /** hash: organisation (or `all`) and statistic → count on this day (`2026-01-31`, UTC). */
  dailyCounts: (day: string) => `${TAG}:daily-counts:${day}`,
  /** stream: events for operators and webhooks. */
  events: `${TAG}:events`,
  /** string: marks an event as recorded, so that it is not recorded twice in its window. */
  eventOnce: (digest: string) => `${TAG}:event-once:${digest}`,
  /** stream: the audit log, one entry per act, id `<number>-0`, fields entry and mac. */
  audit: `${TAG}:audit`,
  /** [72 bytes] number and MAC of the last entry of the audit log, then the MAC of both. */
  auditHead: `${TAG}:audit-head`,
  /** [72 bytes] the same of the last trimmed entry: the log begins after it. */
  auditCut: `${TAG}:audit-cut`,
  /** list: audit entries that are not chained yet, oldest first. */
  auditDue: `${TAG}:audit-due`,
  /** [integer] how many acts were ever recorded. Scripts build the same key name. */
  auditDueCount: `${TAG}:audit-due-count`,
  /** string `<sound or unsound> <epoch ms>`: result and time of the last full verification of the audit log. */
  auditCheck: `${TAG}:audit-check`,
  /** string `1`, with a time to live: a process is verifying the log. */
  auditCheckHolder: `${TAG}:audit-check-holder`,
  /** string `1`, for a day: a process trims the audit log today. */
  auditTrimming: `${TAG}:audit-trimming`,
  /** string: marks an audit entry as recorded, so that it is not recorded twice in its window. */
  auditOnce: (digest: string) => `${TAG}:audit-once:${digest}`,
  /** sorted set: keyed hashes of an organisation's contexts; score [epoch ms] of the last match. */
  contexts: (orgId: string) => `${TAG}:contexts:${orgId}`,
  /** hash: the same keyed hashes → text of the context, sealed. */
  contextNames: (orgId: string) => `${TAG}:context-names:${orgId}`,
  /** HyperLogLog: images matched in a context in one hour (`h…`) or on one day (`d…`). */
  contextImages: (orgId: string, key: string, span: string) => `${TAG}:context:${orgId}:${key}:${span}`,
  /** sorted set: ids of an account's invalidated images; score [epoch ms] of the strike. */
  strikes: (account: string) => `${TAG}:strikes:${account}`,
  /** sorted set: accounts with strikes; score [epoch ms] of the last one. */
  strikeAccounts: `${TAG}:accounts-with-strikes`,
  /** sorted set: keyed digests [16 bytes] of what an organisation may not submit again; score [epoch ms] until when. */
  organisationBlocks: (orgId: string) => `${TAG}:organisation-blocks:${orgId}`,
  /** [integer] signals that an organisation submitted on a day. */
  handedIn: (orgId: string, day: string) => `${TAG}:handed-in:${orgId}:${day}`,
  /** [integer] hashes that were registered on a day, without a picture, in cases that nobody vouches for. */
  unattestedHashes: (day: string) => `${TAG}:unattested-hashes:${day}`,
  /** string `1`: this proof-of-work challenge was used. */
  usedProof: (digest: string) => `${TAG}:used-proof:${digest}`,
  /** [integer] cases opened in this minute, by all processes. */
  openings: (minute: number) => `${TAG}:openings:${minute}`,
  /** [integer] uses of one rate limit in one window, by all processes. The name has ids and numbers, never addresses. */
  limit: (name: string) => `${TAG}:limit:${name}`,
  /** hash: the fields of a case (`CaseFields` in case-record.ts). */
  case: (caseId: string) => `${TAG}:case:${caseId}`,
  /** set: image ids [16 bytes] of a case. */
  caseImages: (caseId: string) => `${TAG}:case:${caseId}:images`,
  /** stream: time line of a case, fields kind, count, atMs. No platform names. */
  caseEvents: (caseId: string) => `${TAG}:case:${caseId}:events`,
  /** string: the claim of a request in progress, or its answer, sealed under the caller's Idempotency-Key. */
  idempotency: (name: string) => `${TAG}:idempotency:${name}`,
  /** sorted set: ids of the imports into a bank; score [epoch ms] of their start. */
  imports: (bank: string) => `${TAG}:imports:${bank}`,
  /** hash: `progress`, JSON of how far an import has come; `writer`, the run that may write. */
  import: (bank: string, importId: string) => `${TAG}:import:${bank}:${importId}`,
  /** list: JSON of line ranges that were rejected or removed nothing. */
  importRejections: (bank: string, importId: string) => `${TAG}:import:${bank}:${importId}:rejected`,
  /** string: JSON of the position and progress in a pulled feed. */
  exchange: (name: string) => `${TAG}:exchange:${name}`,
  /** hash: keyed hash [16 bytes] of a feed record's name → id [16 bytes] of the signal that it became. */
  exchangeEntries: (name: string) => `${TAG}:exchange:${name}:records`,
  /** hash: `writer`, the pull that may write. */
  exchangeRun: (name: string) => `${TAG}:exchange:${name}:run`,
  /** set: keyed hashes of the names that the feed listed during a full re-read. Signals of others are removed at its end. */
  exchangeNamed: (name: string) => `${TAG}:exchange:${name}:named`,
  /** string: JSON of the banks that a reconciler found in its last run, and of how that run went. */
  reconcilerBanks: (name: string) => `${TAG}:reconciler:${name}:banks`,
  /** string: JSON of the position and progress in one bank. The name is `<reconciler>:<bank>`, here and in `reconcilerContents`. */
  reconciler: (name: string) => `${TAG}:reconciler:${name}`,
  /** hash: image id [16 bytes] → number of its content in the other system. */
  reconcilerContents: (name: string) => `${TAG}:reconciler:${name}:contents`,
  /** hash: `atMs`, the store's time at the last expiry run; `steadyFromMs`, its time after its clock last jumped. */
  agreedTime: `${TAG}:agreed-time`,
  /** sorted set: case ids; score [epoch ms] when an open case expires or an ended one is forgotten. */
  caseSchedule: `${TAG}:case-schedule`,
  /** sorted set: ids of ended cases whose records are still in Redis's append-only file; score [epoch ms] when they ended. */
  caseErasures: `${TAG}:case-erasures`,
  /** sorted set: ids of cases that an organisation opened for somebody or that name it as contact; score [epoch ms] since when. */
  assisted: (orgId: string) => `${TAG}:assisted:${orgId}`,
  /** string: JSON of the legal notice of a case. */
  caseNotice: (caseId: string) => `${TAG}:case:${caseId}:notice`,
  /** set: image ids [16 bytes] with a legal notice. */
  noticed: `${TAG}:noticed`,
  /** hash, per image: `org|law|stage` → [epoch ms] when it is due, or `stopped`; `contact` → id of the organisation that the notice names. */
  deadlines: (imageHex: string) => `${TAG}:deadlines:${imageHex}`,
  /** sorted set: running deadlines as `image|org|law|stage`; score [epoch ms] when they are due. */
  deadlineSchedule: `${TAG}:deadline-schedule`,
  /** set: the running deadlines of cases whose notice names this organisation as contact. */
  contactDeadlines: (orgId: string) => `${TAG}:contact-deadlines:${orgId}`,
  /** hash: watch id [16 bytes] → sealed record. */
  watches: (shard: number) => `${TAG}:watches:${shard}`,
  /** Pattern of all `watches` keys. */
  watchesPattern: `${TAG}:watches:*`,
  /** sorted set: watch ids [16 bytes] of an organisation; score [epoch ms] when they end. */
  watchesOf: (orgId: string) => `${TAG}:watches-of:${orgId}`,
  /** hash: watch id [16 bytes] → as how many further watches it counts, for those of videos; `all` → their sum. */
  watchMore: (orgId: string) => `${TAG}:watch-more:${orgId}`,
  /** sorted set: watch id and organisation id [16 bytes each]; score [epoch ms] when the watch ends. */
  watchSchedule: `${TAG}:watch-schedule`,
  /** set: ids of organisations that have watches. */
  watchOrgs: `${TAG}:watch-orgs`,
  /** [integer] number of the last change of watches. */
  watchRevision: `${TAG}:watch-revision`,
  /** stream: one entry per change of watches, in the form of `changes`. */
  watchChanges: `${TAG}:watch-changes`,
  /** string: token of the process that compares registrations with watches. */
  watchHolder: `${TAG}:watch-holder`,
  /** string `revision:digest`: position in `changes` up to which it has compared. */
  watchCursor: `${TAG}:watch-cursor`,
  /** [integer] watches and withdrawn hashes that were deleted but are still in Redis's append-only file. */
  watchErased: `${TAG}:watch-erased`,
  /** [integer] signals of banks, forgotten cases and contexts that were deleted but are still in Redis's append-only file. */
  erased: `${TAG}:erased`,
  /** string `1`, for a day after a rewrite of the append-only file for `erased`. */
  erasedToday: `${TAG}:erased-today`,
  /** string `1`, until the watch ends or the image is erased: this organisation was notified of this image. */
  watchTold: (orgId: string, imageHex: string) => `${TAG}:watch-told:${orgId}:${imageHex}`,
  /** set: ids of the organisations that have a `watchTold` of this image. */
  watchToldOrgs: (imageHex: string) => `${TAG}:watch-told-orgs:${imageHex}`,
  /** hash: webhook id → sealed JSON: organisation, address, events, secrets. */
  webhooks: `${TAG}:webhooks`,
  /** set: webhook ids of an organisation. */
  orgWebhooks: (orgId: string) => `${TAG}:org-webhooks:${orgId}`,
  /** stream: events that are not deliveries yet. An entry is deleted in the step that makes its deliveries. */
  webhookOutbox: `${TAG}:webhook-outbox`,
  /** stream: events held back because a webhook's record cannot be read now; fields as in the outbox. */
  webhookWaiting: `${TAG}:webhook-waiting`,
  /** hash: id of an event in `webhookWaiting` → ids of the webhooks whose records cannot be read, separated by spaces. */
  webhookWaitingFor: `${TAG}:webhook-waiting-for`,
  /** string: token of the process that turns the outbox into deliveries. */
  webhookOutboxHolder: `${TAG}:webhook-outbox-holder`,
  /** string: id of the last entry of `events` that was turned into deliveries. */
  webhookEventCursor: `${TAG}:webhook-event-cursor`,
  /** sorted set: delivery ids of a webhook; score [epoch ms] of the first due time. */
  webhookDeliveries: (webhookId: string) => `${TAG}:webhook-deliveries:${webhookId}`,
  /** sorted set: finished delivery ids of a webhook; score [epoch ms] when they are deleted. */
  webhookFinished: (webhookId: string) => `${TAG}:webhook-finished:${webhookId}`,
  /** sorted set: webhook ids with events that could not wait and are not told yet; score [epoch ms] of the first of them. */
  webhookMissed: `${TAG}:webhook-missed`,
  /** hash: one delivery. Fields are listed in scripts/organisations/webhooks.ts. */
  webhookDelivery: (webhookId: string, id: string) => `${TAG}:webhook-delivery:${webhookId}:${id}`,
  /** sorted set: subjects with waiting deliveries; score [epoch ms] when to try next. */
  webhookSubjectQueues: (webhookId: string) => `${TAG}:webhook-subject-queues:${webhookId}`,
  /** list: waiting delivery ids about one subject, the next one first. Only scripts use it. */
  webhookSubjectQueue: (webhookId: string, subject: string) => `${TAG}:webhook-subject-queue:${webhookId}:${subject}`,
  /** sorted set: subjects whose first delivery is being sent; score [epoch ms] when its lease ends. */
  webhookLeases: (webhookId: string) => `${TAG}:webhook-leases:${webhookId}`,
  /** hash: consecutive failures of a webhook and the state of its rate limit. */
  webhookHealth: (webhookId: string) => `${TAG}:webhook-health:${webhookId}`,
  /** sorted set: webhook ids whose last delivery failed; score [epoch ms] since when they fail. */
  webhookFailing: `${TAG}:webhook-failing`,
  /** [integer] attempts with PINs and recovery codes, on existing and unknown case numbers. */
  pinsTried: `${TAG}:pins-tried`,
  /** sorted set: random ids of worker processes; score [epoch ms, Redis's clock] of the last heartbeat. */
  workerHeartbeats: `${TAG}:worker-heartbeats`,
  /** sorted set: the same of messenger processes. */
  messengerHeartbeats: `${TAG}:messenger-heartbeats`,
  /** string `<case id>:<PIN changes>`: what a token opens; void once the PIN has changed again. */
  caseToken: (tokenHash: string) => `${TAG}:case-token:${tokenHash}`,
} as const

export function detailShard(id: Uint8Array): number {
  return imageShard(id) % DETAIL_SHARDS
}

/** Spreads by the last two bytes of an id. Scripts compute the same. */
export function watchShard(id: Uint8Array): number {
  return (((id[14] ?? 0) << 8) | (id[15] ?? 0)) % WATCH_SHARDS
}

/** Shards of `trust` and `trust-statuses`, by the last byte of an image id. Scripts compute the same. */
export const TRUST_SHARDS = 256

export function trustShard(id: Uint8Array): number {
  return id[15] ?? 0
}

/** The last two bytes of an image's id are part of a keyed hash, so shards fill evenly. Scripts compute the same. */
export function imageShard(id: Uint8Array): number {
  return (((id[14] ?? 0) << 8) | (id[15] ?? 0)) % IMAGE_SHARDS
}

/** @returns the 16 bytes of an id, as Redis keys, fields and scripts have it. @throws {RangeError} for a text that is not a UUID. */
export function idBuffer(id: string): Buffer {
  return Buffer.from(idBytes(id))
}
