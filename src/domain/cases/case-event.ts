// The time line of a case, as the submitter sees it. Counts only: no field of an event could name a platform.

import { namesOf } from '../../../packages/core/src/own-value.js'

/** What the `count` of each event counts. For `nothing` it is 0. */
export const CASE_EVENTS = {
  opened: 'nothing',
  registered: 'images',
  matched: 'platforms',
  blocked: 'platforms',
  'not-blocked': 'platforms',
  /** A program of a platform stopped a copy before anybody saw it. */
  'auto-blocked': 'platforms',
  disputed: 'images',
  'dispute-decided': 'images',
  /** The platform that disputed it gave another verdict, before it was decided. */
  'dispute-dropped': 'images',
  renewed: 'nothing',
  attested: 'images',
  'handed-over': 'nothing',
  /** The organisation that handed it over may no longer read it. */
  'reading-ended': 'nothing',
  /** A new PIN was issued. The old one keeps working until the new one is used. */
  'pin-requested': 'nothing',
  'pin-changed': 'nothing',
  /** Without the recovery code: the case ends after a delay, unless somebody with the code stops that. */
  'end-wished': 'nothing',
  /** Somebody with the recovery code stopped what was wished without it. */
  'wishes-stopped': 'nothing',
  paused: 'nothing',
  resumed: 'nothing',
  /** Failed logins with a wrong PIN or recovery code on one day. One event per day; a higher count replaces it. */
  'pin-failed': 'attempts',
  /** Too many wrong PINs: no PIN opens the case any more, only the recovery code. */
  'pin-blocked': 'nothing',
  withdrawn: 'images',
  expired: 'images',
  erased: 'nothing',
} as const satisfies Readonly<Record<string, 'nothing' | 'images' | 'platforms' | 'attempts'>>

export type CaseEventKind = keyof typeof CASE_EVENTS

export const CASE_EVENT_KINDS = namesOf(CASE_EVENTS)

export interface CaseEvent {
  /** Position in the case's time line, in the order of writing: `<ms>-<number>`. */
  readonly id: string
  readonly kind: CaseEventKind
  readonly atMs: number
  /** What it counts depends on the kind: see `CASE_EVENTS`. */
  readonly count: number
  /** Of a verdict: keyed hash of platform and image, as in the trust record. Never shown. */
  readonly about?: string
}

/** The verdicts of a platform. The last one holds. */
const VERDICT_EVENTS: readonly CaseEventKind[] = ['blocked', 'not-blocked', 'auto-blocked', 'disputed']

/** @param events in the order of writing. @returns the ids of verdicts that the same platform has changed later. */
export function changedLater(events: readonly CaseEvent[]): ReadonlySet<string> {
  const last = new Map<string, CaseEvent>()
  const changed = new Set<string>()
  for (const event of events) {
    if (event.about === undefined || !VERDICT_EVENTS.includes(event.kind)) continue
    const before = last.get(event.about)
    // A dispute may be shared by others: whether one is open is told by itself.
    if (before !== undefined && before.kind !== 'disputed') changed.add(before.id)
    last.set(event.about, event)
  }
  return changed
}

/** Cursor before the first event of every time line. */
export const BEFORE_ALL_EVENTS = '0-0'
export const CASE_EVENT_ID_PATTERN = /^\d{1,15}-\d{1,10}$/

/** Platform counts as shown to submitters. Exact counts over time would reveal which platforms. */
export const PLATFORM_BUCKETS = ['0', '1-2', '3-5', '6-10', 'more'] as const
export type PlatformBucket = (typeof PLATFORM_BUCKETS)[number]

/** @param count an integer from 0. */
export function platformBucket(count: number): PlatformBucket {
  if (count === 0) return '0'
  if (count <= 2) return '1-2'
  if (count <= 5) return '3-5'
  return count <= 10 ? '6-10' : 'more'
}

/** An event's count as the API returns it, under the name of what it counts. Empty if the event counts nothing. */
export interface PublicCount {
  readonly images?: number
  readonly platforms?: PlatformBucket
  readonly attempts?: number
}

/** @param count as stored. */
export function publicCount(kind: CaseEventKind, count: number): PublicCount {
  return TOLD[CASE_EVENTS[kind]](count)
}

const TOLD: Readonly<Record<(typeof CASE_EVENTS)[CaseEventKind], (count: number) => PublicCount>> = {
  nothing: () => ({}),
  images: (count) => ({ images: count }),
  platforms: (count) => ({ platforms: platformBucket(count) }),
  attempts: (count) => ({ attempts: count }),
}
