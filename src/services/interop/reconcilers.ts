// Reconcilers: each removes from the banks of one platform's HMA what was withdrawn here.

import type { ReconcileFailure, ReconcileProgress } from '../../domain/organisations/reconciler.js'
import { Problem } from '../../domain/problem.js'
import type { Reconciler } from '../../exchange/exchange-config.js'
import type { FoundBanks } from '../../store/exchange/reconcilers.js'
import { banksPullingFrom } from './hma-client.js'
import { clean, failureOf, type ReconcilerParts, stateName } from './reconciling.js'

export interface ReconcilerReport {
  readonly name: string
  /** The banks that the last run found. */
  readonly hmaBanks: readonly string[]
  readonly intervalS: number
  /** Absent before the first run. */
  readonly progress: ReconcileProgress | undefined
}

export interface Reconcilers {
  list(): Promise<ReconcilerReport[]>
  /**
   * One run. When it succeeds, the HMA has nothing that stopped matching here before the run began. After a crash or the time limit, the next run
   * continues. Repeated steps and concurrent runs are harmless.
   * @returns the outcome, including failures. @throws {Problem} exchange-unknown, store-unavailable
   */
  run(name: string): Promise<ReconcilerReport>
}

/** Time limit of a run; the next one continues. A slow HMA, or one with endless ids, must not delay the others. */
const MAX_RUN_MS = 120_000

export function createReconcilers(parts: ReconcilerParts): Reconcilers {
  const { reconcilers, states, now } = parts
  const reportOf = async ({ name, intervalS }: Reconciler): Promise<ReconcilerReport> => {
    const found = await states.found(name)
    const all = await Promise.all(
      (found?.banks ?? []).map(async (bank) => (await states.get(stateName(name, bank)))?.progress),
    )
    return { name, hmaBanks: found?.banks ?? [], intervalS, progress: found && together(found, all) }
  }
  /** Cleans one bank after the other. A failure of one does not stop the others. */
  const cleanAll = async (reconciler: Reconciler) => {
    const { name, hma } = reconciler
    const before = await states.found(name)
    const startedAtMs = now()
    const leftMs = () => startedAtMs + MAX_RUN_MS - now()
    const note = (banks: readonly string[], failure?: ReconcileFailure) =>
      states.saveFound(name, { banks, failure, startedAtMs, updatedAtMs: now() })
    let banks: readonly string[]
    try {
      banks = await banksPullingFrom(parts.outgoing, hma, leftMs)
    } catch (error) {
      return note(before?.banks ?? [], failureOf(error))
    }
    await note(banks)
    for (const bank of before?.banks ?? []) if (!banks.includes(bank)) await states.forget(stateName(name, bank))
    // The remaining time is divided among the remaining banks, so that one with endless ids leaves time for the others.
    for (const [i, bank] of banks.entries()) {
      const endsAtMs = now() + leftMs() / (banks.length - i)
      await clean(parts, reconciler, bank, () => endsAtMs - now())
    }
  }
  return {
    list: () => Promise.all(reconcilers.map(reportOf)),
    async run(name) {
      const reconciler = reconcilers.find((reconciler) => reconciler.name === name)
      if (reconciler === undefined) throw new Problem('exchange-unknown')
      await cleanAll(reconciler)
      return reportOf(reconciler)
    },
  }
}

/** @returns a function that counts in how many of these systems each image is known to have a copy. */
export function systemsWith(
  states: Pick<ReconcilerParts['states'], 'found' | 'contentsOf'>,
  reconcilers: readonly Pick<Reconciler, 'name'>[],
) {
  return async (imageIds: readonly string[]): Promise<number[]> => {
    const counts = imageIds.map(() => 0)
    for (const { name } of reconcilers) {
      const banks = (await states.found(name))?.banks ?? []
      const contents = await Promise.all(banks.map((bank) => states.contentsOf(stateName(name, bank), imageIds)))
      for (const i of counts.keys()) if (contents.some((of) => of[i] !== undefined)) counts[i] = (counts[i] ?? 0) + 1
    }
    return counts
  }
}

/** The progress of a reconciler from that of its banks. It has caught up when all of them have. */
function together(
  { failure: own, startedAtMs, updatedAtMs }: FoundBanks,
  all: readonly (ReconcileProgress | undefined)[],
): ReconcileProgress {
  const begun = all.flatMap((progress) => progress ?? [])
  const caughtUp = all.flatMap((progress) => progress?.caughtUpAtMs ?? [])
  const failure = own ?? begun.find(({ state }) => state === 'failed')?.failure
  const isRunning = begun.some(({ state }) => state === 'running')
  return {
    state: failure !== undefined ? 'failed' : isRunning ? 'running' : 'waiting',
    failure,
    startedAtMs,
    updatedAtMs: Math.max(updatedAtMs, ...begun.map((progress) => progress.updatedAtMs)),
    caughtUpAtMs: all.length > 0 && caughtUp.length === all.length ? Math.min(...caughtUp) : undefined,
    checked: begun.reduce((sum, { checked }) => sum + checked, 0),
    removed: begun.reduce((sum, { removed }) => sum + removed, 0),
  }
}
