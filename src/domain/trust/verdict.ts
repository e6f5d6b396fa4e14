// What a platform says about a copy, and how it may change that.

/** What a platform decided about a copy. `auto-blocked`: a program stopped it, and nobody looked. It counts for statistics, never for a tier. */
export const VERDICTS = ['blocked', 'not-blocked', 'pending-review', 'disputed', 'auto-blocked'] as const
export type Verdict = (typeof VERDICTS)[number]

/** Allowed changes of a verdict. A platform may change its mind, but cannot go back to not having reviewed the copy. */
export const VERDICT_STEPS: Readonly<Record<Verdict | 'none', readonly Verdict[]>> = {
  none: VERDICTS,
  'auto-blocked': ['pending-review', 'blocked', 'not-blocked', 'disputed'],
  'pending-review': ['blocked', 'not-blocked', 'disputed'],
  blocked: ['not-blocked', 'disputed'],
  'not-blocked': ['blocked', 'disputed'],
  disputed: ['blocked', 'not-blocked'],
}
