// The change stream that every replica follows: ids of what changed, never hash bits.

import type { Redis } from 'ioredis'
import { formatUuid } from '../../../packages/core/src/ids.js'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { readPosition } from '../scripts/announce.js'
import { type Change, carriesImageIds, carriesName, isChangeOp } from '../scripts/change-ops.js'

/**
 * A position in the stream: a revision and the digest of the chain there. A restore reuses revisions, and so does a failover that loses changes.
 * The same revision with another digest belongs to another history.
 */
export interface Position {
  readonly revision: number
  /** 32 hex digits. */
  readonly digest: string
}

/** `gap`: the stream was trimmed past the reader. `history-diverged`: the store lost changes that the reader has. */
export const LOSSES = ['gap', 'history-diverged'] as const
export type Loss = (typeof LOSSES)[number]

/**
 * Changes in order with the position of each, or a gap: then the reader must reload everything.
 * `caughtUpAtMs`: at this time, by the clock given, there were no further changes; `undefined` when there may be more.
 */
export type Followed =
  | {
      readonly kind: 'changes'
      readonly changes: readonly Change[]
      readonly positions: readonly Position[]
      readonly caughtUpAtMs: number | undefined
    }
  | { readonly kind: 'gap'; readonly loss: Loss }

/** Redis keys of a change stream and of its last revision. Watches have a stream of the same form. */
interface ChangeStream {
  readonly changes: string
  readonly revision: string
}
const IMAGE_STREAM: ChangeStream = { changes: keys.changes, revision: keys.revision }
export const WATCH_STREAM: ChangeStream = { changes: keys.watchChanges, revision: keys.watchRevision }

/** Changes per read. Few, since one change may name hundreds of images: a withdrawal must not wait behind an import. */
const BATCH = 20
/** Changes per read where no withdrawal waits. */
const MANY = 1000
const DIGEST_BYTES = 16

export function lastRevision(store: Store): Promise<number> {
  return store.ask(async (redis) => Number((await redis.get(keys.revision)) ?? 0))
}

/** The position of the last change. */
export async function lastPosition(store: Store, stream = IMAGE_STREAM): Promise<Position> {
  return (await store.ask((redis) => positionIn(redis, stream))) ?? ORIGIN
}

/** @returns the digest at a revision; `undefined` when the stream was trimmed there, or never had it. */
export async function digestAt(store: Store, revision: number): Promise<string | undefined> {
  return (await store.ask((redis) => positionIn(redis, IMAGE_STREAM, revision)))?.digest
}

/** @returns the position just before the first change with at least this revision; the end of the stream when there is none. */
export async function positionBefore(store: Store, revision: number): Promise<Position> {
  const from = `${Math.max(0, revision)}-0`
  const entries = await store.ask((redis) => redis.xrangeBuffer(keys.changes, from, '+', 'COUNT', 1))
  const [first] = entries.map(parseEntry)
  return first === undefined ? lastPosition(store) : { revision: first.change.revision - 1, digest: first.before }
}

/** @returns the change at a revision; `undefined` when the stream was trimmed there, or never had it. */
export async function changeAt(store: Store, revision: number): Promise<Change | undefined> {
  const id = `${revision}-0`
  const [entry] = await store.ask((redis) => redis.xrangeBuffer(keys.changes, id, id))
  return entry === undefined ? undefined : parseEntry(entry).change
}

/** True when the position is in the store's history. False also when the stream was trimmed there. */
export async function isInHistory(store: Store, { revision, digest }: Position): Promise<boolean> {
  return (await digestAt(store, revision)) === digest
}

async function positionIn(redis: Redis, stream: ChangeStream, at: number | '' = ''): Promise<Position | undefined> {
  const reply = await redis.eval(readPosition.lua, 2, stream.revision, stream.changes, at)
  return Array.isArray(reply) ? { revision: Number(reply[0]), digest: String(reply[1]) } : undefined
}

/**
 * Waits up to `blockMs` for changes after a position and returns at most 20. Call again with the last position that was applied.
 *
 * Each answer proves that the store's history contains the caller's: a change names the digest of the previous one, and without a change the
 * end of the stream is compared.
 *
 * @param redis a connection that nothing else uses: this call blocks it.
 * @param now [ms] monotonic clock.
 * @param stream default: the changes of images.
 * @throws errors of ioredis.
 */
export async function follow(
  redis: Redis,
  after: Position,
  blockMs: number,
  now: () => number,
  stream = IMAGE_STREAM,
): Promise<Followed> {
  // The answer may have been in transit for long: it is only certain for the time of the request.
  const askedAtMs = now()
  const reply = await redis.xreadBuffer('COUNT', BATCH, 'BLOCK', blockMs, 'STREAMS', stream.changes, `${after.revision}-0`)
  const read = (reply?.[0]?.[1] ?? []).map(parseEntry)
  const [first] = read
  if (first === undefined) {
    const askedAgainAtMs = now()
    const last = (await positionIn(redis, stream)) ?? ORIGIN
    // Something was written between the two commands; the next call returns it.
    if (last.revision > after.revision) return { kind: 'changes', changes: [], positions: [], caughtUpAtMs: undefined }
    if (last.revision < after.revision || last.digest !== after.digest) return { kind: 'gap', loss: 'history-diverged' }
    return { kind: 'changes', changes: [], positions: [], caughtUpAtMs: askedAgainAtMs }
  }
  if (first.before !== after.digest) return { kind: 'gap', loss: await lossOf(redis, stream, after) }
  return {
    kind: 'changes',
    changes: read.map(({ change }) => change),
    positions: read.map(({ change: { revision }, digest }) => ({ revision, digest })),
    caughtUpAtMs: read.length < BATCH ? askedAtMs : undefined,
  }
}

