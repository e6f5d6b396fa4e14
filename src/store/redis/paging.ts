// Reads long lists in pages: sorted sets, streams, and scans of keys or hashes. In pages of sorted sets and streams each entry comes once,
// whatever is added or removed between two pages and however many entries share a score.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { PageCursor } from '../../domain/page-cursor.js'
import { sortedPage, sortedPageAmong } from '../scripts/sorted-page.js'
import type { Store } from './client.js'

export interface SortedEntry {
  readonly member: Buffer
  readonly score: number
}

export interface SortedAsk {
  /** The lowest score of the list, in the syntax of ZRANGEBYSCORE. */
  readonly from?: number | string
  /** The highest score, likewise. */
  readonly to?: number | string
  /** The last entry of the previous page; it need not exist any more. */
  readonly after: PageCursor | undefined
  readonly limit: number
}

/** A page of a sorted set in the order of score, then member, ascending. Cost: O(log n) plus the page. */
export function pageOfSorted(store: Store, key: string, ask: SortedAsk): Promise<SortedEntry[]> {
  const { from = '-inf', to = '+inf', after, limit } = ask
  return read(store, sortedPage, [key], ['first', from, to, limit, ...cursorArgs(after)])
}

/** The same, descending. */
export function lastPageOfSorted(store: Store, key: string, ask: SortedAsk): Promise<SortedEntry[]> {
  const { from = '-inf', to = '+inf', after, limit } = ask
  return read(store, sortedPage, [key], ['last', to, from, limit, ...cursorArgs(after)])
}

/** As `pageOfSorted`, but only members that are also in the set `among`. Cost: O(the smaller of both), about 1 µs a member. */
export function pageOfSortedAmong(
  store: Store,
  key: string,
  among: string,
  ask: Omit<SortedAsk, 'from' | 'to'> & { readonly to: number },
): Promise<SortedEntry[]> {
  return read(store, sortedPageAmong, [key, among], [ask.to, ask.limit, ...cursorArgs(ask.after)])
}

export function cursorOf({ member, score }: SortedEntry): PageCursor {
  return { score, member: member.toString('hex') }
}

/** The id, then an array of field, value, field, value … */
export type StreamEntry = [id: Buffer, fields: Buffer[]]

/** Entries of a stream after an id, or from its beginning, oldest first. */
export function pageOfStream(store: Store, key: string, afterId: string | undefined, limit: number): Promise<StreamEntry[]> {
  const from = afterId === undefined ? '-' : `(${afterId}`
  return store.ask((redis) => redis.xrangeBuffer(key, from, '+', 'COUNT', limit))
}

/** Entries before an id, or from the end, newest first. */
export function lastPageOfStream(
  store: Store,
  key: string,
  beforeId: string | undefined,
  limit: number,
): Promise<StreamEntry[]> {
  const from = beforeId === undefined ? '+' : `(${beforeId}`
  return store.ask((redis) => redis.xrevrangeBuffer(key, from, '-', 'COUNT', limit))
}

/** All keys that match a pattern, each once. A key that is made or deleted during the scan may be missing. */
export async function scanKeys(store: Store, pattern: string): Promise<string[]> {
  const found = new Set<string>()
  for (let cursor = '0'; ; ) {
    const [next, some] = await store.ask((redis) => redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1000))
    for (const key of some) found.add(key)
    if (next === '0') return [...found]
    cursor = next
  }
}

/** Fields and values of a hash, in parts of about `countAtOnce`. A field may come twice; one that is set or deleted meanwhile may be missing. */
export async function* scanHash(
  store: Store,
  key: string,
  countAtOnce: number,
): AsyncGenerator<readonly (readonly [field: Buffer, value: Buffer])[], void, void> {
  for (let cursor = '0'; ; ) {
    const [next, flat] = await store.ask((redis) => redis.hscanBuffer(key, cursor, 'COUNT', countAtOnce))
    yield pairsOf(flat)
    cursor = next.toString()
    if (cursor === '0') return
  }
}

function cursorArgs(place: PageCursor | undefined): (string | Buffer)[] {
  return place === undefined ? ['', ''] : [String(place.score), Buffer.from(place.member, 'hex')]
}

async function read(
  store: Store,
  lua: string,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<SortedEntry[]> {
  const flat = await store.ask((redis) => run(redis, lua, keys, args))
  if (!Array.isArray(flat)) throw new Error('a page is a list')
  return pairsOf(flat.filter((part) => Buffer.isBuffer(part))).map(([member, score]) => ({
    member,
    score: Number(score.toString('latin1')),
  }))
}

/** Runs a script by its SHA-1: its text would be most of the bytes sent. */
async function run(
  redis: Redis,
  lua: string,
  keys: readonly string[],
  args: readonly (string | number | Buffer)[],
): Promise<unknown> {
  try {
    return await redis.callBuffer('EVALSHA', sha1(lua), keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return await redis.callBuffer('EVAL', lua, keys.length, ...keys, ...args)
  }
}

const digests = new Map<string, string>()

function sha1(lua: string): string {
  let digest = digests.get(lua)
  if (digest === undefined) {
    digest = createHash('sha1').update(lua).digest('hex')
    digests.set(lua, digest)
  }
  return digest
}

function pairsOf(flat: readonly Buffer[]): (readonly [Buffer, Buffer])[] {
  const pairs: (readonly [Buffer, Buffer])[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const first = flat[i]
    const second = flat[i + 1]
    if (first !== undefined && second !== undefined) pairs.push([first, second])
  }
  return pairs
}
