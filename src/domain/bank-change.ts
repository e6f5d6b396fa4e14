// What somebody asks of a bank: take this signal, or let that one go.

import type { Category, Signal, Tier } from './signal.js'

export interface NewSignal {
  readonly signal: Signal
  readonly ref: string | undefined
  readonly category: Category | undefined
  /** How much stands behind it; `ngo-attested` when left out. Never more than who hands it in may say. */
  readonly tier?: Extract<Tier, 'self-reported' | 'ngo-attested'>
}

export type BankChange =
  | { readonly kind: 'put'; readonly signal: NewSignal }
  /** A tombstone that says what made the signal itself. */
  | { readonly kind: 'remove'; readonly signal: Pick<Signal, 'type' | 'hash'>; readonly ref: string | undefined }
  /** A tombstone by the id that this deployment gave. */
  | { readonly kind: 'remove-id'; readonly signalId: string }
