// What somebody asks of a bank: take this signal, or let that one go.

import type { Category, Signal, Tier } from '../matching/signal.js'

/** What makes a signal of a bank, or a picture, itself. */
export interface SignalIdentity {
  readonly signal: Pick<Signal, 'type' | 'hash'>
  /** All signals of the picture. `signal` is the one of the whole picture. Absent when there is only that one. */
  readonly picture?: readonly Signal[] | undefined
  readonly ref: string | undefined
}

export interface NewSignal extends SignalIdentity {
  readonly signal: Signal
  readonly category: Category | undefined
  /** How much stands behind it; `ngo-attested` when left out. Never more than who hands it in may say. */
  readonly tier?: Extract<Tier, 'self-reported' | 'ngo-attested'>
}

/** `signalId`: what an export of this bank called it. Where the bank has it, that says what is meant, and not what it is made of. */
export type BankChange =
  | { readonly kind: 'put'; readonly signal: NewSignal; readonly signalId?: string | undefined }
  /** A tombstone that says what made the signal itself. */
  | { readonly kind: 'remove'; readonly signal: SignalIdentity; readonly signalId?: string | undefined }
  /** A tombstone by the id that this deployment gave. */
  | { readonly kind: 'remove-id'; readonly signalId: string }
