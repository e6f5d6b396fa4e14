// What comes of one file that was chosen.

import type { GivenSignal } from '../../src/hash/hash-image.js'

/** Why a picture cannot be protected; each has its own sentence, `run.why.…`. */
export const REASONS = [
  'not-a-picture',
  'too-many-pixels',
  'too-plain',
  'damaged',
  'no-memory',
  'too-slow',
  'unreadable',
  'no-program',
  'twice',
  'file-too-large',
  'server-cannot',
  'refused',
] as const
export type Reason = (typeof REASONS)[number]

/** A hash as the API takes it; sha256 is that of the file. */
export type FileSignal = Omit<GivenSignal, 'type'> & { readonly type: GivenSignal['type'] | 'sha256' }

export interface Hashed {
  readonly kind: 'hashed'
  /** 50…100. */
  readonly quality: number
  readonly signals: readonly FileSignal[]
  /** SHA-256 of the file, in hex: the same for the same file. */
  readonly fileHash: string
}

/** `upload`: it may be a picture, and this browser cannot open it; `browser` when it can open none at all. */
export type Outcome =
  | Hashed
  | { readonly kind: 'upload'; readonly because: 'format' | 'browser' }
  | { readonly kind: 'refused'; readonly why: Reason }
