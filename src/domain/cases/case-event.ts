// What happened to a case, as the submitter may know it. Counts only: an event has no field that could name a platform.

import { namesOf } from '../own-value.js'

/** What the count of an event counts. `nothing`: the count is 0. */
export const CASE_EVENTS = {
  opened: 'nothing',
  registered: 'images',
  matched: 'platforms',
  blocked: 'platforms',
  'not-blocked': 'platforms',
  disputed: 'images',
  'dispute-decided': 'images',
  renewed: 'nothing',
  attested: 'images',
  'handed-over': 'nothing',
  /** Another PIN was given out; the one before goes on opening until it is used. */
  'pin-asked': 'nothing',
  'pin-changed': 'nothing',
  /** Attempts with a wrong PIN or recovery code in a day: one event a day, which is replaced by the next as the count grows. */
  'pin-failed': 'attempts',
  /** So many PINs were wrong that no PIN opens the case any more. */
  'pin-blocked': 'nothing',
  withdrawn: 'images',
  expired: 'images',
  erased: 'nothing',
} as const satisfies Readonly<Record<string, 'nothing' | 'images' | 'platforms' | 'attempts'>>

export type CaseEventKind = keyof typeof CASE_EVENTS

export const CASE_EVENT_KINDS = namesOf(CASE_EVENTS)

export interface CaseEvent {
  /** Its place in the time line of its case, in the order in which they were written: `<ms>-<number>`. */
  readonly id: string
  readonly kind: CaseEventKind
  readonly atMs: number
  /** Of what `CASE_EVENTS` says for its kind. */
  readonly count: number
}

/** Where a time line begins: no event lies before it. */
export const BEFORE_ALL_EVENTS = '0-0'
export const CASE_EVENT_ID_PATTERN = /^\d{1,15}-\d{1,10}$/

/** How many platforms, as told to the submitter: an exact number would, over time, say which ones. */
export const PLATFORM_BUCKETS = ['0', '1-2', '3-5', '6-10', 'more'] as const
export type PlatformBucket = (typeof PLATFORM_BUCKETS)[number]

/** @param count how many, a whole number from 0. */
export function platformBucket(count: number): PlatformBucket {
  if (count === 0) return '0'
  if (count <= 2) return '1-2'
  if (count <= 5) return '3-5'
  return count <= 10 ? '6-10' : 'more'
}

/** The count of an event as it may be told, under the name of what it counts; no field when it counts nothing. */
export interface ToldCount {
  readonly images?: number
  readonly platforms?: PlatformBucket
  readonly attempts?: number
}

/** @param count as stored. */
export function toldCount(kind: CaseEventKind, count: number): ToldCount {
  return TOLD[CASE_EVENTS[kind]](count)
}

const TOLD: Readonly<Record<(typeof CASE_EVENTS)[CaseEventKind], (count: number) => ToldCount>> = {
  nothing: () => ({}),
  images: (count) => ({ images: count }),
  platforms: (count) => ({ platforms: platformBucket(count) }),
  attempts: (count) => ({ attempts: count }),
}
