// Sends the due messages of one webhook, a few at a time, and records the outcome of each.

import { randomBytes } from 'node:crypto'
import { Webhook as Signer } from 'standardwebhooks'
import { ZodError } from 'zod'
import { EVENTS_MISSED, nextAttemptAtMs } from '../../domain/organisations/webhook.js'
import { type Outgoing, OutgoingError } from '../../net/outgoing.js'
import type { Deliveries, Delivery, Settlement } from '../../store/webhooks/deliveries.js'
import type { Webhook, Webhooks } from '../../store/webhooks/webhooks.js'
import { type DueError, forEachDue, isTransient } from '../load/each-due.js'

export interface SendingParts {
  readonly webhooks: Webhooks
  readonly deliveries: Deliveries
  readonly send: Outgoing
  /** Whether this organisation may receive webhooks at all. */
  readonly isSubscribed: (orgId: string) => Promise<boolean>
  /** Whether an image still matches. If not, messages about it are discarded. */
  readonly stillMatching: (imageId: string) => Promise<boolean>
  /** Whether an organisation may learn of a case by messages of this type. If not, they are discarded. */
  readonly mayLearn: (orgId: string, caseId: string, type: string) => Promise<boolean>
  readonly now: () => number
  readonly random: () => number
  readonly timeoutMs?: number
  /** Called when messages failed on our side. They wait for another attempt. */
  readonly onError: (error: DueError) => void
}

/** Time for a whole request. A receiver that needs longer should answer first and process afterwards. */
const TIMEOUT_MS = 15_000
/** A claimed message becomes due again after this time, in case the claiming process died. */
const LEASE_MS = 2 * TIMEOUT_MS
/** Rounds for one webhook before other webhooks are served. */
const ROUNDS = 25
/** A receiver ends the webhook for good with this HTTP status. */
const GONE = 410

/**
 * Makes a function that sends to one webhook until nothing is due, at most `ROUNDS` rounds.
 * @returns when to call it again. `undefined` if nothing waits, or if the webhook is disabled or its organisation may not receive webhooks: then
 *   waiting messages stay.
 * @throws {Problem} store-unavailable. Claimed messages become due again by themselves, and may arrive twice.
 */
export function webhookSending(parts: SendingParts): (webhookId: string) => Promise<number | undefined> {
  return async (webhookId) => {
    for (let round = 0; round < ROUNDS; round++) {
      const webhook = await parts.webhooks.get(webhookId)
      if (webhook === undefined || !webhook.isEnabled || !(await parts.isSubscribed(webhook.orgId))) return undefined
      const { maxPerSecond } = webhook
      const limits = { leaseMs: LEASE_MS, maxPerSecond }
      const { ids, againAtMs, missedSinceMs } = await parts.deliveries.claim(webhookId, limits, parts.now())
      if (missedSinceMs !== undefined) {
        await tellMissed(parts, webhookId, missedSinceMs)
        continue
      }
      if (ids.length === 0) return againAtMs
      await forEachDue({
        what: 'messages to a webhook',
        take: ids,
        handle: (id) => sendOne(parts, webhook, id),
        onError: parts.onError,
        atOnce: ids.length,
        isNotAboutTheEntry: isTransient,
      })
    }
    return parts.now()
  }
}

/** Queues the message that tells the receiver to ask for the state, because events since then are not sent one by one. */
async function tellMissed({ deliveries, now }: SendingParts, webhookId: string, sinceMs: number): Promise<void> {
  const nowMs = now()
  const since = Math.min(sinceMs, nowMs) // withdrawals are due up to ten minutes after they are planned
  const data = { webhookId, since: new Date(since).toISOString() }
  const body = JSON.stringify({ type: EVENTS_MISSED, timestamp: new Date(nowMs).toISOString(), data })
  await deliveries.tellMissed(webhookId, { id: randomBytes(16).toString('base64url'), body }, sinceMs, nowMs)
}

