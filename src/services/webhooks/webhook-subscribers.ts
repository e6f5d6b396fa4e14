// Finds out which organisations may receive webhooks, and about which cases. An organisation needs a key with the scope `webhooks`.

import { organisationMay } from '../../domain/cases/assistance.js'
import type { WebhookEvent } from '../../domain/organisations/webhook.js'
import type { Cases } from '../../store/cases/cases.js'
import type { DeadlineStore } from '../../store/cases/deadlines.js'
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

/** What the contact of a notice is told of a case that it cannot read. */
const FOR_CONTACTS: ReadonlySet<string> = new Set<WebhookEvent>(['case.expires-soon', 'sla.due'])

export interface LearnerParts {
  readonly cases: Pick<Cases, 'get'>
  readonly deadlines: Pick<DeadlineStore, 'notice'>
}

/**
 * @returns a function: may an organisation learn of a case by messages of a type? The one that opened it may while it may read the case, the contact of
 *   its notice of deadlines and of its end. Asked when a message is sent: it may have waited since before the person ended the right.
 */
export function createLearnerCheck({ cases, deadlines }: LearnerParts) {
  return async (orgId: string, caseId: string, type: string): Promise<boolean> => {
    const assistance = (await cases.get(caseId))?.assistance
    if (assistance?.orgId === orgId && organisationMay(assistance) !== 'nothing') return true
    return FOR_CONTACTS.has(type) && (await deadlines.notice(caseId))?.contactOrgId === orgId
  }
}
