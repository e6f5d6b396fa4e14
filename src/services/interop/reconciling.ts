// Takes out of one bank of an HMA what it fetched from here and what does not match here any more. HMA's own client keeps what is withdrawn.

import { createHmac } from 'node:crypto'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { ReconcilePlace, ReconcileProgress } from '../../domain/organisations/reconciler.js'
import { Problem } from '../../domain/problem.js'
import type { Reconciler } from '../../exchange/exchange-config.js'
import { hmaRequests } from '../../exchange/hma-requests.js'
import type { Outgoing } from '../../net/outgoing.js'
import type { Became, ReconcilerState, Reconcilers as ReconcilerStore } from '../../store/exchange/reconcilers.js'
import { lastPosition, type Position, pagesBetween } from '../../store/images/changes.js'
import type { Store } from '../../store/redis/client.js'
import { type ChangeOp, type ImageOp, imageIdsOf } from '../../store/scripts/change-ops.js'
import type { Replica } from '../index/replica.js'
import type { MatchIds } from '../matching/match-ids.js'
import type { Matcher } from '../matching/matcher.js'
import { createHmaBank, type HmaBank, type LeftMs, ReconcileError, runCooperatively } from './hma-client.js'
import { openHoles, withHoles } from './missing-ids.js'

export interface ReconcilerParts {
  readonly reconcilers: readonly Reconciler[]
  readonly states: ReconcilerStore
  readonly store: Store
  readonly replica: Pick<Replica, 'reached'>
  readonly matcher: Pick<Matcher, 'match'>
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly orgNamed: (name: string) => Promise<{ readonly orgId: string } | undefined>
  readonly outgoing: Outgoing
  readonly secret: Buffer
  readonly now: () => number
}

/** Contents that are looked at between two notes of how far it has come. */
const CHUNK = 200
/** To come to the end of what a run had begun when its time was over. */
const GRACE_MS = 60_000
/** Contents of one run that the other system gives no usable answer about. With more, it is the system. */
const MAX_FAILED = 20
/** So many that were never ours, and more than ever were: then it is another's bank. */
const FEW_UNKNOWN = 10
/** For what no change tells of: a switched-off bank, a harmless picture, an HMA that was set back. */
const ALL_INTERVAL_MS = 86_400_000
/** HMA writes at least once a minute, and gives up a fetch after four: a hole that is this old stays one. */
const HOLE_CLOSED_AFTER_MS = 900_000

/** Changes after which an image may no longer match. */
const MAY_END_MATCHES: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: true, tombstone: true }
const IS_GONE: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: false, tombstone: true }
/** Changes after which every content of the bank has to be looked at. */
const MAY_END_ANY_MATCH: Readonly<Record<ChangeOp, boolean>> = {
  image: false,
  trustStatus: false,
  tombstone: false,
  bank: true,
  'api-key': false,
  restored: true,
}

/** What went wrong is in its state. When no time is left, the next run goes on. */
export async function clean(parts: ReconcilerParts, reconciler: Reconciler, hmaBank: string, leftMs: LeftMs): Promise<void> {
  const bank = createHmaBank(parts.outgoing, hmaRequests(reconciler.hma, hmaBank), () => leftMs() + GRACE_MS)
  const ofBank = { ...reconciler, name: stateName(reconciler.name, hmaBank) }
  const run = runOf(parts, ofBank, bank, leftMs, await stateOf(parts, ofBank, hmaBank))
  await run.note({ progress: { state: 'running', failure: undefined, startedAtMs: parts.now() } })
  try {
    await run.all()
  } catch (error) {
    await run.fail(failureOf(error))
  }
}