async function sendOne(parts: SendingParts, webhook: Webhook, id: string): Promise<void> {
  const { webhookId } = webhook
  const settle = (settlement: Settlement) => parts.deliveries.settle(webhookId, id, settlement, parts.now())
  const waiting = (nextAttemptAtMs: number): Settlement => ({ state: 'waiting', nextAttemptAtMs, isOurs: true })
  // An error on our side makes only this message wait, however often it occurs.
  const waitAndThrow = async (error: unknown) => {
    if (!isTransient(error)) await settle(waiting(parts.now() + LEASE_MS))
    throw error
  }
  const delivery = await parts.deliveries.get(webhookId, id).catch(async (error: unknown) => {
    if (!(error instanceof ZodError)) return await waitAndThrow(error)
    // The record is damaged for good. Unless it is discarded, later messages about the same subject would wait for ever.
    await settle({ state: 'void' })
    throw error
  })
  if (delivery === undefined) return
  const settlement = await outcomeOf(parts, webhook, delivery).catch(waitAndThrow)
  const isStale = settlement.status === GONE && !(await disable(parts, webhook))
  await settle(isStale ? waiting(parts.now()) : settlement)
}

/** Disables a webhook. @returns false if its owner has changed the URL meanwhile: it stays enabled, and the new URL is tried. */
async function disable({ webhooks }: SendingParts, { webhookId, url }: Webhook): Promise<boolean> {
  const after = await webhooks.change(webhookId, (before) => (before.url === url ? { ...before, isEnabled: false } : before))
  return after?.url === url
}

async function outcomeOf(parts: SendingParts, webhook: Webhook, delivery: Delivery): Promise<Settlement> {
  const { now, stillMatching, mayLearn } = parts
  const { imageId, caseId, type } = delivery
  if (imageId !== undefined && !(await stillMatching(imageId))) return { state: 'void' }
  if (caseId !== undefined && !(await mayLearn(webhook.orgId, caseId, type))) return { state: 'void' }
  const tried = await attempt(parts, webhook, delivery)
  if (tried.failure === undefined) return { state: 'delivered', status: tried.status }
  const { status, failure } = tried
  if (status === GONE) return { state: 'dead', status, failure }
  const nextAtMs = nextAttemptAtMs({
    attempts: delivery.attempts + 1,
    firstAttemptAtMs: delivery.firstAttemptAtMs ?? now(),
    nowMs: now(),
    askedWaitMs: tried.askedWaitMs,
    random: parts.random(),
  })
  return nextAtMs === undefined
    ? { state: 'dead', status, failure }
    : { state: 'waiting', nextAttemptAtMs: nextAtMs, status, failure }
}

interface Attempt {
  readonly status: number | undefined
  readonly failure: string | undefined
  readonly askedWaitMs: number | undefined
}

async function attempt(parts: SendingParts, { url, secrets }: Webhook, { id, body }: Delivery): Promise<Attempt> {
  const nowMs = parts.now()
  try {
    const { status, headers } = await parts.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', ...signedBy(secrets, id, nowMs, body) },
      body,
      timeoutMs: parts.timeoutMs ?? TIMEOUT_MS,
    })
    if (status >= 200 && status < 300) return { status, failure: undefined, askedWaitMs: undefined }
    const seconds = Number(headers['retry-after'])
    return { status, failure: 'answer', askedWaitMs: seconds > 0 ? seconds * 1000 : undefined }
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error
    return { status: undefined, failure: error.failure, askedWaitMs: undefined }
  }
}

/**
 * The headers of the Standard Webhooks specification. While a secret is being replaced, there is a signature for each valid secret; a receiver needs
 * only one of the secrets.
 * @param id the same in every attempt, so that a receiver can recognise a repeated message.
 */
function signedBy(secrets: Webhook['secrets'], id: string, nowMs: number, body: string): Record<string, string> {
  const at = new Date(nowMs)
  const valid = secrets.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': valid.map(({ secret }) => new Signer(secret).sign(id, at, body)).join(' '),
  }
}
