// What the laws ask of a notice, and how long a platform has once it knows. Data: a law is a row.

import type { Verdict } from './trust.js'

const HOUR_MS = 3_600_000

/** What whoever gives a notice has to declare. No names: identity and contact go through the NGO that is named. */
export const STATEMENTS = ['goodFaith', 'withoutConsent', 'accurate', 'authorised'] as const
export type Statement = (typeof STATEMENTS)[number]

/** A clock runs from the first match that a platform is told of, until it says what it decided. */
export const STAGES = ['acknowledge', 'assess', 'remove'] as const
export type Stage = (typeof STAGES)[number]

/** Which verdicts stop the clock of a stage. */
export const STOPPED_BY: Readonly<Record<Stage, readonly Verdict[]>> = {
  acknowledge: ['pending-review', 'blocked', 'not-blocked', 'disputed'],
  assess: ['blocked', 'not-blocked', 'disputed'],
  remove: ['blocked', 'not-blocked', 'disputed'],
}

export interface SlaProfile {
  readonly title: string
  readonly statements: readonly Statement[]
  /** Does the law want somebody who can be reached? Then the notice names an NGO. */
  readonly needsContact: boolean
  readonly stages: readonly { readonly stage: Stage; readonly withinMs: number }[]
  /** Is the time the law's own, or a yardstick of ours where the law says no number? */
  readonly fixedByLaw: boolean
}

export const SLA_PROFILES = {
  'us-tida': {
    title: 'TAKE IT DOWN Act, United States',
    statements: ['goodFaith', 'withoutConsent', 'authorised'],
    needsContact: true,
    stages: [{ stage: 'remove', withinMs: 48 * HOUR_MS }],
    fixedByLaw: true,
  },
  'my-onsa': {
    title: 'Online Safety Act, Malaysia',
    statements: ['goodFaith', 'accurate'],
    needsContact: false,
    stages: [
      { stage: 'acknowledge', withinMs: HOUR_MS },
      { stage: 'assess', withinMs: 12 * HOUR_MS },
    ],
    fixedByLaw: true,
  },
  'uk-osa': {
    title: 'Online Safety Act, United Kingdom',
    statements: ['goodFaith', 'withoutConsent'],
    needsContact: false,
    stages: [{ stage: 'remove', withinMs: 48 * HOUR_MS }],
    fixedByLaw: true,
  },
  'eu-dsa': {
    title: 'Digital Services Act, article 16, European Union',
    statements: ['goodFaith', 'accurate'],
    needsContact: false,
    stages: [
      { stage: 'acknowledge', withinMs: 24 * HOUR_MS },
      { stage: 'assess', withinMs: 168 * HOUR_MS },
    ],
    fixedByLaw: false,
  },
} as const satisfies Record<string, SlaProfile>

export type Law = keyof typeof SLA_PROFILES
export const LAWS = ['us-tida', 'my-onsa', 'uk-osa', 'eu-dsa'] as const satisfies readonly Law[]

export interface Notice {
  readonly laws: readonly Law[]
  readonly statements: readonly Statement[]
  readonly actingAs: 'self' | 'representative'
  /** Organisation through which she can be reached. */
  readonly contactOrgId: string | undefined
  readonly givenAtMs: number
}

/** @returns what is missing for one of the laws. Empty for a notice that can be given. */
export function missingIn(notice: Omit<Notice, 'givenAtMs'>): (Statement | 'contact')[] {
  const missing = new Set<Statement | 'contact'>()
  for (const law of notice.laws) {
    const { statements, needsContact }: SlaProfile = SLA_PROFILES[law]
    for (const statement of statements) if (!notice.statements.includes(statement)) missing.add(statement)
    if (needsContact && notice.contactOrgId === undefined) missing.add('contact')
  }
  return [...missing]
}

export interface Clock {
  readonly law: Law
  readonly stage: Stage
  readonly dueAtMs: number
}

/** The clocks that start when a platform learns of a picture with such a notice. */
export function clocksFrom(laws: readonly Law[], startedAtMs: number): Clock[] {
  return laws.flatMap((law) =>
    SLA_PROFILES[law].stages.map(({ stage, withinMs }) => ({ law, stage, dueAtMs: startedAtMs + withinMs })),
  )
}

/** The clocks that a verdict stops. */
export function stoppedBy(verdict: Verdict): { readonly law: Law; readonly stage: Stage }[] {
  return LAWS.flatMap((law) =>
    SLA_PROFILES[law].stages.filter(({ stage }) => STOPPED_BY[stage].includes(verdict)).map(({ stage }) => ({ law, stage })),
  )
}
