// One run of a reconciler for one bank of an HMA. Removes what the HMA fetched from here and no longer matches here: HMA's own client keeps withdrawn
// contents.

import { createHmac } from 'node:crypto'
import { inChunks } from '../../domain/in-chunks.js'
import type { ReconcileCursor } from '../../domain/organisations/reconciler.js'
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
import { type ContentChecks, createContentChecks } from './content-checks.js'
import { createHmaBank, type HmaBank, type LeftMs, ReconcileError } from './hma-client.js'
import { openHoles, withHoles } from './missing-ids.js'
import { createRunState, type RunState } from './run-state.js'

export interface ReconcilerParts {
  readonly reconcilers: readonly Reconciler[]
  readonly states: ReconcilerStore
  readonly store: Store
  readonly replica: Pick<Replica, 'reached'>
  readonly matcher: Pick<Matcher, 'match'>
  readonly matchIds: Pick<MatchIds, 'imageOf'>
  readonly orgNamed: (name: string) => Promise<{ readonly orgId: string } | undefined>
  readonly outgoing: Outgoing
  /** Keys the identity of a bank, which tells apart banks of the same name on different HMAs. */
  readonly secret: Buffer
  readonly now: () => number
}

/** Contents that are checked before the state is saved. */
const CHUNK = 200
/** Extra time for requests after the run's time ended: the current chunk is finished. */
const GRACE_MS = 60_000
/** All contents are checked once a day. This finds what no change reports: a disabled bank, an allowlisted picture, an HMA restored from a backup. */
const ALL_INTERVAL_MS = 86_400_000
/**
 * After this time a missing id is not checked again until the daily check: HMA writes fetched contents at least once a minute, and gives up a fetch
 * after four minutes.
 */
const HOLE_CLOSED_AFTER_MS = 900_000

/** Changes after which an image may no longer match. */
const MAY_END_MATCHES: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: true, tombstone: true }
const IS_GONE: Readonly<Record<ImageOp, boolean>> = { image: false, trustStatus: false, tombstone: true }
/** Changes after which all contents of the bank have to be checked. */
const MAY_END_ANY_MATCH: Readonly<Record<ChangeOp, boolean>> = {
  image: false,
  trustStatus: false,
  tombstone: false,
  bank: true,
  'api-key': false,
  restored: true,
}

/** One run for one bank. Saves known failures in the state, and throws others. When the time ends, the next run continues. */
export async function clean(parts: ReconcilerParts, reconciler: Reconciler, hmaBank: string, leftMs: LeftMs): Promise<void> {
  const bank = createHmaBank(parts.outgoing, hmaRequests(reconciler.hma, hmaBank), () => leftMs() + GRACE_MS)
  const ofBank = { ...reconciler, name: stateName(reconciler.name, hmaBank) }
  const state = createRunState(parts.states, ofBank.name, await stateOf(parts, ofBank, hmaBank), parts.now)
  await state.note({ progress: { state: 'running', failure: undefined, startedAtMs: parts.now() } })
  try {
    await runToEnd(parts, ofBank, bank, state, leftMs)
  } catch (error) {
    await state.note({ progress: { state: 'failed', failure: failureOf(error) } })
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
    place: { ...(await lastPosition(store)), checkedTo: 0, holes: [], allFrom: undefined, allAtMs: now() },
    progress: {
      state: 'waiting',
      failure: undefined,
      startedAtMs: now(),
      updatedAtMs: now(),
      caughtUpAtMs: undefined,
      checked: 0,
      removed: 0,
    },
  }
}

/** What every step of a run needs. */
interface Run {
  readonly parts: ReconcilerParts
  /** The name of the state in the store. */
  readonly name: string
  readonly orgId: string
  readonly state: RunState
  readonly checks: ContentChecks
  readonly leftMs: LeftMs
}

