// What all feeds have in common: a request for a page, and what is on it.

import { z } from 'zod'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import type { ReadRecord, RecordRejection } from '../../domain/organisations/bank-import.js'
import type { FeedPosition, PullFailure } from '../../domain/organisations/exchange.js'

export interface FeedRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** `entry` is what the feed calls a record; later records of the same name replace it wholly. */
export type FeedRecord =
  | { readonly kind: 'put'; readonly entry: string; readonly signal: NewSignal }
  | { readonly kind: 'gone'; readonly entry: string }
  /** What was taken under this name before must go as well: it is not now what it was then. */
  | { readonly kind: 'rejected'; readonly entry: string | undefined; readonly why: RecordRejection }

export interface FeedPage {
  readonly records: readonly FeedRecord[]
  /** Where to go on; after the last page, where the next walk begins. */
  readonly next: FeedPosition
  readonly isLast: boolean
}

export interface Feed {
  /** What a place belongs to: with another address or list, it means nothing. */
  readonly identity: string
  readonly start: FeedPosition
  /** For how long it tells of what is gone. A place that is older leads past tombstones: then everything is read anew. */
  readonly tellsOfGoneForMs?: number
  /** For feeds that give a token for a password. `token` gives `undefined` when there is none in the answer. */
  readonly login?: { readonly request: FeedRequest; readonly token: (body: Buffer) => string | undefined }
  request(place: FeedPosition, token: string): FeedRequest
  /** @throws {FeedError} when the page as a whole cannot be used; what is wrong with one record is said in its place. */
  read(body: Buffer, place: FeedPosition): FeedPage
}

export class FeedError extends Error {
  readonly failure: PullFailure
  constructor(failure: PullFailure) {
    super(failure)
    this.name = 'FeedError'
    this.failure = failure
  }
}

/**
 * Of one page: far more than any of these feeds gives, and so few that reading them keeps the event loop for no second. What a page costs is
 * told by its parts, not by its bytes: 8 MB of brackets took three seconds, and 64 MB two gigabytes.
 */
export const MAX_PARTS = 200_000
export const MAX_RECORDS = 10_000
const DEEPEST = 32

/** @throws {FeedError} answer-unreadable, also for JSON of more parts than a page has, or deeper. */
export function jsonOf(body: Buffer): unknown {
  if (!hasFewParts(body)) throw new FeedError('answer-unreadable')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new FeedError('answer-unreadable')
  }
}

const [QUOTE, BACKSLASH, COMMA] = Buffer.from('"\\,')
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('[]{}')

/** Looks at bytes alone: all of these are ASCII, and no byte of a longer character of UTF-8 is. */
function hasFewParts(json: Buffer): boolean {
  let parts = 0
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (byte === QUOTE) {
      for (at++; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++
    } else if (byte === COMMA) parts++
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      parts++
      depth++
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
    if (parts > MAX_PARTS || depth > DEEPEST) return false
  }
  return true
}

/** A password in an address would not be sent: what a feed asks for has fields of its own. */
export const BaseUrl = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { username, password } = new URL(text)
  return username === '' && password === ''
}, 'must have no user and password in it')

/** A base address without the slash that some write at its end. */
export function under(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}${path}`
}

/** A record whose signal was read as if it stood in a file. */
export function recordFrom(entry: string, read: ReadRecord): FeedRecord {
  if (read.kind === 'put') return { kind: 'put', entry, signal: read.signal }
  return { kind: 'rejected', entry, why: read.kind === 'rejected' ? read.why : 'record-unreadable' }
}
