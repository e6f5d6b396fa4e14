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
