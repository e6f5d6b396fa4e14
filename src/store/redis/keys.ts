// Every Redis key that Tabir owns. All have one prefix, so that an ACL can name them.

import { DETAIL_SHARDS, IMAGE_SHARDS, WATCH_SHARDS } from '../scripts/shards.js'

const TAG = '{tabir}'

export const keys = {
  /** What all keys begin with, for scripts that work out keys themselves. */
  prefix: `${TAG}:`,
  /** [integer] number of the last change; what an index calls its revision. */
  revision: `${TAG}:revision`,
  /** stream: one entry a change, id `<revision>-0`, fields op, ids and the chain of digests. Never bits. */
  changes: `${TAG}:changes`,
  /** hash: the format that the store is written in, and the oldest that may still work on it. */
  format: `${TAG}:format`,
  /** hash: name → sealed random bytes that belong to the deployment. */
  secrets: `${TAG}:secrets`,
  /** hash: fingerprint of a seal key → JSON: its name, and a check value sealed under it. */
  sealChecks: `${TAG}:seal-checks`,
  /** string: fingerprint of the seal key that all are to seal with. */
  sealActive: `${TAG}:seal-active`,
  /** sorted set: `<process>|<fingerprint>` of who seals with what, by when [epoch ms] it was last heard of. */
  sealKeyUsers: `${TAG}:seal-key-users`,
  /** hash: organisation id → JSON. */
  orgs: `${TAG}:orgs`,
  /** hash: organisation name → id. */
  orgIds: `${TAG}:org-ids`,
  /** hash: key id → JSON with the secret's hash. */
  apiKeys: `${TAG}:api-keys`,
  /** set: ids [16 bytes] of signals that were planted to be noticed. */
  canaries: `${TAG}:canaries`,
  /** list: JSON of backups that were made: where, when, and which seal keys they need. The newest first. */
  backups: `${TAG}:backups`,
  /** hash: key id → day on which it was last used. */
  apiKeyUses: `${TAG}:api-key-uses`,
  /** hash: bank name → JSON. */
  banks: `${TAG}:banks`,
  /** hash: image id [16 bytes] → sealed record. */
  images: (shard: number) => `${TAG}:images:${shard}`,
  /** All of these. */
  imagesPattern: `${TAG}:images:*`,
  /** hash: image id [16 bytes] → sealed points that a candidate is verified by, for images with extended protection. */
  details: (shard: number) => `${TAG}:details:${shard}`,
  /** All of these. */
  detailsPattern: `${TAG}:details:*`,
  /** hash: image id [16 bytes] → version and JSON of what was said about it, for images about which something was. */
  trust: (shard: number) => `${TAG}:trust:${shard}`,
  /** hash: image id [16 bytes] → [1 byte] what every index has to know of it, for the same images. */
  trustStatuses: (shard: number) => `${TAG}:trust-statuses:${shard}`,
  /** sorted set: image ids [16 bytes] of signals that are disputed, by the time since when. */
  disputes: `${TAG}:disputes`,
  /** sorted set: image ids [16 bytes] of signals in quarantine, by the time since when. */
  quarantine: `${TAG}:quarantine`,
  /**
   * sorted set: time:place in the feed by time [Unix seconds], for those who fetch by times with one API key. Under `fetch-places` are those of
   * versions that did not note what was fetched.
   */
  fetchCursors: (keyId: string) => `${TAG}:fetched-up-to:${keyId}`,
  /** hash: image id [16 bytes] and number [1 byte] of one of its hashes that keys fetched by times → the hash, sealed. As many shards as of images. */
  fetched: (shard: number) => `${TAG}:fetched:${shard}`,
  /** All of these. */
  fetchedPattern: `${TAG}:fetched:*`,
  /** hash: the same fields → ids of the keys that fetched it, with spaces between. */
  fetchedBy: (shard: number) => `${TAG}:fetched-by:${shard}`,
  /** string: a hash that was withdrawn after it was fetched, sealed; named by image id and number in hex. */
  withdrawnHash: (nameHex: string) => `${TAG}:withdrawn-hash:${nameHex}`,
  /** All of these. */
  withdrawnHashPattern: `${TAG}:withdrawn-hash:*`,
  /** set: the keys that have still to be told of it. */
  withdrawnKeys: (nameHex: string) => `${TAG}:withdrawn-keys:${nameHex}`,
  /** sorted set: image id and number of what one of these keys has still to be told of, by its place in the order of withdrawals. */
  withdrawnFor: (keyId: string) => `${TAG}:withdrawn-for:${keyId}`,
  /** [integer] the last such place: [epoch ms], or one more than the one before. */
  withdrawnLast: `${TAG}:withdrawn-last`,
  /** sorted set: revisions at which a batch of what the feed tells together ended. */
  feedBatches: `${TAG}:feed-batches`,
  /** string: ids [16 bytes each] of the images in the batch that ended at a revision. */
  feedBatch: (end: number) => `${TAG}:feed-batch:${end}`,
  /** sorted set: kind [1 byte] and image id [16 bytes] of what changed since the last, by revision. */
  feedWaiting: `${TAG}:feed-waiting`,
  /** string: [epoch ms] since when something is in there. */
  feedWaitingSince: `${TAG}:feed-waiting-since`,
  /** string: there while much waits and was looked at in the last second. */
  feedWaitingLooked: `${TAG}:feed-waiting-looked`,
  /** sorted set: image ids [16 bytes] of signals that their owner holds for a time, by when [epoch ms] they match again. */
  holdSchedule: `${TAG}:hold-schedule`,
  /** sorted set: keyed digests [16 bytes] of pictures of cases that were judged harmless, by until when [epoch ms] no case takes them. */
  resubmissionBlocks: `${TAG}:resubmission-blocks`,
  /** sorted set: what an appeal is about (`Appealed` in appeals.ts), by when [epoch ms] it was made. */
  appeals: `${TAG}:appeals`,
  /** sorted set: the same of those that were denied, by until when [epoch ms] that stands. */
  deniedAppeals: `${TAG}:denied-appeals`,
  /** hash: how often an image was matched, and by how many. */
  matchEvents: (imageHex: string) => `${TAG}:match-events:${imageHex}`,
  /** HyperLogLog: keyed hashes of how uploads look in which an image was found and which are no copies of it, in this half of a day. */
  looks: (imageHex: string) => `${TAG}:looks:${imageHex}`,
  /** The same of the half before. */
  looksBefore: (imageHex: string) => `${TAG}:looks-before:${imageHex}`,
  /** set: keyed hashes of platform and image, of platforms that were told of the image in a match. */
  told: (imageHex: string) => `${TAG}:told:${imageHex}`,
  /** hash: keyed digest of organisation and image → what the organisation was told about it by queries near an edge (scripts/probing.ts). */
  probing: (orgId: string) => `${TAG}:probing:${orgId}`,
  /** hash: keyed digest of image → the same over all organisations. */
  probingAll: `${TAG}:probing-all`,
  /** hash: organisation and what is counted → how often on this day (`2026-01-31`). */
  dailyCounts: (day: string) => `${TAG}:daily-counts:${day}`,
  /** stream: what an operator or a webhook has to be told of. */
  events: `${TAG}:events`,
  /** string: that an event was noted. */
  eventOnce: (digest: string) => `${TAG}:event-once:${digest}`,
  /** stream: the audit log, one entry an act, id `<number>-0`, fields entry and mac. */
  audit: `${TAG}:audit`,
  /** [72 bytes] number and MAC of the last entry of the audit log, and the MAC of both. */
  auditHead: `${TAG}:audit-head`,
  /** [72 bytes] as `auditHead`: the last of the entries that were trimmed, where the log now begins. */
  auditCut: `${TAG}:audit-cut`,
  /** list: entries for the audit log that are not chained yet. */
  auditDue: `${TAG}:audit-due`,
  /** string: how many acts were noted. The scripts compute the same. */
  auditDueCount: `${TAG}:audit-due-count`,
  /** string: verdict and [epoch ms] of when the whole audit log was last read. */
  auditCheck: `${TAG}:audit-check`,
  /** string: that a process reads it. */
  auditCheckHolder: `${TAG}:audit-check-holder`,
  /** string: there for a day once a process trims the audit log. */
  auditTrimming: `${TAG}:audit-trimming`,
  /** string: that a daily entry was noted. */
  auditOnce: (digest: string) => `${TAG}:audit-once:${digest}`,
  /** sorted set: keyed hashes of an organisation's contexts, by the time of the last match. */
  contexts: (orgId: string) => `${TAG}:contexts:${orgId}`,
  /** hash: the same keyed hashes → sealed context. */
  contextNames: (orgId: string) => `${TAG}:context-names:${orgId}`,
  /** HyperLogLog: the images seen in a context in one hour or on one day. */
  contextImages: (orgId: string, key: string, span: string) => `${TAG}:context:${orgId}:${key}:${span}`,
  /** sorted set: ids of invalidated images of an account, by when [epoch ms]. */
  strikes: (account: string) => `${TAG}:strikes:${account}`,
  /** set: accounts with strikes. */
  strikeAccounts: `${TAG}:accounts-with-strikes`,
  /** sorted set: keyed digests [16 bytes] of what an organisation must not hand in again, by until when [epoch ms]. */
  invalidated: (orgId: string) => `${TAG}:invalidated:${orgId}`,
  /** [integer] signals that an organisation handed in on a day. */
  handedIn: (orgId: string, day: string) => `${TAG}:handed-in:${orgId}:${day}`,
  /** string: that a challenge was used. */
  usedProof: (digest: string) => `${TAG}:used-proof:${digest}`,
  /** [integer] cases that were opened in a minute. */
  openings: (minute: number) => `${TAG}:openings:${minute}`,
  /** [integer] uses of a limit in a window, by all processes. Names are ids and numbers, and no addresses. */
  limit: (name: string) => `${TAG}:limit:${name}`,
  /** hash: one field for each of `CaseRecord` in cases.ts. */
  case: (caseId: string) => `${TAG}:case:${caseId}`,
  /** set: the image ids [16 bytes] of a case. */
  caseImages: (caseId: string) => `${TAG}:case:${caseId}:images`,
  /** stream: what happened to a case, fields kind, count, atMs. Counts, never names. */
  caseEvents: (caseId: string) => `${TAG}:case:${caseId}:events`,
  /** string: a claim, or a sealed answer, of an Idempotency-Key. */
  idempotency: (name: string) => `${TAG}:idempotency:${name}`,
  /** sorted set: ids of the files that were handed in to a bank, by when [epoch ms] they were begun. */
  imports: (bank: string) => `${TAG}:imports:${bank}`,
  /** hash: how far one of them has come, and who is at it. */
  import: (bank: string, importId: string) => `${TAG}:import:${bank}:${importId}`,
  /** list: stretches of lines of it that were refused or removed nothing, as JSON. */
  importRejections: (bank: string, importId: string) => `${TAG}:import:${bank}:${importId}:rejected`,
  /** string: JSON of how far a feed of another system has come. */
  exchange: (name: string) => `${TAG}:exchange:${name}`,
  /** hash: keyed hash [16 bytes] of the name of a record of a feed → id [16 bytes] of the signal that it became. */
  exchangeEntries: (name: string) => `${TAG}:exchange:${name}:records`,
  /** Records that the feed named since it is read anew. */
  exchangeRun: (name: string) => `${TAG}:exchange:${name}:run`,
  exchangeNamed: (name: string) => `${TAG}:exchange:${name}:named`,
  /** string: JSON of which banks a reconciler found, and how its last run went beside them. */
  reconcilerBanks: (name: string) => `${TAG}:reconciler:${name}:banks`,
  /** string: JSON of how far a reconciler has come with one of them, as `reconcilerContents` by its name and the bank's. */
  reconciler: (name: string) => `${TAG}:reconciler:${name}`,
  /** hash: image id [16 bytes] → number of the content that it is in the other system. */
  reconcilerContents: (name: string) => `${TAG}:reconciler:${name}:contents`,
  /** hash: the store's time when cases were last looked after, and since when it has not jumped. */
  agreedTime: `${TAG}:agreed-time`,
  /** sorted set: case ids by when [epoch ms] they expire, or, once they have ended, are forgotten. */
  caseSchedule: `${TAG}:case-schedule`,
  /** sorted set: ids of ended cases whose bits are still in old lines of Redis's log, by when [epoch ms] they ended. */
  caseErasures: `${TAG}:case-erasures`,
  /** sorted set: ids of the cases that an organisation opened for somebody, or whose notice names it, by since when [epoch ms]. */
  assisted: (orgId: string) => `${TAG}:assisted:${orgId}`,
  /** string: JSON of the notice of a case. */
  caseNotice: (caseId: string) => `${TAG}:case:${caseId}:notice`,
  /** set: image ids [16 bytes] of pictures that there is a notice about. */
  noticed: `${TAG}:noticed`,
  /** hash: org|law|stage → [epoch ms] when it is due, or stopped, for one image; `contact` → the organisation that its notice names. */
  deadlines: (imageHex: string) => `${TAG}:deadlines:${imageHex}`,
  /** sorted set: the clocks that run, as image|org|law|stage, by when they are due. */
  deadlineSchedule: `${TAG}:deadline-schedule`,
  /** set: those of them that run in cases whose notice names an organisation. */
  contactDeadlines: (orgId: string) => `${TAG}:contact-deadlines:${orgId}`,
  /** hash: watch id [16 bytes] → sealed record. */
  watches: (shard: number) => `${TAG}:watches:${shard}`,
  watchesPattern: `${TAG}:watches:*`,
  /** sorted set: watch ids [16 bytes] of an organisation, by when [epoch ms] they end. */
  watchesOf: (orgId: string) => `${TAG}:watches-of:${orgId}`,
  /** sorted set: watch id and organisation [16 bytes each], by when [epoch ms] the watch ends. */
  watchSchedule: `${TAG}:watch-schedule`,
  /** set: organisations that watch for anything. */
  watchOrgs: `${TAG}:watch-orgs`,
  /** [integer] number of the last change of watches. */
  watchRevision: `${TAG}:watch-revision`,
  /** stream: one entry a change of watches, as `changes`. */
  watchChanges: `${TAG}:watch-changes`,
  /** string: the process that compares registrations with watches. */
  watchHolder: `${TAG}:watch-holder`,
  /** string: revision:digest of `changes` up to which it has compared. */
  watchCursor: `${TAG}:watch-cursor`,
  /** [integer] watches, and withdrawn hashes that fetchers were told of, that were erased since Redis's log was last written anew. */
  watchErased: `${TAG}:watch-erased`,
  /** string: that an organisation was told of an image for one of its watches. */
  watchTold: (orgId: string, imageHex: string) => `${TAG}:watch-told:${orgId}:${imageHex}`,
  /** set: image ids [16 bytes] that were found for a watch. */
  watchFound: (watchHex: string) => `${TAG}:watch-found:${watchHex}`,
  /** hash: webhook id → sealed JSON: whose it is, where it goes, its secrets. */
  webhooks: `${TAG}:webhooks`,
  /** set: webhook ids of an organisation. */
  orgWebhooks: (orgId: string) => `${TAG}:org-webhooks:${orgId}`,
  /** stream: what webhooks have to be told of; an entry is erased when it has become deliveries. */
  webhookOutbox: `${TAG}:webhook-outbox`,
  /** stream: events that a webhook waits for, because something of theirs could not be read; fields as in the outbox. */
  webhookWaiting: `${TAG}:webhook-waiting`,
  /** hash: id of a waiting event → ids of the webhooks that it waits for, with spaces between. */
  webhookWaitingFor: `${TAG}:webhook-waiting-for`,
  /** string: the process that turns the outbox into deliveries. */
  webhookOutboxHolder: `${TAG}:webhook-outbox-holder`,
  /** string: id of the last of `events` that became deliveries. */
  webhookEventCursor: `${TAG}:webhook-event-cursor`,
  /** sorted set: the deliveries of a webhook, by when [epoch ms] they are due at first. */
  webhookDeliveries: (webhookId: string) => `${TAG}:webhook-deliveries:${webhookId}`,
  /** hash: one delivery, its fields as in scripts/webhooks.ts. */
  webhookDelivery: (webhookId: string, id: string) => `${TAG}:webhook-delivery:${webhookId}:${id}`,
  /** sorted set: subjects about which a delivery waits, by when [epoch ms] to look at them. Their lists are `webhook-subject-queue:…`. */
  webhookSubjectQueues: (webhookId: string) => `${TAG}:webhook-subject-queues:${webhookId}`,
  /** sorted set: subjects whose first delivery is on its way, until when [epoch ms]. */
  webhookLeases: (webhookId: string) => `${TAG}:webhook-leases:${webhookId}`,
  /** hash: failures in a row, and the rate of a webhook. */
  webhookHealth: (webhookId: string) => `${TAG}:webhook-health:${webhookId}`,
  /** sorted set: webhook ids whose last message failed, by since when [epoch ms]. */
  webhookFailing: `${TAG}:webhook-failing`,
  /** [integer] PINs and recovery codes tried, for cases that exist and for those that do not. */
  pinsTried: `${TAG}:pins-tried`,
  /** sorted set: random ids of worker processes, by when [epoch ms, Redis's clock] they last said that they live. */
  workerHeartbeats: `${TAG}:worker-heartbeats`,
  /** sorted set: random ids of messenger processes, likewise. */
  messengerHeartbeats: `${TAG}:messenger-heartbeats`,
  /** string: the case that a token opens. */
  caseToken: (tokenHash: string) => `${TAG}:case-token:${tokenHash}`,
} as const

export function detailShard(id: Uint8Array): number {
  return imageShard(id) % DETAIL_SHARDS
}

/** The scripts compute the same. */
export function watchShard(id: Uint8Array): number {
  return (((id[14] ?? 0) << 8) | (id[15] ?? 0)) % WATCH_SHARDS
}

/** Shards of what is kept beside an image: by the last byte of its id. The scripts compute the same. */
export const TRUST_SHARDS = 256

export function trustShard(id: Uint8Array): number {
  return id[15] ?? 0
}

/** The last two bytes of an id are random (UUIDv7), so shards fill evenly. The scripts compute the same. */
export function imageShard(id: Uint8Array): number {
  return (((id[14] ?? 0) << 8) | (id[15] ?? 0)) % IMAGE_SHARDS
}
