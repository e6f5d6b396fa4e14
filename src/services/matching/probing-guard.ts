// What is done about an organisation whose queries tell it too much about stored hashes: about one, its answers tell less, and then nothing; about many, its keys are
// suspended. The operator is told of both.

import { LEAST_INLIERS, MATCH_BITS as MOST_DETAIL_BITS } from '../../../packages/hash/src/details/verify.js'
import { distanceBandOf } from '../../domain/matching/grade.js'
import { Problem } from '../../domain/problem.js'
import type { ApiKey, ApiKeys } from '../../store/organisations/api-keys.js'
import type { Events } from '../../store/webhooks/events.js'
import { transformName } from './graded.js'
import type { Match, MatchedDetails } from './match.js'
import type { Observation } from './observed.js'
import type { ProbingBudget } from './probing.js'
import type { TurnedBits } from './turned-bits.js'

/** suspend: answers tell less, then keys are suspended. tell: the operator learns of it, once a day while it goes on, and nothing else happens. off: nobody looks. */
export const PROBING_MODES = ['suspend', 'tell', 'off'] as const
export type ProbingMode = (typeof PROBING_MODES)[number]

/** @returns what an organisation is told of a match in place of it; `undefined` when it is not told. */
export type Screen = (imageId: string, match: Match) => Match | undefined

export interface ProbingGuard {
  readonly isOn: boolean
  /**
   * Counts a query, before its answer leaves.
   * @param knowsDistance is the caller told distances, and not their bands alone?
   * @returns how to tell its matches; `undefined` for as they are.
   * @throws {Problem} key-suspended
   */
  see(
    orgId: string,
    observations: readonly Observation[],
    knowsDistance: boolean,
  ): Promise<Screen | undefined> | Screen | undefined
  /** The radius that an image is answered within in place of the bank's, as far as this process knows; `undefined` for the bank's. */
  radiusOf(orgId: string, imageId: string): number | undefined
  /** Waits for what was begun. */
  close(): Promise<void>
}

/** Nobody looks. */
export const NO_PROBING: ProbingGuard = {
  isOn: false,
  see: () => undefined,
  radiusOf: () => undefined,
  close: async () => {},
}

export interface ProbingGuardParts {
  readonly budget: ProbingBudget
  readonly turnedBits: TurnedBits
  readonly mode: ProbingMode
  readonly apiKeys: Pick<ApiKeys, 'change'>
  /** Those that every process has in memory. */
  readonly known: () => Iterable<ApiKey>
  readonly events: Pick<Events, 'add'>
  readonly now: () => number
  readonly onTrouble: (error: unknown) => void
}

