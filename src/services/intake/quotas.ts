// Limits what an account may submit: nothing while it has too many strikes, and a maximum of signals per day.

import { Problem } from '../../domain/problem.js'
import { type Account, ruleOf } from '../../domain/trust/strikes.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { Reporting, RoomOfDay } from '../../store/images/images.js'
import type { Strikes } from '../../store/trust/strikes.js'

export interface QuotaLimits {
  readonly maxImagesPerCase: number
  /** For a case that no NGO vouches for: the maximum on its first day, and its growth per day. If omitted, `maxImagesPerCase` applies at once. */
  readonly maxImagesPerNewCase?: number | undefined
  /** Of all cases together that nobody vouches for. If omitted, there is no limit. */
  readonly maxUnattestedHashesPerDay?: number | undefined
  /** 0 for no limit. */
  readonly maxSignalsPerOrgPerDay: number
}

type CaseFacts = Pick<CaseRecord, 'createdAtMs' | 'assistance' | 'isVouchedFor'>

export interface Quotas {
  /** @throws {Problem} account-suspended */
  mayReport(account: Account): Promise<void>
  /** The rule of `mayReport`, for a write that checks it in the same step. */
  reporting(account: Account): Reporting
  /** How many images a case may have now. */
  imagesOf(record: CaseFacts): number
  /** [s] Until a case may have more images; `undefined` if it has its final number. */
  moreImagesInS(record: CaseFacts): number | undefined
  /** Today's room for hashes of a case; `undefined` if it is not limited. */
  roomOfDay(record: CaseFacts): RoomOfDay | undefined
  /** [s] Until the next day. */
  dayEndsInS(): number
  /** Whether there is a daily limit for organisations. */
  readonly isCounted: boolean
  /** Counts signals that an organisation submits. Counts none if they exceed the daily limit. @throws {Problem} quota-exceeded */
  handIn(orgId: string, signals: number): Promise<void>
}

export interface QuotaParts {
  readonly strikes: Strikes
  readonly limits: QuotaLimits
  readonly now: () => number
}

const DAY_MS = 86_400_000

/** The share of a day's room that cases of any size use. The rest is for small ones, so a flood of hashes leaves room for persons. */
const SHARED = 0.2

/** [hashes] About fifty pictures with all their parts. To fill the rest of a day's room an attacker needs a case, and its work, for each. */
const OWN_SHARE = 2000

export function quotasOf({ strikes, limits, now }: QuotaParts): Quotas {
  const reporting = (account: Account): Reporting => {
    const { windowMs, strikes: maxStrikes } = ruleOf(account)
    return { account, sinceMs: now() - windowMs, strikes: maxStrikes }
  }
  const dayEndsInS = () => Math.ceil((DAY_MS - (now() % DAY_MS)) / 1000)
  const imagesAt = ({ createdAtMs, assistance, isVouchedFor }: CaseFacts, atMs: number) => {
    const { maxImagesPerCase, maxImagesPerNewCase = maxImagesPerCase } = limits
    if (assistance !== undefined || isVouchedFor) return maxImagesPerCase
    const days = 1 + Math.max(0, Math.floor((atMs - createdAtMs) / DAY_MS))
    return Math.min(maxImagesPerCase, maxImagesPerNewCase * days)
  }
  return {
    async mayReport(account) {
      const rule = reporting(account)
      if ((await strikes.countSince(account, rule.sinceMs)) >= rule.strikes) throw new Problem('account-suspended')
    },
    reporting,
    imagesOf: (record) => imagesAt(record, now()),
    moreImagesInS(record) {
      const atMs = now()
      if (imagesAt(record, atMs) === imagesAt(record, atMs + DAY_MS)) return undefined
      const ofDayMs = Math.max(0, atMs - record.createdAtMs) % DAY_MS
      return Math.ceil((DAY_MS - ofDayMs) / 1000)
    },
    roomOfDay({ assistance, isVouchedFor }) {
      const most = limits.maxUnattestedHashesPerDay
      if (most === undefined || assistance !== undefined || isVouchedFor) return undefined
      return { day: dayOf(now()), most, shared: SHARED * most, ownShare: OWN_SHARE }
    },
    dayEndsInS,
    isCounted: limits.maxSignalsPerOrgPerDay > 0,
    async handIn(orgId, signals) {
      const maxSignals = limits.maxSignalsPerOrgPerDay
      if (maxSignals === 0) return
      const day = dayOf(now())
      if ((await strikes.handIn(orgId, day, signals)) <= maxSignals) return
      await strikes.handIn(orgId, day, -signals)
      throw new Problem('quota-exceeded', { retryAfterS: dayEndsInS() })
    },
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
