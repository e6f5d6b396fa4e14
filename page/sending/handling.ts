// Decides what a refusal affects: one image, the whole case, or only this try.

import { CASE_IMAGE_PROBLEMS, type CaseImageProblem } from '../../src/domain/problem.js'
import type { Reason } from '../hashing/outcome.js'

/**
 * A reason concerns one image. closed: the case has ended, or the token has expired. full, suspended: the case takes nothing more now.
 * again: worth another try. with-another-key: the service has something else under this key, and says nothing about this image.
 * without-details: the service no longer offers extended protection.
 */
export type Handling = Reason | 'closed' | 'full' | 'suspended' | 'again' | 'with-another-key' | 'without-details'

const HANDLING: Readonly<Record<CaseImageProblem, Handling>> = {
  'quality-too-low': 'too-plain',
  'image-too-simple': 'too-simple',
  'hash-improbable': 'too-simple',
  'known-harmless': 'harmless',
  'image-too-large': 'file-too-large',
  'body-too-large': 'file-too-large',
  'image-too-many-pixels': 'too-many-pixels',
  'image-undecodable': 'server-cannot',
  'media-unsupported': 'server-cannot',
  'video-file-too-large': 'video-undecodable',
  'video-undecodable': 'video-undecodable',
  'video-too-long': 'video-too-long',
  'video-too-large': 'video-too-large',
  'video-unavailable': 'video-undecodable',
  'image-empty': 'unreadable',
  'video-missing': 'unreadable',
  'length-missing': 'refused',
  'image-missing': 'unreadable',
  'request-invalid': 'refused',
  'minor-declared': 'refused',
  'too-many-images': 'refused',
  'idempotency-key-reused': 'with-another-key',
  'extended-protection-off': 'without-details',
  'token-missing': 'closed',
  'case-unknown': 'closed',
  'case-withdrawn': 'closed',
  'case-expired': 'closed',
  'case-full': 'full',
  'account-suspended': 'suspended',
  'upload-incomplete': 'again',
  'body-unreadable': 'again',
  'idempotency-key-busy': 'again',
  'rate-limited': 'again',
  overloaded: 'again',
  'index-loading': 'again',
  'store-unavailable': 'again',
  'hashing-unavailable': 'again',
}

/** @returns `undefined` for a code that adding images to a case never has. */
export function handlingOf(code: string | undefined): Handling | undefined {
  const known = CASE_IMAGE_PROBLEMS.find((each) => each === code)
  return known === undefined ? undefined : HANDLING[known]
}
