// Administration of API keys over HTTP: the same acts as at the command line, recorded under the key of the operator.

import type { Caller, OrgKind, Scope } from '../../domain/organisations/access.js'
import { type PageCursor, pageOfList } from '../../domain/page-cursor.js'
import { Problem } from '../../domain/problem.js'
import type { ApiKey, ApiKeys } from '../../store/organisations/api-keys.js'
import type { KeyUses } from '../../store/organisations/key-uses.js'
import type { Replica } from '../index/replica.js'
import { createApiKey, type NewKey, rotateApiKey, type ShownKey } from './access.js'

export interface KeptKey {
  readonly keyId: string
  readonly org: string
  readonly kind: OrgKind
  readonly scopes: ReadonlySet<Scope>
  readonly createdAtMs: number
  readonly expiresAtMs: number | undefined
  readonly suspendedAtMs: number | undefined
  readonly networks: readonly string[] | undefined
  /** A day of RFC 3339, UTC. */
  readonly lastUsedOn: string | undefined
}

export interface KeptKeyPage {
  readonly keys: readonly KeptKey[]
  /** Where the page ended; undefined on the last one. */
  readonly next: PageCursor | undefined
}

export interface KeyKeeping {
  /** A page, the newest first. */
  list(after: PageCursor | undefined, limit: number): Promise<KeptKeyPage>
  /** The caller's own key. @throws {Problem} key-missing when it was just revoked */
  own(caller: Caller): Promise<KeptKey>
  /** Valid everywhere within one second. Creates the organisation if it is new. @throws {Problem} request-invalid when `expiresAtMs` is past */
  create(caller: Caller, key: Pick<NewKey, 'org' | 'kind' | 'scopes' | 'expiresAtMs' | 'networks'>): Promise<ShownKey>
  /** Replaces a key; the old one stays valid for `overlapMs`. @throws {Problem} key-unknown */
  rotate(caller: Caller, keyId: string, overlapMs: number): Promise<ShownKey>
  /** Revoked here when it resolves, elsewhere within one second. @throws {Problem} key-unknown */
  revoke(caller: Caller, keyId: string): Promise<void>
  /** Ends a suspension. @throws {Problem} key-unknown */
  restore(caller: Caller, keyId: string): Promise<void>
}

export interface KeyKeepingParts {
  readonly apiKeys: ApiKeys
  readonly uses: KeyUses
  readonly replica: Pick<Replica, 'reached'>
  /** The deployment's label in new keys. */
  readonly env: string
  readonly now: () => number
}

const cursorOfKey = ({ createdAtMs, keyId }: ApiKey) => ({
  score: createdAtMs,
  member: Buffer.from(keyId).toString('hex'),
})

export function createKeyAdministration({ apiKeys, uses, replica, env, now }: KeyKeepingParts): KeyKeeping {
  const actor = ({ keyId }: Caller) => `key:${keyId}` as const
  const known = async (revision: number | undefined) => {
    if (revision === undefined) throw new Problem('key-unknown')
    await replica.reached(revision)
  }
  const kept = async ({ orgId, ...key }: ApiKey, lastUsedOn: string | undefined): Promise<KeptKey | undefined> => {
    const org = await apiKeys.org(orgId)
    if (org === undefined) return undefined
    const { keyId, scopes, createdAtMs, expiresAtMs, suspendedAtMs, networks } = key
    const { name, kind } = org
    return { keyId, org: name, kind, scopes, createdAtMs, expiresAtMs, suspendedAtMs, networks, lastUsedOn }
  }
  return {
    async list(after, limit) {
      const [all, lastUsedOn] = await Promise.all([apiKeys.all(), uses.all()])
      const { page, next } = pageOfList(all, cursorOfKey, { after, limit, isDescending: true })
      const keys: KeptKey[] = []
      for (const key of page) {
        const each = await kept(key, lastUsedOn.get(key.keyId))
        if (each !== undefined) keys.push(each)
      }
      return { keys, next }
    },
    async own({ keyId }) {
      const [key, lastUsedOn] = await Promise.all([apiKeys.get(keyId), uses.all()])
      const own = key === undefined ? undefined : await kept(key, lastUsedOn.get(keyId))
      if (own === undefined) throw new Problem('key-missing')
      return own
    },
    async create(caller, key) {
      const nowMs = now()
      if (key.expiresAtMs !== undefined && key.expiresAtMs <= nowMs) throw new Problem('request-invalid')
      return await createApiKey(apiKeys, { ...key, env, nowMs, by: actor(caller) })
    },
    async rotate(caller, keyId, overlapMs) {
      const made = await rotateApiKey(apiKeys, { keyId, env, nowMs: now(), overlapMs, by: actor(caller) })
      if (made === undefined) throw new Problem('key-unknown')
      return made
    },
    revoke: async (caller, keyId) => known(await apiKeys.revoke(keyId, now(), actor(caller))),
    async restore(caller, keyId) {
      const revision = await apiKeys.change(keyId, (key) => ({ key: { ...key, suspendedAtMs: undefined } }), {
        act: 'key.restored',
        by: actor(caller),
        about: { keyId },
        atMs: now(),
      })
      await known(revision)
    },
  }
}
