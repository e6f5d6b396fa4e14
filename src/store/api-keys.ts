// Organisations and their API keys. A key's secret is here as its hash only.

import { z } from 'zod'
import { type Caller, ORG_KINDS, type OrgKind, SCOPES, type Scope } from '../domain/access.js'
import type { AuditActor } from '../domain/audit.js'
import { writeAudited } from './audit.js'
import { keys } from './keys.js'
import { ensureOrg, putNamed, removeNamed } from './scripts/put-named.js'
import type { Store } from './store.js'

export interface ApiKey extends Caller {
  /** SHA-256 of the secret, hex. The secret is 256 random bits, so there is nothing to stretch. */
  readonly secretSha256: string
  readonly createdAtMs: number
}

const ApiKeyJson = z.object({
  orgId: z.string(),
  scopes: z.array(z.enum(SCOPES)).transform((scopes): ReadonlySet<Scope> => new Set(scopes)),
  secretSha256: z.string(),
  createdAtMs: z.int(),
})
const OrgJson = z.object({ name: z.string(), kind: z.enum(ORG_KINDS) })

export interface ApiKeys {
  /** The organisation with this name; made with `newId` if there is none. @returns its id. */
  ensureOrg(org: { readonly name: string; readonly kind: OrgKind; readonly newId: string }): Promise<string>
  org(orgId: string): Promise<{ readonly name: string; readonly kind: OrgKind } | undefined>
  orgByName(name: string): Promise<{ readonly orgId: string; readonly kind: OrgKind } | undefined>
  /** Recorded in the audit log. */
  add(key: ApiKey, by?: AuditActor): Promise<number | undefined>
  /** Recorded in the audit log. */
  revoke(keyId: string, nowMs: number, by?: AuditActor): Promise<number | undefined>
  get(keyId: string): Promise<ApiKey | undefined>
  all(): Promise<ApiKey[]>
}

export function apiKeysIn(store: Store): ApiKeys {
  return {
    async ensureOrg({ name, kind, newId }) {
      return String(await store.write(ensureOrg, [keys.orgIds, keys.orgs], [name, newId, JSON.stringify({ name, kind })]))
    },
    async org(orgId) {
      const json = await store.ask((redis) => redis.hget(keys.orgs, orgId))
      return json === null ? undefined : OrgJson.parse(JSON.parse(json))
    },
    async orgByName(name) {
      const orgId = await store.ask((redis) => redis.hget(keys.orgIds, name))
      const json = orgId === null ? null : await store.ask((redis) => redis.hget(keys.orgs, orgId))
      return orgId === null || json === null ? undefined : { orgId, kind: OrgJson.parse(JSON.parse(json)).kind }
    },
    async add({ keyId, scopes, ...rest }, by = 'operator') {
      const reply = await writeAudited(
        store,
        { act: 'key.created', by, about: { keyId, orgId: rest.orgId }, atMs: rest.createdAtMs },
        putNamed,
        [keys.apiKeys, keys.revision, keys.changes],
        ['api-key', keyId, JSON.stringify({ ...rest, scopes: [...scopes] })],
      )
      return reply === null ? undefined : Number(reply)
    },
    async revoke(keyId, nowMs, by = 'operator') {
      const reply = await writeAudited(
        store,
        { act: 'key.revoked', by, about: { keyId }, atMs: nowMs },
        removeNamed,
        [keys.apiKeys, keys.revision, keys.changes],
        ['api-key', keyId],
      )
      return reply === null ? undefined : Number(reply)
    },
    async get(keyId) {
      const json = await store.ask((redis) => redis.hget(keys.apiKeys, keyId))
      return json === null ? undefined : { keyId, ...ApiKeyJson.parse(JSON.parse(json)) }
    },
    async all() {
      const found = await store.ask((redis) => redis.hgetall(keys.apiKeys))
      return Object.entries(found).map(([keyId, json]) => ({ keyId, ...ApiKeyJson.parse(JSON.parse(json)) }))
    },
  }
}
