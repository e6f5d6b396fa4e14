// Whose HMAs fetch from here, and what is taken out of all their banks that do.

import type { ReconcileFailure, ReconcileProgress } from '../../domain/organisations/reconciler.js'
import { Problem } from '../../domain/problem.js'
import type { Reconciler } from '../../exchange/exchange-config.js'
import type { FoundBanks } from '../../store/exchange/reconcilers.js'
import { banksPullingFrom } from './hma-client.js'
import { clean, failureOf, type ReconcilerParts, stateName } from './reconciling.js'

export interface ReconcilerReport {
  readonly name: string
  /** As the last run found them. */
  readonly hmaBanks: readonly string[]
  readonly intervalS: number
  /** Absent before the first run. */
  readonly progress: ReconcileProgress | undefined
}

export interface Reconcilers {
  list(): Promise<ReconcilerReport[]>
  /**
   * One run: everything that stopped matching here before it began is out of the other bank when it ends well. Killed at any point, or ended because it takes too long, the
   * next run does some of it again, which changes nothing; two at once do no harm either.
   * @returns how it went. @throws {Problem} exchange-unknown, store-unavailable
   */
  run(name: string): Promise<ReconcilerReport>
}

/** A run ends after so long, and the next one goes on: one whose ids have no end, or that answers slowly, keeps no other from being asked. */
const LONGEST_RUN_MS = 120_000

export function createReconcilers(parts: ReconcilerParts): Reconcilers {
  const { reconcilers, states, now } = parts
  const reportOf = async ({ name, intervalS }: Reconciler): Promise<ReconcilerReport> => {
    const found = await states.found(name)
    const all = await Promise.all(
      (found?.banks ?? []).map(async (bank) => (await states.get(stateName(name, bank)))?.progress),
    )
    return { name, hmaBanks: found?.banks ?? [], intervalS, progress: found && together(found, all) }
  }
  /** One after the other: what goes wrong with one bank keeps no other from being cleaned. */
  const cleanAll = async (reconciler: Reconciler) => {
    const { name, hma } = reconciler
    const before = await states.found(name)
    const startedAtMs = now()
    const leftMs = () => startedAtMs + LONGEST_RUN_MS - now()
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
    // Each has its share of the time, so that one without end keeps none behind it from being cleaned.
    for (const [i, bank] of banks.entries()) {
      const endsAtMs = now() + leftMs() / (banks.length - i)
      await clean(parts, reconciler, bank, () => endsAtMs - now())
    }
  }
  return {
    list: () => Promise.all(reconcilers.map(reportOf)),
    async run(name) {
      const reconciler = reconcilers.find((one) => one.name === name)
      if (reconciler === undefined) throw new Problem('exchange-unknown')
      await cleanAll(reconciler)
      return reportOf(reconciler)
    },
  }
}

/** All banks of a reconciler as one: it has caught up when the last of them has. */
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
    looked: begun.reduce((sum, { looked }) => sum + looked, 0),
    removed: begun.reduce((sum, { removed }) => sum + removed, 0),
  }
}
