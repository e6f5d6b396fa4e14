// What we tell other systems by ourselves: which events there are, and how often it is tried.

import { namesOf } from '../own-value.js'
import type { EventForWebhooks } from './event.js'

/** Who is told of what. The data of each are ids and words of ours. */
export const WEBHOOK_EVENTS = {
  'case.updated': 'Something happened to a case that the organisation opened for somebody, as its time line says.',
  'match.found': 'A picture that was registered, or matches again, is one that the organisation watches for.',
  'signal.withdrawn':
    'A signal that the organisation was told of in a match is gone. Within ten minutes, each by itself, so that nobody sees which ones belong together.',
  'signal.disputed': 'A signal that the organisation was told of in a match, or handed in, is disputed.',
  'sla.due':
    'A legal deadline passed: for the platform that it ran for, and for the organisation that the notice names as its contact.',
  'key.suspended': 'An API key of the organisation was suspended.',
} as const satisfies Readonly<Record<string, string> & Record<EventForWebhooks, string>>

export type WebhookEvent = keyof typeof WEBHOOK_EVENTS
export const WEBHOOK_EVENT_NAMES = namesOf(WEBHOOK_EVENTS)

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Waits between tries, each shortened by up to a tenth so that many do not come back at once; the last one again and again. */
const WAITS_MS = [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS] as const
/** From the first try on. What could not be delivered by then waits for somebody to ask for it. */
export const TRIED_FOR_MS = 3 * DAY_MS
/** And so often at least: while no messenger runs, nothing is tried, which is not the receiver's fault. */
const MIN_TRIES = 10
/** A receiver may ask for a longer wait, up to this. */
const LONGEST_ASKED_WAIT_MS = HOUR_MS

/** How long an endpoint that fails is left alone, whatever waits for it: twice as long after each failure in a row. */
const LONGEST_PAUSE_MS = MINUTE_MS

export interface Tried {
  /** How often, this time included: from 1. */
  readonly tries: number
  readonly firstTryAtMs: number
  readonly nowMs: number
  /** What the receiver asked for, if it did. */
  readonly askedWaitMs: number | undefined
  /** 0…1 */
  readonly random: number
}

/** When to try again. @returns `undefined` when it has been tried for long enough. */
export function nextTryAtMs({ tries, firstTryAtMs, nowMs, askedWaitMs = 0, random }: Tried): number | undefined {
  const waitMs = WAITS_MS[Math.min(tries, WAITS_MS.length) - 1] ?? HOUR_MS
  const atMs = nowMs + Math.max(Math.round(waitMs * (1 - random / 10)), Math.min(askedWaitMs, LONGEST_ASKED_WAIT_MS))
  const endMs = firstTryAtMs + TRIED_FOR_MS
  if (nowMs >= endMs) return tries < MIN_TRIES ? atMs : undefined
  return Math.min(atMs, endMs) // a last try when the time is over
}

/** @param failures in a row, from 1. */
export function pauseMs(failures: number): number {
  return Math.min(SECOND_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS)
}

/**
 * Withdrawals are told at a random moment within so long. A case ends as a whole, and who is told of five pictures in one moment knows
 * that they are one person's.
 */
export const WITHDRAWN_SPREAD_MS = 10 * MINUTE_MS

/** A secret as the Standard Webhooks specification writes it. */
export const WEBHOOK_SECRET_PREFIX = 'whsec_'
export const WEBHOOK_SECRET_BYTES = 32
/** For so long after a rotation, messages are signed with the old secret too. */
export const OLD_SECRET_VALID_MS = DAY_MS
/** With the current one: a receiver that missed the answers of three rotations in a day still knows one. */
export const MAX_WEBHOOK_SECRETS = 4

/** Of one organisation: each costs a delivery an event. */
export const MAX_WEBHOOKS_PER_ORG = 10

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead', 'void'] as const
/** `dead`: given up, and kept to be asked for again. `void`: overtaken by what happened, so that nobody has to know any more. */
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** How long what became of a delivery can be looked up. */
export const KEPT_FOR_MS: Readonly<Record<Exclude<DeliveryState, 'waiting'>, number>> = {
  delivered: 3 * DAY_MS,
  dead: 30 * DAY_MS,
  void: DAY_MS,
}
/** Of one endpoint. Beyond it the oldest are forgotten, whatever became of them. */
export const MAX_DELIVERIES = 20_000
/** Messages on their way to one endpoint at a time. */
export const MAX_IN_FLIGHT = 4
/** One after the other to a second of an endpoint, unless it asks for less. */
export const MAX_PER_SECOND = 50
