// How much an account may hand in: nothing while it has too many strikes, and so many signals a day.

import { Problem } from '../../domain/problem.js'
import { type Account, ruleOf } from '../../domain/trust/strikes.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { Reporting } from '../../store/images/images.js'
import type { Strikes } from '../../store/trust/strikes.js'

export interface QuotaLimits {
  readonly maxImagesPerCase: number
  /** Of one that nobody vouches for, on its first day, and as many more each day; as of any other case when left out. */
  readonly maxImagesPerNewCase?: number | undefined
  /** 0 for no limit. */
  readonly maxSignalsPerOrgPerDay: number
}

export interface Quotas {
  /** @throws {Problem} account-suspended */
  mayReport(account: Account): Promise<void>
  /** The same rule, for a write that looks itself. */
  reporting(account: Account): Reporting
  /** How many images a case may have by now. */
  imagesOf(record: Pick<CaseRecord, 'createdAtMs' | 'assistance' | 'isVouchedFor'>): number
  /** Is it counted what an organisation hands in? */
  readonly isCounted: boolean
  /** Counts what an organisation hands in, and what is refused not. @throws {Problem} quota-exceeded */
  handIn(orgId: string, signals: number): Promise<void>
}

export interface QuotaParts {
  readonly strikes: Strikes
  readonly limits: QuotaLimits
  readonly now: () => number
}

const DAY_MS = 86_400_000

export function quotasOf({ strikes, limits, now }: QuotaParts): Quotas {
  const reporting = (account: Account): Reporting => {
    const { windowMs, strikes: most } = ruleOf(account)
    return { account, sinceMs: now() - windowMs, strikes: most }
  }
  return {
    async mayReport(account) {
      const rule = reporting(account)
      if ((await strikes.countSince(account, rule.sinceMs)) >= rule.strikes) throw new Problem('account-suspended')
    },
    reporting,
    imagesOf({ createdAtMs, assistance, isVouchedFor }) {
      const { maxImagesPerCase, maxImagesPerNewCase = maxImagesPerCase } = limits
      if (assistance !== undefined || isVouchedFor) return maxImagesPerCase
      const days = 1 + Math.max(0, Math.floor((now() - createdAtMs) / DAY_MS))
      return Math.min(maxImagesPerCase, maxImagesPerNewCase * days)
    },
    isCounted: limits.maxSignalsPerOrgPerDay > 0,
    async handIn(orgId, signals) {
      const most = limits.maxSignalsPerOrgPerDay
      if (most === 0) return
      const atMs = now()
      const day = new Date(atMs).toISOString().slice(0, 10)
      if ((await strikes.handIn(orgId, day, signals)) <= most) return
      await strikes.handIn(orgId, day, -signals)
      throw new Problem('quota-exceeded', { retryAfterS: Math.ceil((DAY_MS - (atMs % DAY_MS)) / 1000) })
    },
  }
}
