// What comes of one file that was chosen.

import type { GivenSignal } from '../../packages/hash/src/hash-image.js'

/** Why a picture cannot be protected; each has its own sentence, `run.why.…`. */
export const REASONS = [
  'not-a-picture',
  'too-many-pixels',
  'too-plain',
  'too-simple',
  'damaged',
  'no-memory',
  'too-slow',
  'unreadable',
  'no-program',
  'twice',
  'file-too-large',
  'server-cannot',
  'harmless',
  'refused',
] as const
export type Reason = (typeof REASONS)[number]

/** A hash as the API takes it; sha256 is that of the file, where the browser computes it. */
export type FileSignal = Omit<GivenSignal, 'type'> & { readonly type: GivenSignal['type'] | 'sha256' }

/** Have two files the same hashes, every one of them? */
export function isSame(a: Hashed, b: Hashed): boolean {
  return a.signals.length === b.signals.length && a.signals.every(({ hash }, k) => hash === b.signals[k]?.hash)
}

export interface Hashed {
  readonly kind: 'hashed'
  /** 50…100. */
  readonly quality: number
  readonly signals: readonly FileSignal[]
  /** Where she chose extended protection: base64, as `detailsOf` gives it. */
  readonly details?: string
}

/** Why this browser cannot open a picture; `browser` when it can open none at all. */
export type Unopened = 'format' | 'browser' | 'altered'

/** `upload`: this browser cannot open it, and the server can. */
export type Outcome =
  | Hashed
  | { readonly kind: 'upload'; readonly because: Unopened }
  | { readonly kind: 'rejected'; readonly why: Reason }

export function refused(why: Reason): Outcome {
  return { kind: 'rejected', why }
}