/** @throws {ReconcileError} if a step fails; {Problem} index-loading, store-unavailable. Finished steps stay done. */
async function runToEnd(
  parts: ReconcilerParts,
  { name, organisation }: Reconciler,
  bank: HmaBank,
  state: RunState,
  leftMs: LeftMs,
): Promise<void> {
  const org = await parts.orgNamed(organisation)
  if (org === undefined) throw new ReconcileError('organisation-unknown')
  const checks = createContentChecks({ ...parts, name, bank, state })
  const run = { parts, name, orgId: org.orgId, state, checks, leftMs }
  const position = await lastPosition(parts.store)
  await parts.replica.reached(position)
  if (await followChanges(run, position)) await state.note({ place: { allFrom: 1 } })
  await state.note({ place: position })

  const newest = await bank.newest()
  await checkNew(run, newest)
  if (leftMs() <= 0) return
  await state.note({ place: { checkedTo: Math.max(newest, state.current.place.checkedTo) } })

  if (!(await checkAllIfDue(run, newest))) return
  const [failure] = checks.failures
  if (failure !== undefined) throw failure
  await state.note({ progress: { state: 'waiting', caughtUpAtMs: state.current.progress.startedAtMs } })
}

/** Checks the contents of images that changed here. @returns whether all contents have to be checked. */
async function followChanges({ parts, name, orgId, state, checks }: Run, to: Position): Promise<boolean> {
  const { store, states } = parts
  const { place } = state.current
  // The store was restored from a backup.
  let mustCheckAll = to.revision < place.revision || (to.revision === place.revision && to.digest !== place.digest)
  for await (const page of pagesBetween(store, place, to.revision)) {
    if (page === 'gap') return true
    const { changes, last } = page
    const imageIds = imageIdsOf(changes, MAY_END_MATCHES)
    mustCheckAll ||= changes.some(({ op }) => MAY_END_ANY_MATCH[op])
    for (const some of inChunks(imageIds, CHUNK)) {
      const contents = await states.contentsOf(name, some)
      const ids = new Set(contents.flatMap((id) => id ?? []))
      if (ids.size > 0) await checks.check(orgId, [...ids], true, () => ({}))
    }
    await state.note(
      { place: last },
      imageIdsOf(changes, IS_GONE).map((imageId): Became => [imageId, undefined]),
    )
  }
  return mustCheckAll
}

/** Checks the ids that were missing and may exist by now, then those assigned since the last run. */
async function checkNew(run: Run, newest: number): Promise<void> {
  const { parts, state } = run
  const { now } = parts
  const { holes, checkedTo } = state.current.place
  const open = openHoles(holes, now() - HOLE_CLOSED_AFTER_MS)
  await state.note({ place: { holes: open } })
  for (const hole of open)
    await checkRange(run, hole.from, hole.to, (from, to, missing) => ({
      holes: withHoles(state.current.place.holes, from, to, missing, hole.sinceMs),
    }))
  await checkRange(run, checkedTo + 1, newest - 1, (from, to, missing) => ({
    checkedTo: to,
    holes: withHoles(state.current.place.holes, from, to, missing, now()),
  }))
}

/** Checks all contents if the daily check is due or under way. @returns `false` if the time ended before it was done. */
async function checkAllIfDue(run: Run, newest: number): Promise<boolean> {
  const { parts, state, leftMs } = run
  const { now } = parts
  const { place } = state.current
  const isDue = now() - (place.allAtMs ?? 0) >= ALL_INTERVAL_MS
  const allFrom = place.allFrom ?? (isDue ? 1 : undefined)
  if (allFrom === undefined) return true
  await checkRange(run, allFrom, newest - 1, (_, to) => ({ allFrom: to + 1 }))
  if (leftMs() <= 0) return false
  await state.note({ place: { allFrom: undefined, allAtMs: now() } })
  return true
}

/** Checks the ids `first` to `last`, both included, until the time of the run ends. */
async function checkRange(
  { orgId, checks, leftMs }: Run,
  first: number,
  last: number,
  placeAfter: (from: number, to: number, missing: readonly number[]) => Partial<ReconcileCursor>,
): Promise<void> {
  for (let from = first; from <= last && leftMs() > 0; from += CHUNK) {
    const to = Math.min(from + CHUNK - 1, last)
    const ids = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    await checks.check(orgId, ids, false, (missing) => placeAfter(from, to, missing))
  }
}

export function failureOf(error: unknown): ReconcileError['failure'] {
  if (error instanceof ReconcileError) return error.failure
  if (error instanceof Problem) return 'not-ready'
  throw error
}

/** The name under which the store keeps the state of a reconciler's bank. */
export function stateName(reconciler: string, bank: string): string {
  return `${reconciler}:${bank}`
}
