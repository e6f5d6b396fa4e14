// Whose webhooks are told anything: organisations that still have a key for them.

import type { ApiKeys } from '../../store/organisations/api-keys.js'

export interface SubscriberParts {
  readonly apiKeys: Pick<ApiKeys, 'all'>
  readonly now: () => number
  /** Asked for each event and each round of messages; a key that is taken back is known of within a second all the same. */
  readonly knownForMs?: number
}

const KNOWN_FOR_MS = 500

/**
 * Whoever has lost his last key for webhooks is told nothing more, as at every other door; what waits for him goes on waiting. One that
 * is suspended counts: its organisation has to hear of that.
 */
export function webhookHearers({
  apiKeys,
  now,
  knownForMs = KNOWN_FOR_MS,
}: SubscriberParts): (orgId: string) => Promise<boolean> {
  let known: { readonly atMs: number; readonly orgIds: ReadonlySet<string> } | undefined
  return async (orgId) => {
    const nowMs = now()
    if (known === undefined || Math.abs(nowMs - known.atMs) >= knownForMs) {
      const opening = (await apiKeys.all()).filter(
        ({ scopes, expiresAtMs = Number.POSITIVE_INFINITY }) => scopes.has('webhooks') && expiresAtMs > nowMs,
      )
      known = { atMs: nowMs, orgIds: new Set(opening.map((key) => key.orgId)) }
    }
    return known.orgIds.has(orgId)
  }
}
