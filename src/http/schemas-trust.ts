// Tier, disputes and provenance of a signal, in answers to platforms and to operators.

import { z } from 'zod'
import { TIER_NAMES } from '../../packages/core/src/matching/signal.js'
import { DISPUTE_REASONS, DISPUTE_STATES } from '../domain/trust/trust.js'
import { DurationS, durationView } from '../services/records/duration.js'
import type { SignalTrust } from '../services/trust/signal-trust.js'
import { CategoryName } from './schemas.js'

const count = (description: string) => z.int().meta({ description })

export const SignalTrustView = z.object({
  tier: z.enum(TIER_NAMES),
  category: CategoryName.nullable(),
  durationS: DurationS,
  disputed: z.boolean().meta({ description: 'Is a dispute open?' }),
  dispute: z.object({
    state: z.enum(DISPUTE_STATES),
    reasons: z
      .array(z.enum(DISPUTE_REASONS))
      .meta({ description: 'Reasons of the open dispute, or of the last decided one.' }),
  }),
  provenance: z.object({
    source: z.enum(['case', 'bank']).meta({ description: 'case: registered in a case. bank: submitted to a bank.' }),
    registeredOn: z.iso.date().meta({ description: 'UTC.' }),
    attestations: count('Number of NGOs that attest the signal.'),
    verifications: count('1 after an operator has verified the signal, otherwise 0.'),
    confirmations: count('Number of platforms that blocked a copy.'),
    notBlocked: count('Number of platforms that reviewed a copy and left it up.'),
  }),
})

export function presentTrust(trust: SignalTrust): z.infer<typeof SignalTrustView> {
  const { tier, category, durationS, disputed, dispute, reasons, source, registeredAtMs } = trust
  const { attestations, verifications, confirmations, notBlocked } = trust
  return {
    tier,
    category: category ?? null,
    ...durationView(durationS),
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
