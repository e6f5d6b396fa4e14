// The stream that every index follows: what changed, by id. Never bits.

import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { formatUuid } from '../domain/ids.js'
import { keys } from './keys.js'
import type { Store } from './store.js'

export type Change =
  /** `standing`: what was said about an image changed, its bits did not. `by`: what its writer will know it by. */
  | {
      readonly op: 'image' | 'standing' | 'tombstone'
      readonly revision: number
      readonly imageIds: readonly string[]
      readonly by?: string
    }
  | { readonly op: 'bank' | 'api-key'; readonly revision: number; readonly name: string }

/**
 * What following found: changes in order, and since when they are known to have been the last, by the clock that was given;
 * or that some are missing and everything has to be read again.
 */
export type Followed =
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly caughtUpAtMs: number | undefined }
  | { readonly kind: 'gap' }

/** Where changes are written, and the number of the last. Those of watches have the form of those of images. */
interface ChangeStream {
  readonly changes: string
  readonly revision: string
}
const IMAGE_STREAM: ChangeStream = { changes: keys.changes, revision: keys.revision }
export const WATCH_STREAM: ChangeStream = { changes: keys.watchChanges, revision: keys.watchRevision }

/** Few, since one may name hundreds of images: a withdrawal must not wait behind much of an import. */
const BATCH = 20
/** Where nobody waits. */
const MANY = 1000

export function lastRevision(store: Store): Promise<number> {
  return store.ask(async (redis) => Number((await redis.get(keys.revision)) ?? 0))
}

/**
 * Waits for changes after a revision, at most `blockMs`. Call it again with the last revision that was applied.
 *
 * Revisions have no gaps, so the next one is `after + 1`: anything else means that the stream was trimmed or replaced. A
 * store whose last revision lies behind ours was restored from an older state: also a gap.
 *
 * @param redis a connection of its own: it blocks.
 * @param now in milliseconds, never goes back.
 * @param stream those of images, unless another is given.
 */
export async function follow(
  redis: Redis,
  after: number,
  blockMs: number,
  now: () => number,
  stream = IMAGE_STREAM,
): Promise<Followed> {
  // When an answer was made is not told, and it may have been under way for long: it is as old as its question.
  const askedAtMs = now()
  const reply = await redis.xreadBuffer('COUNT', BATCH, 'BLOCK', blockMs, 'STREAMS', stream.changes, `${after}-0`)
  const entries = reply?.[0]?.[1]
  if (entries === undefined || entries.length === 0) {
    const askedAgainAtMs = now()
    const last = Number((await redis.get(stream.revision)) ?? 0)
    // A writer may have been faster than these two commands; then the next call brings what it wrote.
    if (last < after) return { kind: 'gap' }
    return { kind: 'changes', changes: [], caughtUpAtMs: last === after ? askedAgainAtMs : undefined }
  }
  const changes: Change[] = []
  for (const [id, fields] of entries) {
    const change = parseChange(revisionOf(id), fields)
    if (change.revision !== after + 1 + changes.length) return { kind: 'gap' }
    changes.push(change)
  }
  return { kind: 'changes', changes, caughtUpAtMs: changes.length < BATCH ? askedAtMs : undefined }
}

/**
 * A digest of what changed at a revision: the same in the same history only, since ids are random.
 * @returns `undefined` when the stream does not remember.
 */
export async function changeAt(store: Store, revision: number): Promise<Buffer | undefined> {
  const id = `${revision}-0`
  const entries = await store.ask((redis) => redis.xrangeBuffer(keys.changes, id, id))
  const fields = entries[0]?.[1]
  return fields === undefined ? undefined : digestOf(fields)
}

function digestOf(fields: readonly Buffer[]): Buffer {
  const digest = createHash('sha256')
  for (const field of fields) digest.update(`${field.length}:`).update(field)
  return digest.digest()
}

/**
 * What changed after one revision, up to another, in order.
 * @returns `gap` as the last, when the stream does not remember all of it.
 */
