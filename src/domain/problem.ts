// Every refusal, by its stable code. What each answers over HTTP stands in http/problems.ts.

import type { NotReadyReason } from './not-ready.js'
import type { Scope } from './organisations/access.js'

/** Why an image may not be added to a case. The page has an answer for each. */
export const CASE_IMAGE_PROBLEMS = [
  'request-invalid',
  'body-unreadable',
  'upload-incomplete',
  'media-unsupported',
  'body-too-large',
  'too-many-images',
  'image-missing',
  'image-empty',
  'image-too-large',
  'image-too-many-pixels',
  'image-undecodable',
  'quality-too-low',
  'image-too-simple',
  'known-harmless',
  'extended-protection-off',
  'minor-declared',
  'token-missing',
  'case-unknown',
  'case-withdrawn',
  'case-expired',
  'case-full',
  'account-suspended',
  'idempotency-key-reused',
  'idempotency-key-busy',
  'rate-limited',
  'overloaded',
  'index-loading',
  'store-unavailable',
  'hashing-unavailable',
] as const

export type CaseImageProblem = (typeof CASE_IMAGE_PROBLEMS)[number]

export const PROBLEM_CODES = [
  ...CASE_IMAGE_PROBLEMS,
  'key-missing',
  'key-invalid',
  'scope-missing',
  'key-suspended',
  'case-not-ended',
  'not-assisted',
  'handover-needed',
  'handed-over',
  'bank-unknown',
  'key-unknown',
  'bank-exists',
  'banks-full',
  'organisation-unknown',
  'signal-unknown',
  'import-unknown',
  'exchange-unknown',
  'match-unknown',
  'feedback-conflict',
  'dispute-settled',
  'dispute-not-open',
  'appeal-unneeded',
  'appeal-unknown',
  'block-unknown',
  'quarantine-conflict',
  'signal-invalidated',
  'signal-not-invalidated',
  'organisation-kind-forbidden',
  'watch-unknown',
  'watches-full',
  'webhook-unknown',
  'webhook-url-refused',
  'webhooks-full',
  'delivery-unknown',
  'quota-exceeded',
  'proof-of-work-required',
  'notice-incomplete',
  'cursor-unknown',
  'route-unknown',
  'method-not-allowed',
  'unexpected',
] as const

export type ProblemCode = (typeof PROBLEM_CODES)[number]

/** A refusal that the caller is told about. It carries a code and words of ours alone: nothing a stranger sent can come out again. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly retryAfterS: number | undefined
  /** Why this process does not answer, where that is the reason. */
  readonly reason: NotReadyReason | undefined
  /** What the key would have to have, where that is the reason. */
  readonly scope: Scope | undefined

  constructor(
    code: ProblemCode,
    options: {
      readonly retryAfterS?: number
      readonly reason?: NotReadyReason
      readonly scope?: Scope
      readonly cause?: unknown
    } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.retryAfterS = options.retryAfterS
    this.reason = options.reason
    this.scope = options.scope
  }
}

export function isProblemCode(text: string): text is ProblemCode {
  return PROBLEM_CODES.some((code) => code === text)
}