async function stateOf(
  { states, store, secret, now }: ReconcilerParts,
  { name, hma }: Reconciler,
  hmaBank: string,
): Promise<ReconcilerState> {
  const identity = createHmac('sha256', secret).update(`hma\0${hma.baseUrl}\0${hmaBank}`).digest('base64url')
  const kept = await states.get(name)
  if (kept?.identity === identity) return kept
  await states.forget(name)
  return {
    identity,
    place: { ...(await lastPosition(store)), lookedTo: 0, holes: [], allFrom: undefined, allAtMs: now() },
    progress: {
      state: 'waiting',
      failure: undefined,
      startedAtMs: now(),
      updatedAtMs: now(),
      caughtUpAtMs: undefined,
      looked: 0,
      removed: 0,
    },
  }
}

function runOf(
  parts: ReconcilerParts,
  { name, organisation }: Reconciler,
  bank: HmaBank,
  leftMs: LeftMs,
  from: ReconcilerState,
) {
  const { states, store, replica, orgNamed, now } = parts
  let state = from
  let unknown = 0
  const failures: ReconcileError[] = []

  async function note(
    change: { readonly place?: Partial<ReconcilePlace>; readonly progress?: Partial<ReconcileProgress> },
    became: readonly Became[] = [],
  ): Promise<void> {
    state = {
      ...state,
      place: { ...state.place, ...change.place },
      progress: { ...state.progress, updatedAtMs: now(), ...change.progress },
    }
    await states.save(name, state, became)
  }

  /** One content that the other system cannot answer for keeps no others in its bank; the run says at its end that there was one. */
  async function orFailed<T>(work: Promise<T>): Promise<T | 'failed'> {
    try {
      return await work
    } catch (error) {
      const isOne = error instanceof ReconcileError && ['unreachable', 'answer-unreadable'].includes(error.failure)
      if (!isOne || failures.length >= MAX_FAILED) throw error
      failures.push(error)
      return 'failed'
    }
  }

  /** Looks at contents, and takes out those whose hash matches nothing that this organisation may know of. */
  async function look(
    orgId: string,
    ids: readonly number[],
    isKnown: boolean,
    place: (missing: readonly number[]) => Partial<ReconcilePlace>,
  ) {
    const found = await runCooperatively(ids, async (id) => ({ id, content: await orFailed(bank.look(id)) }))
    const ours = found.flatMap(({ id, content }) => (typeof content === 'object' ? [{ id, content }] : []))
    const images = await imagesOf(
      parts,
      orgId,
      ours.map(({ content }) => content.hash),
    )
    const gone = [
      ...ours.filter((_, i) => images[i]?.length === 0),
      ...found.flatMap(({ id, content }) => (content === 'mark' ? [{ id, content }] : [])),
    ]
    if (!isKnown) unknown += gone.length
    if (unknown > FEW_UNKNOWN && unknown > (await states.known(name)) + ours.length - gone.length)
      throw new ReconcileError('bank-not-from-here')
    const removals = await runCooperatively(gone, async ({ id, content }) => ({
      id,
      outcome: await orFailed(bank.remove(id, content)),
    }))
    const failed = [
      ...found.flatMap(({ id, content }) => (content === 'failed' ? [id] : [])),
      ...removals.flatMap(({ id, outcome }) => (outcome === 'failed' ? [id] : [])),
    ]
    const became = ours.flatMap(({ id }, i) => (images[i] ?? []).map((imageId): Became => [imageId, id]))
    const missing = found.flatMap(({ id, content }) => (content === undefined ? [id] : []))
    const { looked, removed } = state.progress
    const to = place(missing)
    // As one that is not there yet, it is looked at again by the next runs, and by the one that looks at everything.
    const holes = failed.reduce((all, id) => withHoles(all, id, id, [id], now()), to.holes ?? state.place.holes)
    const counts = {
      looked: looked + ids.length,
      removed: removed + removals.filter(({ outcome }) => outcome !== 'failed').length,
    }
    await note({ place: { ...to, holes }, progress: counts }, became)
  }

  /** What changed here. @returns whether everything has to be looked at. */
  async function followChanges(orgId: string, { revision, digest }: Position): Promise<boolean> {
    const { place } = state
    let all = revision < place.revision || (revision === place.revision && digest !== place.digest) // the store was set back
    for await (const page of pagesBetween(store, place, revision)) {
      if (page === 'gap') return true
      const { changes, last } = page
      const imageIds = imageIdsOf(changes, MAY_END_MATCHES)
      all ||= changes.some(({ op }) => MAY_END_ANY_MATCH[op])
      for (let at = 0; at < imageIds.length; at += CHUNK) {
        const some = imageIds.slice(at, at + CHUNK)
        const contents = await states.contentsOf(name, some)
        const ids = new Set(contents.flatMap((id) => id ?? []))
        if (ids.size > 0) await look(orgId, [...ids], true, () => ({}))
      }
      await note(
        { place: last },
        imageIdsOf(changes, IS_GONE).map((imageId): Became => [imageId, undefined]),
      )
    }
    return all
  }

  async function walk(
    orgId: string,
    first: number,
    last: number,
    place: (from: number, to: number, missing: readonly number[]) => Partial<ReconcilePlace>,
  ) {
    for (let at = first; at <= last && leftMs() > 0; at += CHUNK) {
      const to = Math.min(at + CHUNK - 1, last)
      await look(
        orgId,
        Array.from({ length: to - at + 1 }, (_, i) => at + i),
        false,
        (missing) => place(at, to, missing),
      )
    }
  }

  return {
    note,
    async all(): Promise<void> {
      const org = await orgNamed(organisation)
      if (org === undefined) throw new ReconcileError('organisation-unknown')
      const { orgId } = org
      const position = await lastPosition(store)
      await replica.reached(position)
      if (await followChanges(orgId, position)) await note({ place: { allFrom: 1 } })
      await note({ place: position })

      const newest = await bank.newest()
      const { holes, lookedTo } = state.place
      const open = openHoles(holes, now() - HOLE_CLOSED_AFTER_MS)
      await note({ place: { holes: open } })
      for (const hole of open)
        await walk(orgId, hole.from, hole.to, (from, to, missing) => ({
          holes: withHoles(state.place.holes, from, to, missing, hole.sinceMs),
        }))
      await walk(orgId, lookedTo + 1, newest - 1, (from, to, missing) => ({
        lookedTo: to,
        holes: withHoles(state.place.holes, from, to, missing, now()),
      }))
      if (leftMs() <= 0) return
      await note({ place: { lookedTo: Math.max(newest, state.place.lookedTo) } })

      const isDue = now() - (state.place.allAtMs ?? 0) >= ALL_INTERVAL_MS
      const allFrom = state.place.allFrom ?? (isDue ? 1 : undefined)
      if (allFrom !== undefined) {
        await walk(orgId, allFrom, newest - 1, (_, to) => ({ allFrom: to + 1 }))
        if (leftMs() <= 0) return
        await note({ place: { allFrom: undefined, allAtMs: now() } })
      }
      const [failure] = failures
      if (failure !== undefined) throw failure
      await note({ progress: { state: 'waiting', caughtUpAtMs: state.progress.startedAtMs } })
    },
    fail: (failure: ReconcileError['failure']) => note({ progress: { state: 'failed', failure } }),
  }
}

/** The images that have exactly these hashes and match now, by hash. Nobody asks, so nobody is told that it matched. */
async function imagesOf(
  { matcher, matchIds }: Pick<ReconcilerParts, 'matcher' | 'matchIds'>,
  orgId: string,
  hashes: readonly Hash256[],
): Promise<string[][]> {
  const pictures = hashes.map((hash) => [{ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }] as const)
  const matches = await matcher.match(pictures, { orgId, banks: undefined, thresholdBits: 0, depth: 'hashes' })
  return matches.map((all) => all.flatMap(({ matchId }) => matchIds.imageOf(orgId, matchId) ?? []))
}

export function failureOf(error: unknown): ReconcileError['failure'] {
  if (error instanceof ReconcileError) return error.failure
  if (error instanceof Problem) return 'not-ready'
  throw error
}

/** Of a bank of a reconciler, in the store. */
export function stateName(reconciler: string, bank: string): string {
  return `${reconciler}:${bank}`
}
