// Organisations and their API keys. Of a key's secret only the hash is stored.

import { z } from 'zod'
import {
  type Caller,
  KEY_ID_PATTERN,
  ORG_KINDS,
  type OrgKind,
  SCOPES,
  type Scope,
} from '../../domain/organisations/access.js'
import type { AuditAct, AuditActor, AuditEntry } from '../../domain/organisations/audit.js'
import { writeAudited } from '../audit/audit.js'
import { settleWithdrawals } from '../exchange/fetched.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { ensureOrg, putNamed, removeNamed } from '../scripts/organisations/put-named.js'
import { changeNamed, type NamedTable } from './replicated-config.js'

export interface ApiKey extends Caller {
  /** SHA-256 of the secret, hex. The secret is 256 random bits, so there is nothing to stretch. */
  readonly secretSha256: string
  readonly createdAtMs: number
  /** When it expires; undefined for never. */
  readonly expiresAtMs?: number | undefined
  /** Networks it may be used from; undefined for everywhere. */
  readonly networks?: readonly string[] | undefined
  /** Since when an operator has suspended it; undefined when it is not suspended. */
  readonly suspendedAtMs?: number | undefined
}

const ApiKeyJson = z.object({
  orgId: z.string(),
  scopes: z.array(z.enum(SCOPES)).transform((scopes): ReadonlySet<Scope> => new Set(scopes)),
  secretSha256: z.string(),
  createdAtMs: z.int(),
  // Absent in keys that an older version created, and in keys without one.
  expiresAtMs: z.int().optional(),
  networks: z.array(z.string()).optional(),
  suspendedAtMs: z.int().optional(),
})
const NAMED: NamedTable = { op: 'api-key', table: keys.apiKeys }
const OrgJson = z.object({ name: z.string(), kind: z.enum(ORG_KINDS) })

export interface ApiKeys {
  /** The organisation with this name, added under `newId` if there is none. @returns its id. */
  ensureOrg(org: { readonly name: string; readonly kind: OrgKind; readonly newId: string }): Promise<string>
  org(orgId: string): Promise<{ readonly name: string; readonly kind: OrgKind } | undefined>
  /** All organisations, by id. Operators create them, so there are few. */
  orgs(): Promise<ReadonlyMap<string, { readonly name: string; readonly kind: OrgKind }>>
  orgByName(name: string): Promise<{ readonly orgId: string; readonly kind: OrgKind } | undefined>
  /** Recorded in the audit log. @returns the revision; `undefined` when the key id is taken. */
  add(key: ApiKey, by?: AuditActor): Promise<number | undefined>
  /**
   * Changes a key, and adds its successor in the same step if there is one. Recorded in the audit log.
   * @param revise returns `undefined` when there is nothing to change.
   * @returns the revision; `undefined` when there is no such key, or nothing to change.
   */
  change<A extends AuditAct>(
    keyId: string,
    revise: (key: ApiKey) => { readonly key: ApiKey; readonly successor?: ApiKey } | undefined,
    entry: AuditEntry<A>,
  ): Promise<number | undefined>
  /** Also deletes the key's time of last use, its feed positions and the withdrawals that it had not been given yet. Recorded in the audit log. */
  revoke(keyId: string, nowMs: number, by?: AuditActor): Promise<number | undefined>
  get(keyId: string): Promise<ApiKey | undefined>
  all(): Promise<ApiKey[]>
}

export function createApiKeyStore(store: Store): ApiKeys {
  return {
    async ensureOrg({ name, kind, newId }) {
      return String(await store.write(ensureOrg, [keys.orgIds, keys.orgs], [name, newId, JSON.stringify({ name, kind })]))
    },
    async org(orgId) {
      const json = await store.ask((redis) => redis.hget(keys.orgs, orgId))
      return json === null ? undefined : OrgJson.parse(JSON.parse(json))
    },
    async orgs() {
      const all = Object.entries(await store.ask((redis) => redis.hgetall(keys.orgs)))
      return new Map(all.map(([orgId, json]) => [orgId, OrgJson.parse(JSON.parse(json))]))
    },
    async orgByName(name) {
      // Compared here and not in Redis: a submitter may have typed anything, and a query's text could get into Redis's slow log.
      const ids = new Map(Object.entries(await store.ask((redis) => redis.hgetall(keys.orgIds))))
      const orgId = ids.get(name)
      const json = orgId === undefined ? null : await store.ask((redis) => redis.hget(keys.orgs, orgId))
      return orgId === undefined || json === null ? undefined : { orgId, kind: OrgJson.parse(JSON.parse(json)).kind }
    },
    async add(key, by = 'operator') {
      const { keyId, orgId, createdAtMs } = key
      const reply = await writeAudited(
        store,
        { act: 'key.created', by, about: { keyId, orgId }, atMs: createdAtMs },
        putNamed,
        [keys.apiKeys, keys.revision, keys.changes],
        [NAMED.op, keyId, jsonOf(key)],
      )
      return reply === null ? undefined : Number(reply)
    },
    change: (keyId, revise, entry) =>
      changeNamed(
        store,
        NAMED,
        keyId,
        (json) => {
          const revised = revise(parse(keyId, json))
          if (revised === undefined) return undefined
          const { key, successor } = revised
          return {
            json: jsonOf(key),
            ...(successor !== undefined && { added: { name: successor.keyId, json: jsonOf(successor) } }),
          }
        },
        entry,
      ),
    async revoke(keyId, nowMs, by = 'operator') {
      if (!KEY_ID_PATTERN.test(keyId)) return undefined // text that is not a key id must not get into the audit log
      const reply = await writeAudited(
        store,
        { act: 'key.revoked', by, about: { keyId }, atMs: nowMs },
        removeNamed,
        [keys.apiKeys, keys.revision, keys.changes],
        [NAMED.op, keyId],
      )
      await store.ask((redis) => redis.hdel(keys.apiKeyUses, keyId))
      await settleWithdrawals(store, keyId, '+inf')
      await store.ask((redis) => redis.del(keys.fetchCursors(keyId)))
      return reply === null ? undefined : Number(reply)
    },
    async get(keyId) {
      const json = await store.ask((redis) => redis.hget(keys.apiKeys, keyId))
      return json === null ? undefined : parse(keyId, json)
    },
    async all() {
      const found = await store.ask((redis) => redis.hgetall(keys.apiKeys))
      return Object.entries(found).map(([keyId, json]) => parse(keyId, json))
    },
  }
}

function jsonOf({ keyId: _, scopes, ...rest }: ApiKey): string {
  return JSON.stringify({ ...rest, scopes: [...scopes] })
}

function parse(keyId: string, json: string): ApiKey {
  const { expiresAtMs, networks, suspendedAtMs, ...rest } = ApiKeyJson.parse(JSON.parse(json))
  return { keyId, ...rest, expiresAtMs, networks, suspendedAtMs }
}
