// The one way to read a long list of the store in pages: sorted sets, streams, and what Redis scans. Each entry comes once, whatever is added
// or removed between two pages, and however many entries share a score.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { PageCursor } from '../../domain/page-place.js'
import { sortedPage, sortedPageAmong } from '../scripts/sorted-page.js'
import type { Store } from './client.js'

export interface SortedEntry {
  readonly member: Buffer
  readonly score: number
}

export interface SortedAsk {
  /** The lowest score that belongs to the list, as ZRANGEBYSCORE has it. */
  readonly from?: number | string
  /** The highest. */
  readonly to?: number | string
  /** The last entry of the page before; it may be gone. */
  readonly after: PageCursor | undefined
  readonly limit: number
}

/** A page of a sorted set, the lowest score first; of equal scores the lowest member. Cost: O(log n) and the page. */
export function pageOfSorted(store: Store, key: string, ask: SortedAsk): Promise<SortedEntry[]> {
  const { from = '-inf', to = '+inf', after, limit } = ask
  return read(store, sortedPage, [key], ['first', from, to, limit, ...placeArgs(after)])
}

/** The same, the highest first. */
export function lastPageOfSorted(store: Store, key: string, ask: SortedAsk): Promise<SortedEntry[]> {
  const { from = '-inf', to = '+inf', after, limit } = ask
  return read(store, sortedPage, [key], ['last', to, from, limit, ...placeArgs(after)])
}

/** As `pageOfSorted`, of the members that are in a set as well. Cost: O(the smaller of both), about a microsecond a member. */
export function pageOfSortedAmong(
  store: Store,
  key: string,
  among: string,
  ask: Omit<SortedAsk, 'from' | 'to'> & { readonly to: number },
): Promise<SortedEntry[]> {
  return read(store, sortedPageAmong, [key, among], [ask.to, ask.limit, ...placeArgs(ask.after)])
}

export function placeOf({ member, score }: SortedEntry): PageCursor {
  return { score, member: member.toString('hex') }
}

/** Id, and fields and values in turn. */
export type StreamEntry = [id: Buffer, fields: Buffer[]]

/** The entries of a stream behind an id, or from its beginning, the oldest first. */
export function pageOfStream(store: Store, key: string, afterId: string | undefined, limit: number): Promise<StreamEntry[]> {
  const from = afterId === undefined ? '-' : `(${afterId}`
  return store.ask((redis) => redis.xrangeBuffer(key, from, '+', 'COUNT', limit))
}

/** The entries before an id, or from the end, the newest first. */
export function lastPageOfStream(
  store: Store,
  key: string,
  beforeId: string | undefined,
  limit: number,
): Promise<StreamEntry[]> {
  const from = beforeId === undefined ? '+' : `(${beforeId}`
  return store.ask((redis) => redis.xrevrangeBuffer(key, from, '-', 'COUNT', limit))
}

/** Keys of a pattern: all that are there throughout; one that comes or goes meanwhile may be missing. */
export async function scanKeys(store: Store, pattern: string): Promise<string[]> {
  const found = new Set<string>()
  for (let cursor = '0'; ; ) {
    const [next, some] = await store.ask((redis) => redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1000))
    for (const key of some) found.add(key)
    if (next === '0') return [...found]
    cursor = next
  }
}

/** Fields of a hash with their values, some at a time: all that are there throughout. One may come twice. */
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

function placeArgs(place: PageCursor | undefined): (string | Buffer)[] {
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

/** By its digest: the script's text would be most of what is sent. */
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
    const one = flat[i]
    const other = flat[i + 1]
    if (one !== undefined && other !== undefined) pairs.push([one, other])
  }
  return pairs
}
