// How much a signal is worth, as the routes of platforms and of operators tell it.

import { z } from 'zod'
import { TIER_NAMES } from '../domain/matching/signal.js'
import { DISPUTE_REASONS, DISPUTE_STATES } from '../domain/trust/trust.js'
import type { SignalWorth } from '../services/trust/signal-trust.js'
import { CategoryName } from './schemas.js'

const count = (description: string) => z.int().meta({ description })

export const Worth = z.object({
  tier: z.enum(TIER_NAMES),
  category: CategoryName.nullable(),
  disputed: z.boolean(),
  dispute: z.object({
    state: z.enum(DISPUTE_STATES),
    reasons: z
      .array(z.enum(DISPUTE_REASONS))
      .meta({ description: 'Reasons of the open dispute, or of the last decided one.' }),
  }),
  provenance: z.object({
    source: z.enum(['case', 'bank']).meta({ description: 'case: registered in a case. bank: submitted to a bank.' }),
    registeredOn: z.iso.date(),
    attestations: count('Number of NGOs that attest it.'),
    verifications: count('1 when an operator looked at it.'),
    confirmations: count('Platforms that blocked a copy.'),
    notBlocked: count('Platforms that reviewed a copy and left it up.'),
  }),
})

export function worthOf(worth: SignalWorth): z.infer<typeof Worth> {
  const { tier, category, disputed, dispute, reasons, source, registeredAtMs } = worth
  const { attestations, verifications, confirmations, notBlocked } = worth
  return {
    tier,
    category: category ?? null,
    disputed,
    dispute: { state: dispute, reasons: [...reasons] },
    provenance: {
      source,
      registeredOn: new Date(registeredAtMs).toISOString().slice(0, 10),
      attestations,
      verifications,
      confirmations,
      notBlocked,
    },
  }
}
