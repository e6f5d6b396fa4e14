// Changes to a bank: add or update a signal, or remove one.

import type { Category, RegisteredVideo, Signal, Tier } from '../../../packages/core/src/matching/signal.js'

/** What identifies a signal of a bank, or a picture of several signals. */
export interface SignalIdentity {
  readonly signal: Pick<Signal, 'type' | 'hash'>
  /** All signals of the picture; `signal` is that of the whole picture. Absent if that is the only one. */
  readonly picture?: readonly Signal[] | undefined
  readonly ref: string | undefined
}

export interface NewSignal extends SignalIdentity {
  readonly signal: Signal
  readonly category: Category | undefined
  /** Of a video: then the signals of `picture` say which of its frames they belong to. */
  readonly video?: RegisteredVideo | undefined
  /** `ngo-attested` if absent. Never above what the submitting organisation may claim. */
  readonly tier?: Extract<Tier, 'self-reported' | 'ngo-attested'>
}

/** `signalId`: the id that an export of this bank gave. If the bank has it, it takes precedence over the signal's content. */
export type BankChange =
  | { readonly kind: 'put'; readonly signal: NewSignal; readonly signalId?: string | undefined }
  /** A tombstone with the content of the signal. */
  | { readonly kind: 'remove'; readonly signal: SignalIdentity; readonly signalId?: string | undefined }
  /** A tombstone with the id that this deployment gave. */
  | { readonly kind: 'remove-id'; readonly signalId: string }
