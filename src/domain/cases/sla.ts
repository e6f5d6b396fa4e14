// What each law demands of a notice, and how long a platform has to respond. Data only: one row per law.

import type { Verdict } from '../trust/verdict.js'

const HOUR_MS = 3_600_000

/** Declarations that a notice can contain. No names: contact goes through the NGO that the notice names. */
export const STATEMENTS = ['goodFaith', 'withoutConsent', 'accurate', 'authorised'] as const
export type Statement = (typeof STATEMENTS)[number]

/** Steps a platform has to take. The time for each starts with the first match that is reported to it, and ends with its decision. */
export const STAGES = ['acknowledge', 'assess', 'remove'] as const
export type Stage = (typeof STAGES)[number]

/** The verdicts by which a platform meets the deadline of each stage. A copy that a program stopped was not published, but nobody assessed it. */
export const STOPPED_BY: Readonly<Record<Stage, readonly Verdict[]>> = {
  acknowledge: ['pending-review', 'auto-blocked', 'blocked', 'not-blocked', 'disputed'],
  assess: ['blocked', 'not-blocked', 'disputed'],
  remove: ['auto-blocked', 'blocked', 'not-blocked', 'disputed'],
}

export interface SlaProfile {
  readonly title: string
  readonly statements: readonly Statement[]
  /** Whether the law requires a contact. Then the notice names an NGO. */
  readonly needsContact: boolean
  readonly stages: readonly { readonly stage: Stage; readonly allowedMs: number }[]
  /** Whether the law states the time. If not, it is our own guideline. */
  readonly fixedByLaw: boolean
  /** Where to read the rules in this row. Last checked on `SOURCES_READ_ON`. */
  readonly sources: readonly LawSource[]
}

export interface LawSource {
  readonly title: string
  readonly url: string
}

/** Laws change. An operator has to check the rows that it relies on. */
export const SOURCES_READ_ON = '2026-11-26'

export const SLA_PROFILES = {
  'us-tida': {
    title: 'TAKE IT DOWN Act, United States',
    statements: ['goodFaith', 'withoutConsent', 'authorised'],
    needsContact: true,
    // As soon as possible, and not later than 48 hours after a valid request. (a)(1)(B): signature, identification, a good-faith belief
    // that it is not consensual, and contact details of the requester.
    stages: [{ stage: 'remove', allowedMs: 48 * HOUR_MS }],
    fixedByLaw: true,
    sources: [
      { title: '47 U.S.C. § 223a (Public Law 119-12)', url: 'https://www.customsmobile.com/uscode/47/223a' },
      {
        title: 'On its 48 hours, which the FTC enforces since 19 May 2026',
        url: 'https://www.xbiz.com/news/297811/fsc-take-it-down-act-provisions-take-effect-may-19',
      },
    ],
  },
  'my-onsa': {
    title: 'Online Safety Act, Malaysia',
    statements: ['goodFaith', 'accurate'],
    needsContact: false,
    // Section 21 leaves the times to regulations, which say: receipt within one hour, status and assessment within twelve. When content
    // has to be removed depends on the assessment, so there is no deadline for that here.
    stages: [
      { stage: 'acknowledge', allowedMs: HOUR_MS },
      { stage: 'assess', allowedMs: 12 * HOUR_MS },
    ],
    fixedByLaw: true,
    sources: [
      { title: 'Online Safety Act 2025 (Act 866), section 21', url: 'https://mylaw.my/legislation/act-2025-866/section-21' },
      {
        title: 'Online Safety (Period) Regulations 2025, in force since 1 January 2026',
        url: 'https://digitalpolicyalert.org/event/36974-online-safety-period-regulations-2025-including-content-moderation-regulation-was-adopted-by-ministry-of-communications',
      },
    ],
  },
  'uk-osa': {
    title: 'Online Safety Act, United Kingdom',
    // 20A(2): a report declares that the content is an intimate image, who reports it, and that the report is true and made in good faith.
    // It gives contact details of the reporter. 10(3A): taken down no later than 48 hours after receipt.
    statements: ['goodFaith', 'withoutConsent', 'accurate', 'authorised'],
    needsContact: true,
    stages: [{ stage: 'remove', allowedMs: 48 * HOUR_MS }],
    fixedByLaw: true,
    sources: [
      {
        title: 'Online Safety Act 2023, sections 10(3A) and 20A, as the Crime and Policing Act 2026 (c. 20) inserts them',
        url: 'https://www.parallelparliament.co.uk/lord/baroness-levitt/debate/2026-04-16/lords/lords-chamber/crime-and-policing-bill',
      },
      {
        title: 'Government memorandum on these sections, March 2026',
        url: 'https://www.gov.uk/government/publications/crime-and-policing-bill-2025-echr-supplementary-memoranda/crime-and-policing-bill-echr-supplementary-memorandum-20-march-2026',
      },
    ],
  },
  'eu-dsa': {
    title: 'Digital Services Act, article 16, European Union',
    statements: ['goodFaith', 'accurate'],
    needsContact: false,
    stages: [
      { stage: 'acknowledge', allowedMs: 24 * HOUR_MS },
      { stage: 'assess', allowedMs: 168 * HOUR_MS },
    ],
    fixedByLaw: false,
    // 16(2)(d): bona fide belief that it is accurate and complete. 16(4): confirm receipt without undue delay, if contact details were given.
    // 16(6): decide in a timely manner. The hours are our own guideline.
    sources: [
      {
        title: 'Regulation (EU) 2022/2065, article 16',
        url: 'https://www.eu-digital-services-act.com/Digital_Services_Act_Article_16.html',
      },
    ],
  },
} as const satisfies Record<string, SlaProfile>

export type Law = keyof typeof SLA_PROFILES
export const LAWS = ['us-tida', 'my-onsa', 'uk-osa', 'eu-dsa'] as const satisfies readonly Law[]

export interface Notice {
  readonly laws: readonly Law[]
  readonly statements: readonly Statement[]
  readonly actingAs: 'self' | 'representative'
  /** Organisation through which the person can be contacted. */
  readonly contactOrgId: string | undefined
  readonly givenAtMs: number
}

/** @returns what the notice lacks for any of its laws; empty if it is complete. */
export function missingIn(notice: Omit<Notice, 'givenAtMs'>): (Statement | 'contact')[] {
  const missing = new Set<Statement | 'contact'>()
  for (const law of notice.laws) {
    const { statements, needsContact }: SlaProfile = SLA_PROFILES[law]
    for (const statement of statements) if (!notice.statements.includes(statement)) missing.add(statement)
    if (needsContact && notice.contactOrgId === undefined) missing.add('contact')
  }
  return [...missing]
}

export interface Deadline {
  readonly law: Law
  readonly stage: Stage
  readonly dueAtMs: number
}

/** @returns the deadlines that start when a platform learns of a picture with such a notice. */
export function deadlinesFrom(laws: readonly Law[], startedAtMs: number): Deadline[] {
  return laws.flatMap((law) =>
    SLA_PROFILES[law].stages.map(({ stage, allowedMs }) => ({ law, stage, dueAtMs: startedAtMs + allowedMs })),
  )
}

/** @returns the deadlines that a verdict meets. */
export function stoppedBy(verdict: Verdict): { readonly law: Law; readonly stage: Stage }[] {
  return LAWS.flatMap((law) =>
    SLA_PROFILES[law].stages.filter(({ stage }) => STOPPED_BY[stage].includes(verdict)).map(({ stage }) => ({ law, stage })),
  )
}