/** Why the stream does not continue a position. Only for diagnosis: a reader reloads in both cases. */
async function lossOf(redis: Redis, stream: ChangeStream, { revision, digest }: Position): Promise<Loss> {
  const there = await positionIn(redis, stream, revision)
  if (there !== undefined) return there.digest === digest ? 'gap' : 'history-diverged'
  const [oldest] = (await redis.xrangeBuffer(stream.changes, '-', '+', 'COUNT', 1)).map(parseEntry)
  return oldest !== undefined && oldest.change.revision > revision ? 'gap' : 'history-diverged'
}

/**
 * Yields the changes after a position up to a revision, in order.
 * @param after a position; or only a revision, whose history cannot be checked then.
 * @returns pages of changes; `gap` as the last when the stream was trimmed or holds another history.
 */
export async function* changesBetween(
  store: Store,
  after: Position | number,
  until: number,
): AsyncGenerator<readonly Change[] | 'gap', void, void> {
  for await (const page of pagesBetween(store, after, until)) yield page === 'gap' ? page : page.changes
}

/** As `changesBetween`, with the position at which each page ends. */
export async function* pagesBetween(
  store: Store,
  after: Position | number,
  until: number,
): AsyncGenerator<{ readonly changes: readonly Change[]; readonly last: Position } | 'gap', void, void> {
  let at = typeof after === 'number' ? { revision: after, digest: undefined } : after
  while (at.revision < until) {
    const { revision, digest } = at
    const known = digest ?? (await digestAt(store, revision))
    const entries = await store.ask((redis) =>
      redis.xrangeBuffer(keys.changes, `${revision + 1}-0`, `${until}-0`, 'COUNT', MANY),
    )
    const read = entries.map(parseEntry)
    const last = read.at(-1)
    if (last === undefined || known === undefined || read[0]?.before !== known) {
      yield 'gap'
      return
    }
    const position = { revision: last.change.revision, digest: last.digest }
    yield { changes: read.map(({ change }) => change), last: position }
    at = position
  }
}

/**
 * The first changes after a revision, without waiting.
 * @param after a revision, 0 for the beginning.
 * @param count maximum number of changes.
 * @returns `undefined` when the stream was trimmed past that revision: the caller must start again.
 */
export async function changesAfter(store: Store, after: number, count: number): Promise<Change[] | undefined> {
  const [entries, known] = await Promise.all([
    store.ask((redis) => redis.xrangeBuffer(keys.changes, `${after + 1}-0`, '+', 'COUNT', count)),
    digestAt(store, after),
  ])
  const read = entries.map(parseEntry)
  if (known === undefined || (read[0] !== undefined && read[0].before !== known)) return undefined
  return read.map(({ change }) => change)
}

/** The position of an empty store. */
export const ORIGIN: Position = { revision: 0, digest: originOf(0) }

/** The digest of a revision that has no entry in the stream. Scripts compute the same. */
function originOf(revision: number): string {
  return String(revision).padStart(2 * DIGEST_BYTES, '0')
}

interface Entry {
  readonly change: Change
  /** The digest of the change before it. */
  readonly before: string
  readonly digest: string
}

function parseEntry([id, fields]: readonly [Buffer, readonly Buffer[]]): Entry {
  const revision = Number.parseInt(id.toString('latin1'), 10)
  const [, op, , ids, chainName, chain, more, value] = fields
  const isChained = chainName?.toString('latin1') === 'chain' && chain !== undefined
  const change = parseChange(revision, op, ids, isChained ? [more, value] : [chainName, chain])
  if (!isChained) return { change, before: originOf(revision - 1), digest: originOf(revision) }
  return { change, before: chain.toString('hex', 0, DIGEST_BYTES), digest: chain.toString('hex', DIGEST_BYTES) }
}

function parseChange(
  revision: number,
  op: Buffer | undefined,
  ids: Buffer | undefined,
  [more, value]: readonly (Buffer | undefined)[],
): Change {
  const written = op?.toString('latin1') ?? ''
  const said = value === undefined ? undefined : { name: more?.toString('latin1'), text: value.toString('latin1') }
  // A change of trust status is written as `image` with the field of=trustStatus.
  const name = written === 'image' && said?.name === 'of' && said.text === 'trustStatus' ? said.text : written
  if (ids === undefined || !isChangeOp(name)) throw new Error('a change of a kind that this version does not know')
  if (carriesImageIds(name)) {
    const by = name === 'image' && said?.name === 'by' ? { by: said.text } : {}
    return { op: name, revision, imageIds: splitIds(ids), ...by }
  }
  if (carriesName(name)) return { op: name, revision, name: ids.toString('utf8') }
  return { op: name, revision }
}

function splitIds(ids: Buffer): string[] {
  return Array.from({ length: ids.length / 16 }, (_, i) => formatUuid(ids.subarray(16 * i, 16 * i + 16)))
}
