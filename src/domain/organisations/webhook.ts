// Webhooks: which events exist, the retry schedule and the limits.

import { namesOf } from '../../../packages/core/src/own-value.js'
import type { EventForWebhooks } from './event.js'

/** The events and which organisation receives them. Payloads hold ids and fixed words only, never hashes. */
export const WEBHOOK_EVENTS = {
  'case.updated': 'A case that the organisation opened on behalf of a person has a new entry in its time line.',
  'case.expires-soon':
    'A case that the organisation opened, or whose notice names it as contact, ends in 30 days unless it is renewed; halfway through its time if it is kept for less than 60 days. Sent once for each date of its end, within six hours.',
  'match.found': 'A picture that the organisation watches for was registered or became active again.',
  'signal.withdrawn':
    'A signal that the organisation has matched no longer exists. Sent within ten minutes, one delivery per signal at a random time, to hide which signals belong to one case.',
  'signal.disputed': 'A signal that the organisation has matched or submitted is disputed.',
  'sla.due':
    'A legal deadline passed. Sent to the platform that missed it and to the organisation that the notice names as contact.',
  'key.suspended': 'An API key of the organisation was suspended.',
} as const satisfies Readonly<Record<string, string> & Record<EventForWebhooks, string>>

export type WebhookEvent = keyof typeof WEBHOOK_EVENTS
export const WEBHOOK_EVENT_NAMES = namesOf(WEBHOOK_EVENTS)

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Delays between attempts; the last one repeats. Each is shortened at random by up to a tenth, so that retries do not all come at once. */
const WAITS_MS = [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS] as const
/** Longest delay of an attempt. */
export const MAX_WAIT_MS = 12 * HOUR_MS
/** Measured from the first attempt. A delivery that still fails afterwards is retried only on request. */
export const TRIED_FOR_MS = 3 * DAY_MS
/** A delivery is tried at least this often, even after `TRIED_FOR_MS`: no messenger may have run in that time. */
const MIN_ATTEMPTS = 10
/** Maximum delay that a receiver can ask for by `Retry-After`. */
const MAX_ASKED_WAIT_MS = HOUR_MS

/** Longest pause for a failing endpoint, for all of its deliveries. The pause doubles with each failure in a row. */
export const MAX_PAUSE_MS = MINUTE_MS

export interface Tried {
  /** Number of attempts including this one, from 1. */
  readonly attempts: number
  readonly firstAttemptAtMs: number
  readonly nowMs: number
  /** The delay that the receiver asked for. */
  readonly askedWaitMs: number | undefined
  /** 0…1 */
  readonly random: number
}

/** @returns when [epoch ms] to try again; `undefined` if no attempt is left. */
export function nextAttemptAtMs({ attempts, firstAttemptAtMs, nowMs, askedWaitMs = 0, random }: Tried): number | undefined {
  const waitMs = WAITS_MS[Math.min(attempts, WAITS_MS.length) - 1] ?? HOUR_MS
  const atMs = nowMs + Math.max(Math.round(waitMs * (1 - random / 10)), Math.min(askedWaitMs, MAX_ASKED_WAIT_MS))
  const endMs = firstAttemptAtMs + TRIED_FOR_MS
  if (nowMs >= endMs) return attempts < MIN_ATTEMPTS ? atMs : undefined
  return Math.min(atMs, endMs) // the last attempt is at the end of the period
}

/** @param failures number of failures in a row, from 1. */
export function pauseMs(failures: number): number {
  return Math.min(SECOND_MS * 2 ** Math.min(failures - 1, 10), MAX_PAUSE_MS)
}

/**
 * Each withdrawal is notified at a random time within this span. All pictures of a case are withdrawn together, so five notifications at once would
 * reveal that they show one person.
 */
export const WITHDRAWN_SPREAD_MS = 10 * MINUTE_MS

/** Prefix of secrets in the Standard Webhooks specification. */
export const WEBHOOK_SECRET_PREFIX = 'whsec_'
export const WEBHOOK_SECRET_BYTES = 32
/** After a rotation, messages are signed with the old secret too for this long. */
export const OLD_SECRET_VALID_MS = DAY_MS
/** Including the current one. A receiver that missed the responses of three rotations in a day still has a valid one. */
export const MAX_WEBHOOK_SECRETS = 4

export const MAX_WEBHOOKS_PER_ORG = 10

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead', 'void'] as const
/** `dead`: attempts are exhausted; kept so that it can be retried on request. `void`: obsolete, because a later change made it pointless. */
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** How long the result of a delivery can be read. */
export const KEPT_FOR_MS: Readonly<Record<Exclude<DeliveryState, 'waiting'>, number>> = {
  delivered: 3 * DAY_MS,
  dead: 30 * DAY_MS,
  void: DAY_MS,
}
/**
 * Bounds of the messages of one endpoint. What cannot wait beyond them is told in one message, `EVENTS_MISSED`: nothing is dropped in silence.
 * - `deliveries`: messages in all. The oldest finished ones are deleted beyond it. Messages about so many subjects wait at most.
 * - `withdrawals`: withdrawals wait for an endpoint only while messages about fewer subjects do: a bank that removes a million signals must not keep
 *   `match.found` from waiting.
 * - `ofSubject`: messages about one subject that wait.
 */
export const DELIVERY_LIMITS = { deliveries: 20_000, withdrawals: 15_000, ofSubject: 100 } as const
export type DeliveryLimits = Readonly<Record<keyof typeof DELIVERY_LIMITS, number>>

/** The message that stands for all that could not wait. It is sent whatever events the webhook subscribes to. */
export const EVENTS_MISSED = 'webhook.events-missed'
/** Concurrent requests to one endpoint. */
export const MAX_IN_FLIGHT = 4
/** Requests per second to one endpoint, unless its owner chose fewer. */
export const MAX_PER_SECOND = 50
