// What all feeds have in common: a request for a page, and what is on it.

import { z } from 'zod'
import type { NewSignal } from '../../domain/bank-change.js'
import type { ReadRecord, RecordRefusal } from '../../domain/bank-import.js'
import type { FeedPlace, PullFailure } from '../../domain/exchange.js'

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
  | { readonly kind: 'refused'; readonly entry: string | undefined; readonly why: RecordRefusal }

export interface FeedPage {
  readonly records: readonly FeedRecord[]
  /** Where to go on; after the last page, where the next walk begins. */
  readonly next: FeedPlace
  readonly isLast: boolean
}

export interface Feed {
  /** What a place belongs to: with another address or list, it means nothing. */
  readonly identity: string
  readonly start: FeedPlace
  /** For how long it tells of what is gone. A place that is older leads past tombstones: then everything is read anew. */
  readonly tellsOfGoneForMs?: number
  /** For feeds that give a token for a password. `token` gives `undefined` when there is none in the answer. */
  readonly login?: { readonly request: FeedRequest; readonly token: (body: Buffer) => string | undefined }
  request(place: FeedPlace, token: string): FeedRequest
  /** @throws {FeedError} when the page as a whole cannot be used; what is wrong with one record is said in its place. */
  read(body: Buffer, place: FeedPlace): FeedPage
}

export class FeedError extends Error {
  readonly failure: PullFailure
  constructor(failure: PullFailure) {
    super(failure)
    this.name = 'FeedError'
    this.failure = failure
  }
}

/** @throws {FeedError} answer-unreadable */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new FeedError('answer-unreadable')
  }
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
  return { kind: 'refused', entry, why: read.kind === 'refused' ? read.why : 'record-unreadable' }
}
