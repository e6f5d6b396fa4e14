// Derives the tier of a signal from how many organisations support it and how many oppose it.

import type { Tier } from '../../../packages/core/src/matching/signal.js'

/** What was said about a signal, counted in distinct organisations. */
export interface Support {
  /** 1 if an operator reviewed the picture. */
  readonly verifications: number
  /** NGOs that attest the signal. 1 if an NGO submitted it. */
  readonly attestations: number
  /** Platforms that blocked a copy. The submitter of the signal does not count. */
  readonly confirmations: number
  /** Platforms that reviewed a copy and left it up. */
  readonly notBlocked: number
}

/**
 * Strongest first. The first row whose minimums are all reached gives the tier. `lead` is confirmations minus notBlocked, so the tier rises with
 * platforms that block and falls with those that do not. Two platforms are required, because one key may be stolen or one team mistaken. Two NGOs
 * and two platforms equal a review by an operator.
 */
export const TIER_RULES = [
  { tier: 'verified', verifications: 1, attestations: 0, confirmations: 0, lead: Number.NEGATIVE_INFINITY },
  { tier: 'verified', verifications: 0, attestations: 2, confirmations: 2, lead: 2 },
  { tier: 'platform-confirmed', verifications: 0, attestations: 0, confirmations: 2, lead: 1 },
  { tier: 'ngo-attested', verifications: 0, attestations: 1, confirmations: 0, lead: -2 },
  { tier: 'self-reported', verifications: 0, attestations: 0, confirmations: 0, lead: Number.NEGATIVE_INFINITY },
] as const satisfies readonly ({ readonly tier: Tier; readonly lead: number } & Omit<Support, 'notBlocked'>)[]

/** The support that the registered tier counts as. */
const REGISTERED_AS: Readonly<Record<Tier, Support>> = {
  'self-reported': { verifications: 0, attestations: 0, confirmations: 0, notBlocked: 0 },
  'ngo-attested': { verifications: 0, attestations: 1, confirmations: 0, notBlocked: 0 },
  'platform-confirmed': { verifications: 0, attestations: 0, confirmations: 2, notBlocked: 0 },
  verified: { verifications: 1, attestations: 0, confirmations: 0, notBlocked: 0 },
}

/**
 * @param registered the tier that the signal was registered with.
 * @param said what organisations said since.
 */
export function tierOf(registered: Tier, said: Support): Tier {
  const first = REGISTERED_AS[registered]
  const verifications = first.verifications + said.verifications
  const attestations = first.attestations + said.attestations
  const confirmations = first.confirmations + said.confirmations
  const lead = confirmations - said.notBlocked
  const rule = TIER_RULES.find(
    (needs) =>
      verifications >= needs.verifications &&
      attestations >= needs.attestations &&
      confirmations >= needs.confirmations &&
      lead >= needs.lead,
  )
  return rule?.tier ?? 'self-reported'
}

/**
 * Encodes support in one byte, as precisely as the rules need it; 0 if nobody said anything. From high to low: 1 bit for verifications, 2 for
 * attestations, 2 for confirmations, 3 for the lead (−5…2).
 */
export function encodeSupport({ verifications, attestations, confirmations, notBlocked }: Support): number {
  const lead = Math.min(MAX_LEAD, Math.max(MIN_LEAD, confirmations - notBlocked))
  return (
    (Math.min(1, verifications) << 7) | (Math.min(2, attestations) << 5) | (Math.min(2, confirmations) << 3) | (lead & 7)
  )
}

/**
 * @param support as `encodeSupport` returns it.
 * @returns the same tier as `tierOf`.
 */
export function tierWith(registered: Tier, support: number): Tier {
  return TIERS_WITH[registered][support] ?? registered
}

/** @param support as `encodeSupport` returns it. @returns whether an NGO attested or the operator verified, whatever platforms said. */
export function isVouched(support: number): boolean {
  const { verifications, attestations } = decodeSupport(support)
  return verifications + attestations > 0
}

/** No rule distinguishes a lead outside these limits, even with the two confirmations that a registered tier may count as. */
const MAX_LEAD = 2
const MIN_LEAD = -5

const TIERS_WITH: Readonly<Record<Tier, readonly Tier[]>> = {
  'self-reported': tiersWith('self-reported'),
  'ngo-attested': tiersWith('ngo-attested'),
  'platform-confirmed': tiersWith('platform-confirmed'),
  verified: tiersWith('verified'),
}

function tiersWith(registered: Tier): readonly Tier[] {
  return Array.from({ length: 256 }, (_, support) => tierOf(registered, decodeSupport(support)))
}

function decodeSupport(code: number): Support {
  const lead = (code & 7) > MAX_LEAD ? (code & 7) - 8 : code & 7
  const confirmations = (code >> 3) & 3
  return { verifications: code >> 7, attestations: (code >> 5) & 3, confirmations, notBlocked: confirmations - lead }
}
