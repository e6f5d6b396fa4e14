// The interface of all feed protocols: the request for a page, and the records of a page.

import { z } from 'zod'
import { FailureError } from '../../domain/failure-error.js'
import type { NewSignal } from '../../domain/organisations/bank-change.js'
import type { ReadRecord, RecordRejection } from '../../domain/organisations/bank-import.js'
import type { FeedPosition, PullFailure } from '../../domain/organisations/exchange.js'

export interface FeedRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A record of a feed. `entry` is its id in that feed: a later record with the same id replaces all of it. */
export type FeedRecord =
  | { readonly kind: 'put'; readonly entry: string; readonly signal: NewSignal }
  | { readonly kind: 'deleted'; readonly entry: string }
  /** A signal that was imported earlier under this id is removed, because the record has changed. */
  | { readonly kind: 'rejected'; readonly entry: string | undefined; readonly why: RecordRejection }

export interface FeedPage {
  readonly records: readonly FeedRecord[]
  /** Position of the next page; on the last page, where the next pull starts. */
  readonly next: FeedPosition
  readonly isLast: boolean
}

export interface Feed {
  /** Identifies the address and list that positions belong to. When it changes, stored positions are void. */
  readonly identity: string
  readonly start: FeedPosition
  /** How long the feed keeps tombstones. From an older position some would be missed, so everything is read again. */
  readonly tombstoneTtlMs?: number
  /** For feeds that exchange a password for a token. `token` returns `undefined` when the answer has none. */
  readonly login?: { readonly request: FeedRequest; readonly token: (body: Buffer) => string | undefined }
  request(position: FeedPosition, token: string): FeedRequest
  /** Reads a page. A bad record becomes a record of the kind `rejected`. @throws {FeedError} when the whole page cannot be read. */
  read(body: Buffer, position: FeedPosition): FeedPage
}

export class FeedError extends FailureError<PullFailure> {}

/**
 * Maximum numbers of parts and records in one page: far more than these feeds send, and few enough to parse in less than a second. Bytes do not
 * bound the cost: 8 MB of brackets took three seconds to parse, and 64 MB took two gigabytes.
 */
export const MAX_PARTS = 200_000
export const MAX_RECORDS = 10_000
const MAX_DEPTH = 32

/** Parses a page of JSON. @throws {FeedError} response-invalid, also for more than `MAX_PARTS` parts or 32 levels. */
export function jsonOf(body: Buffer): unknown {
  if (!hasFewParts(body)) throw new FeedError('response-invalid')
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new FeedError('response-invalid')
  }
}

const [QUOTE, BACKSLASH, COMMA] = Buffer.from('"\\,')
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('[]{}')

/** Counts parts without parsing. It can read single bytes: bytes of multi-byte UTF-8 characters never equal these ASCII characters. */
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
    if (parts > MAX_PARTS || depth > MAX_DEPTH) return false
  }
  return true
}

/** A URL must not contain a password: it would not be sent. Credentials have fields of their own. */
export const BaseUrl = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { username, password } = new URL(text)
  return username === '' && password === ''
}, 'must have no user and password in it')

/** Appends a path to a base URL, with or without a slash at the end of the base. */
export function under(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/+$/, '')}${path}`
}

/** Converts a record as files have it into a record of a feed. */
export function recordFrom(entry: string, read: ReadRecord): FeedRecord {
  if (read.kind === 'put') return { kind: 'put', entry, signal: read.signal }
  return { kind: 'rejected', entry, why: read.kind === 'rejected' ? read.why : 'record-unreadable' }
}
