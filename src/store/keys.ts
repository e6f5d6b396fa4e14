// Every Redis key that Tabir owns. One hash tag for all, so that a Cluster keeps them together and a script may touch several.

const TAG = '{tabir}'

/**
 * Shards of the image table: small enough to be read whole, one at a time, while others write, and to be kept by Redis as
 * packed lists (`embedded-redis.ts`). A power of two, at most 65,536.
 */
export const IMAGE_SHARDS = 32_768

export const keys = {
  /** [integer] number of the last change; what an index calls its revision. */
  revision: `${TAG}:revision`,
  /** stream: one entry a change, id `<revision>-0`, fields op and ids. Never bits. */
  changes: `${TAG}:changes`,
  /** hash: name → sealed random bytes that belong to the deployment. */
  secrets: `${TAG}:secrets`,
  /** hash: organisation id → JSON. */
  orgs: `${TAG}:orgs`,
  /** hash: organisation name → id. */
  orgIds: `${TAG}:org-ids`,
  /** hash: key id → JSON with the secret's hash. */
  apiKeys: `${TAG}:api-keys`,
  /** hash: bank name → JSON. */
  banks: `${TAG}:banks`,
  /** hash: image id [16 bytes] → sealed record. */
  images: (shard: number) => `${TAG}:images:${shard}`,
  imagesPrefix: `${TAG}:images:`,
  /** hash: one field for each of `CaseRecord` in cases.ts. */
  case: (caseId: string) => `${TAG}:case:${caseId}`,
  /** set: the image ids [16 bytes] of a case. */
  caseImages: (caseId: string) => `${TAG}:case:${caseId}:images`,
  /** stream: what happened to a case, fields kind, count, atMs. Counts, never names. */
  caseEvents: (caseId: string) => `${TAG}:case:${caseId}:events`,
  /** string: a claim, or a sealed answer, of an Idempotency-Key. */
  idempotency: (name: string) => `${TAG}:idempotency:${name}`,
  /** sorted set: case ids by when [epoch ms] they expire, or, once they have ended, are forgotten. */
  caseDues: `${TAG}:case-dues`,
  /** sorted set: ids of ended cases whose bits are still in old lines of Redis's log, by when [epoch ms] they ended. */
  caseErasures: `${TAG}:case-erasures`,
  /** [integer] wrong PINs in a row, for cases that exist and for those that do not. */
  pinTries: (caseId: string) => `${TAG}:pin-tries:${caseId}`,
  /** string: the case that a token opens. */
  caseToken: (tokenHash: string) => `${TAG}:case-token:${tokenHash}`,
} as const

/** The last two bytes of an id are random (UUIDv7), so shards fill evenly. The scripts compute the same. */
export function imageShard(id: Uint8Array): number {
  return (((id[14] ?? 0) << 8) | (id[15] ?? 0)) % IMAGE_SHARDS
}
