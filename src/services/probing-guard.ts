// What is done about an organisation that searches for what is stored: it is slowed down, its keys are suspended, the operator is told.

import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../domain/problem.js'
import type { Hash256 } from '../hash/hash256.js'
import type { ApiKey, ApiKeys } from '../store/api-keys.js'
import type { Events } from '../store/events.js'
import type { ProbingDetector, Suspicion } from './probing.js'

/** suspend: slowed down, then shut out. tell: the operator learns of it, once a day while it goes on, and nothing else happens. off: nobody looks. */
export const PROBING_MODES = ['suspend', 'tell', 'off'] as const
export type ProbingMode = (typeof PROBING_MODES)[number]

/** The hashes of one picture, as it was asked about. */
export interface AskedPicture {
  readonly signals: readonly { readonly type: string; readonly hashes: readonly Hash256[] }[]
  /** What it was answered with first. */
  readonly met: string | undefined
}

export interface ProbingGuard {
  /**
   * Sees what is asked, before the answer leaves.
   * @returns what the answer has to wait for; `undefined` for nothing.
   * @throws {Problem} key-suspended
   */
  see(orgId: string, picture: AskedPicture): Promise<void> | undefined
  /** Waits for what was begun. */
  close(): Promise<void>
}

export interface ProbingGuardParts {
  readonly detector: ProbingDetector
  readonly mode: ProbingMode
  readonly apiKeys: Pick<ApiKeys, 'change'>
  /** Those that every process has in memory. */
  readonly known: () => Iterable<ApiKey>
  readonly events: Pick<Events, 'add'>
  readonly now: () => number
  readonly onTrouble: (error: unknown) => void
  readonly waitMs?: number
}

/** For each question that is near. A search for 256 bits takes longer than a minute then, and is over before. */
const WAIT_MS = 500
/** An organisation that goes on probing is reported again after so long. The store keeps other processes quiet as well. */
const QUIET_MS = 86_400_000
/** Of organisations that are quiet. Beyond it the store alone keeps them so. */
const MAX_QUIET = 1000

export function probingGuard(parts: ProbingGuardParts): ProbingGuard {
  const { detector, mode, events, now, onTrouble, waitMs = WAIT_MS } = parts
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

  return {
    see(orgId, { signals, met }) {
      if (mode === 'off') return undefined
      let worst: Suspicion = 'none'
      for (const { type, hashes } of signals) {
        if (hashes.length === 0 || type === 'sha256') continue // of which nothing is near to anything
        const suspicion = detector.look(orgId, type, hashes, met)
        if (suspicion === 'suspend' || worst === 'none') worst = suspicion
      }
      if (worst === 'none') return undefined
      tell(orgId)
      if (mode === 'tell') return undefined
      if (worst === 'slow') return sleep(waitMs)
      behind(() => suspend(parts, orgId))
      throw new Problem('key-suspended')
    },
    close: () => last,
  }
}

/** All keys of the organisation that may ask: another one would go on where this one stopped. */
async function suspend({ apiKeys, known, events, detector, now }: ProbingGuardParts, orgId: string): Promise<void> {
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
  detector.forget(orgId)
}