/** An organisation that goes on probing is reported again after so long. The store keeps other processes quiet as well. */
const QUIET_MS = 86_400_000
/** Of organisations that are quiet. Beyond it the store alone keeps them so. */
const MAX_QUIET = 1000
export function probingGuard(parts: ProbingGuardParts): ProbingGuard {
  const { budget, turnedBits, mode, events, now, onTrouble } = parts
  if (mode === 'off') return { ...NO_PROBING, close: () => budget.close() }
  const toldAtMs = new Map<string, number>()
  let last: Promise<void> = Promise.resolve()
  const behind = (work: () => Promise<void>) => {
    last = last.then(work).catch(onTrouble)
  }
  const tell = (orgId: string) => {
    const nowMs = now()
    const lastAtMs = toldAtMs.get(orgId)
    if (lastAtMs !== undefined && Math.abs(nowMs - lastAtMs) < QUIET_MS) return
    const [oldest] = toldAtMs.size >= MAX_QUIET ? toldAtMs.keys() : []
    if (oldest !== undefined) toldAtMs.delete(oldest)
    toldAtMs.delete(orgId)
    toldAtMs.set(orgId, nowMs)
    behind(async () => {
      try {
        await events.add('key.suspected', { orgId }, nowMs, QUIET_MS / 1000)
      } catch (error) {
        if (toldAtMs.get(orgId) === nowMs) toldAtMs.delete(orgId) // told with the next question
        throw error
      }
    })
  }

  /** Beside the budget: looks at the bits that queries near an edge turned over. */
  const chargeSearches = (orgId: string, observations: readonly Observation[]): void => {
    for (const { imageId, edge, hash } of observations) {
      if (edge === 'none' || hash === undefined) continue
      const suspicion = turnedBits.look(orgId, 'pdq', [hash], imageId)
      if (suspicion !== 'none') budget.spend(orgId, imageId, suspicion === 'slow' ? 'frozen' : 'spent')
    }
  }

  const screenOf = (orgId: string, observations: readonly Observation[]): Screen | undefined => {
    chargeSearches(orgId, observations)
    const standings = observations.flatMap(({ imageId, plain }) => {
      const standing = budget.standingOf(orgId, imageId)
      return standing === undefined ? [] : [[imageId, { ...standing, plain }] as const]
    })
    const isSpent = budget.isSpentAcross(orgId)
    if (isSpent || standings.some(([, { radiusBits }]) => radiusBits !== undefined)) tell(orgId)
    if (mode === 'tell') return undefined
    if (isSpent) {
      budget.forgive(orgId)
      turnedBits.forget(orgId)
      behind(() => suspend(parts, orgId))
      throw new Problem('key-suspended')
    }
    if (!standings.some(([, { isCoarse }]) => isCoarse)) return undefined
    const byImage = new Map(standings)
    return (imageId, match) => {
      const standing = byImage.get(imageId)
      if (standing === undefined || !standing.isCoarse || match.grade === 'exact') return match
      const { radiusBits, plain } = standing
      if (match.details !== undefined) return coarseByDetails(match, match.details, radiusBits)
      if (radiusBits !== undefined && match.distanceBits > radiusBits) return undefined
      const distanceBits = coarseBits(match)
      const { agreement: _, ...rest } = match
      return {
        ...rest,
        distanceBits,
        distanceBand: distanceBandOf(distanceBits),
        ...(radiusBits !== undefined && { grade: 'near' as const }),
        ...(plain !== undefined && { view: plain.view, transform: transformName(plain.way) }),
      }
    }
  }

  return {
    isOn: true,
    see(orgId, observations, knowsDistance) {
      if (observations.length === 0) return undefined
      const wait = budget.charge(orgId, observations, knowsDistance)
      return wait === undefined ? screenOf(orgId, observations) : wait.then(() => screenOf(orgId, observations))
    },
    radiusOf: (orgId, imageId) => (mode === 'suspend' ? budget.standingOf(orgId, imageId)?.radiusBits : undefined),
    async close() {
      await last
      await budget.close()
    },
  }
}

/** Neither how many details agree nor which part of what was asked they cover. @param radiusBits so many more have to agree than usual */
function coarseByDetails(match: Match, { surplus }: MatchedDetails, radiusBits: number | undefined): Match | undefined {
  if (radiusBits !== undefined && (radiusBits === 0 || surplus <= radiusBits)) return undefined
  const distanceBits = MOST_DETAIL_BITS
  const details = { inliers: LEAST_INLIERS, surplus: 0, region: { left: 0, top: 0, right: 1, bottom: 1 } }
  return { ...match, distanceBits, distanceBand: distanceBandOf(distanceBits), details }
}

/** In place of the distance of a match that is told coarsely: the widest that it may have, so that all bands within it are told as one. */
function coarseBits({ signalType, distanceBits }: Match): number {
  if (signalType === 'pdq-area') return 60
  return distanceBits <= 31 ? 31 : 90
}

/** All keys of the organisation that may ask: another one would go on where this one stopped. */
async function suspend({ apiKeys, known, events, now }: ProbingGuardParts, orgId: string): Promise<void> {
  const nowMs = now()
  const keyIds = [...known()]
    .filter((key) => key.orgId === orgId && key.scopes.has('match') && key.suspendedAtMs === undefined)
    .map(({ keyId }) => keyId)
  for (const keyId of keyIds) {
    const entry = { act: 'key.suspended', by: 'tabir', about: { keyId, orgId }, atMs: nowMs } as const
    const suspendOnce = (key: ApiKey) =>
      key.suspendedAtMs === undefined ? { key: { ...key, suspendedAtMs: nowMs } } : undefined
    // Another process may have seen the same, and then it is the one that tells.
    if ((await apiKeys.change(keyId, suspendOnce, entry)) === undefined) continue
    await events.add('key.suspended', { keyId, orgId }, nowMs, 1)
  }
}