export async function* changesBetween(
  store: Store,
  after: number,
  until: number,
): AsyncGenerator<readonly Change[] | 'gap', void, void> {
  for (let at = after; at < until; ) {
    const entries = await store.ask((redis) => redis.xrangeBuffer(keys.changes, `${at + 1}-0`, `${until}-0`, 'COUNT', MANY))
    const changes = entries.map(([id, fields]) => parseChange(revisionOf(id), fields))
    if (changes.length === 0 || changes.some(({ revision }, i) => revision !== at + 1 + i)) {
      yield 'gap'
      return
    }
    yield changes
    at += changes.length
  }
}

/**
 * The same where revisions that were never given are no loss. The stream forgets its oldest changes first, so what is missing behind one that it
 * remembers was never there: a restore raised the number.
 */
export async function* changesGiven(
  store: Store,
  after: number,
  until: number,
): AsyncGenerator<readonly Change[] | 'gap', void, void> {
  if (after >= until) return
  const [oldest] = await store.ask((redis) => redis.xrangeBuffer(keys.changes, '-', '+', 'COUNT', 1))
  if (oldest === undefined || revisionOf(oldest[0]) > after + 1) {
    yield 'gap'
    return
  }
  for (let at = after; at < until; ) {
    const entries = await store.ask((redis) => redis.xrangeBuffer(keys.changes, `${at + 1}-0`, `${until}-0`, 'COUNT', MANY))
    const changes = entries.map(([id, fields]) => parseChange(revisionOf(id), fields))
    if (changes.length > 0) yield changes
    at = changes.at(-1)?.revision ?? until
  }
}

function revisionOf(id: Buffer): number {
  return Number.parseInt(id.toString('latin1'), 10)
}

/** A change that was read out of turn, and what tells it from one of another history. */
export interface ReadChange {
  readonly change: Change
  /** @see changeAt */
  readonly mark: () => Buffer
}

/**
 * The changes after one that the caller knows, at once.
 * @param after its revision, 0 for the beginning. @param isKnown says whether what changed there is what the caller knows.
 * @param count at most so many.
 * @returns `undefined` when the stream does not remember that change, or remembers another one: the caller has to begin anew.
 */
export async function changesAfter(
  store: Store,
  after: number,
  isKnown: (digest: Buffer) => boolean,
  count: number,
): Promise<ReadChange[] | undefined> {
  const isFirst = after === 0
  const entries = await store.ask((redis) =>
    redis.xrangeBuffer(keys.changes, `${isFirst ? 1 : after}-0`, '+', 'COUNT', count + (isFirst ? 0 : 1)),
  )
  const read = entries.map(([id, fields]) => ({
    change: parseChange(revisionOf(id), fields),
    mark: () => digestOf(fields),
  }))
  if (isFirst && read.length === 0) return (await lastRevision(store)) === 0 ? [] : undefined
  const known = isFirst ? undefined : read.shift()
  if (!isFirst && (known?.change.revision !== after || !isKnown(known.mark()))) return undefined
  return read.every(({ change }, i) => change.revision === after + 1 + i) ? read : undefined
}

function parseChange(revision: number, fields: readonly Buffer[]): Change {
  const [, op, , ids, more, value] = fields
  const name = op?.toString('latin1')
  const said = value === undefined ? undefined : { name: more?.toString('latin1'), text: value.toString('latin1') }
  if (ids !== undefined) {
    if (name === 'image' && said?.name === 'of' && said.text === 'standing')
      return { op: 'standing', revision, imageIds: splitIds(ids) }
    if (name === 'image' && said?.name === 'by') return { op: name, revision, imageIds: splitIds(ids), by: said.text }
    if (name === 'image' || name === 'tombstone') return { op: name, revision, imageIds: splitIds(ids) }
    if (name === 'bank' || name === 'api-key') return { op: name, revision, name: ids.toString('utf8') }
  }
  throw new Error('a change of a kind that this version does not know')
}

function splitIds(ids: Buffer): string[] {
  return Array.from({ length: ids.length / 16 }, (_, i) => formatUuid(ids.subarray(16 * i, 16 * i + 16)))
}
