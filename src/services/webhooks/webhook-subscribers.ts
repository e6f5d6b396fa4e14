// Finds out which organisations may receive webhooks: those with a key that has the scope `webhooks`.

import type { ApiKeys } from '../../store/organisations/api-keys.js'

export interface SubscriberParts {
  readonly apiKeys: Pick<ApiKeys, 'all'>
  readonly now: () => number
  /** How long an answer is reused: it is needed for every event. A revoked key still takes effect within one second. */
  readonly knownForMs?: number
}

const KNOWN_FOR_MS = 500

/**
 * @returns a function: does an organisation have an unexpired key with the scope `webhooks`? If not, it gets no messages, and waiting messages stay.
 *   A suspended key counts, because its organisation must be notified of the suspension.
 */
export function createSubscriberCheck({
  apiKeys,
  now,
  knownForMs = KNOWN_FOR_MS,
}: SubscriberParts): (orgId: string) => Promise<boolean> {
  let known: { readonly atMs: number; readonly orgIds: ReadonlySet<string> } | undefined
  return async (orgId) => {
    const nowMs = now()
    if (known === undefined || Math.abs(nowMs - known.atMs) >= knownForMs) {
      const valid = (await apiKeys.all()).filter(
        ({ scopes, expiresAtMs = Number.POSITIVE_INFINITY }) => scopes.has('webhooks') && expiresAtMs > nowMs,
      )
      known = { atMs: nowMs, orgIds: new Set(valid.map((key) => key.orgId)) }
    }
    return known.orgIds.has(orgId)
  }
}
