// The stable code of every refusal. `src/http/problems.ts` maps each to its HTTP response.

import type { NotReadyReason } from './not-ready.js'
import type { Scope } from './organisations/access.js'

/** Why an image or a video cannot be added to a case. The submitters' page has a message for each. */
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
  'length-missing',
  'video-missing',
  'video-file-too-large',
  'video-undecodable',
  'video-too-long',
  'video-too-large',
  'video-unavailable',
  'quality-too-low',
  'image-too-simple',
  'hash-improbable',
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
  'recovery-code-needed',
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
  'consent-needed',
  'notice-incomplete',
  'cursor-unknown',
  'route-unknown',
  'method-not-allowed',
  'unexpected',
] as const

export type ProblemCode = (typeof PROBLEM_CODES)[number]

export interface ProblemError {
  /** JSON pointer into the body, in the schema's own names. */
  readonly pointer: string
  readonly detail: string
}

/** A refusal that is reported to the caller. It carries only a code and fixed values, so it cannot echo what a caller sent. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly retryAfterS: number | undefined
  /** Why this process does not answer; set if that is the cause. */
  readonly reason: NotReadyReason | undefined
  /** The scope that the key lacks; set if that is the cause. */
  readonly scope: Scope | undefined
  /** Where in the body, if the schema of the body does not say it. Fixed words and numbers of our own. */
  readonly errors: readonly ProblemError[]

  constructor(
    code: ProblemCode,
    options: {
      readonly retryAfterS?: number
      readonly reason?: NotReadyReason
      readonly scope?: Scope
      readonly errors?: readonly ProblemError[]
      readonly cause?: unknown
    } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.retryAfterS = options.retryAfterS
    this.reason = options.reason
    this.scope = options.scope
    this.errors = options.errors ?? []
  }
}

export function isProblemCode(text: string): text is ProblemCode {
  return PROBLEM_CODES.some((code) => code === text)
}
