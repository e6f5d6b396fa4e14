// How much stands behind a signal, from counts of those who spoke for it and against it.

import type { Tier } from '../matching/signal.js'

/** What was said about a signal, as numbers of distinct organisations. */
export interface Support {
  /** An operator looked at it himself. */
  readonly verifications: number
  /** NGOs that vouch for it; one, when an NGO handed it in. */
  readonly attestations: number
  /** Platforms that blocked a copy. Whoever handed the signal in does not confirm it. */
  readonly confirmations: number
  /** Platforms that looked at a copy and let it stand. */
  readonly notBlocked: number
}

/**
 * The rules, strongest first: the first row whose needs are all met gives the tier. `lead` is confirmations less notBlocked: so a tier
 * rises with platforms that block and falls with those that let stand. Two platforms, because one key may be stolen or one team
 * mistaken; two NGOs and two platforms are as good as an operator's own look.
 */
export const TIER_RULES = [
  { tier: 'verified', verifications: 1, attestations: 0, confirmations: 0, lead: Number.NEGATIVE_INFINITY },
  { tier: 'verified', verifications: 0, attestations: 2, confirmations: 2, lead: 2 },
  { tier: 'platform-confirmed', verifications: 0, attestations: 0, confirmations: 2, lead: 1 },
  { tier: 'ngo-attested', verifications: 0, attestations: 1, confirmations: 0, lead: -2 },
  { tier: 'self-reported', verifications: 0, attestations: 0, confirmations: 0, lead: Number.NEGATIVE_INFINITY },
] as const satisfies readonly ({ readonly tier: Tier; readonly lead: number } & Omit<Support, 'notBlocked'>)[]

/** What the tier that a signal was registered with counts as. */
const REGISTERED_AS: Readonly<Record<Tier, Support>> = {
  'self-reported': { verifications: 0, attestations: 0, confirmations: 0, notBlocked: 0 },
  'ngo-attested': { verifications: 0, attestations: 1, confirmations: 0, notBlocked: 0 },
  'platform-confirmed': { verifications: 0, attestations: 0, confirmations: 2, notBlocked: 0 },
  verified: { verifications: 1, attestations: 0, confirmations: 0, notBlocked: 0 },
}

/** @param registered the tier that the signal was registered with. */
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
 * Support in one byte, as far as the rules tell it apart; 0 when nobody spoke. From high to low: 1 bit of verifications, 2 of attestations,
 * 2 of confirmations, 3 of the lead as a signed number.
 */
export function encodeSupport({ verifications, attestations, confirmations, notBlocked }: Support): number {
  const lead = Math.min(MAX_LEAD, Math.max(MIN_LEAD, confirmations - notBlocked))
  return (
    (Math.min(1, verifications) << 7) | (Math.min(2, attestations) << 5) | (Math.min(2, confirmations) << 3) | (lead & 7)
  )
}

/** The tier of a signal whose support is known as `encodeSupport` wrote it. The same as `tierOf` says of the support itself. */
export function tierWith(registered: Tier, support: number): Tier {
  return TIERS_WITH[registered][support] ?? registered
}

/** Beyond these, and with the two confirmations that a registered tier may count as, no rule asks. */
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
