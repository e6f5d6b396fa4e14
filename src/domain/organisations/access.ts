// Who may do what: scopes, kinds of organisation, and the caller behind an API key.

export const SCOPES = [
  'match',
  'match:distance',
  'signals:write',
  'feed',
  'feed:all-views',
  'feedback',
  'cases:write',
  'webhooks',
  'admin',
] as const
export type Scope = (typeof SCOPES)[number]

/** What a route requires. `key`: any API key. `case`: the token of the case, or a key of the organisation that opened it. `public`: nothing. */
export type RouteScope = Scope | 'key' | 'case' | 'public'

export const ORG_KINDS = ['platform', 'ngo', 'operator'] as const
export type OrgKind = (typeof ORG_KINDS)[number]

/** Ids of API keys: ten digits of Crockford's alphabet. */
export const KEY_ID_PATTERN = /^[0-9a-hjkmnp-tv-z]{10}$/

/** The holder of the API key of a request. */
export interface Caller {
  readonly keyId: string
  readonly orgId: string
  readonly scopes: ReadonlySet<Scope>
}

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text)
}

interface Key {
  readonly orgId: string
  readonly scopes: ReadonlySet<Scope>
  readonly expiresAtMs?: number | undefined
  readonly suspendedAtMs?: number | undefined
}

/** @returns the organisations with a key that has one of these scopes and can be used now. */
export function orgsWith(keys: Iterable<Key>, scopes: readonly Scope[], nowMs: number): Set<string> {
  const usable = [...keys].filter(
    (key) =>
      (key.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs &&
      key.suspendedAtMs === undefined &&
      scopes.some((scope) => key.scopes.has(scope)),
  )
  return new Set(usable.map(({ orgId }) => orgId))
}

/** @returns how many platforms may query or read the feed now. */
export function countAskingPlatforms(
  keys: Iterable<Key>,
  orgs: ReadonlyMap<string, { readonly kind: OrgKind }>,
  nowMs: number,
): number {
  return [...orgsWith(keys, ['match', 'feed'], nowMs)].filter((orgId) => orgs.get(orgId)?.kind === 'platform').length
}
