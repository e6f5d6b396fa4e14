// What must not be handed in again after it was judged false, by a keyed digest and for a time: by the organisation that did, or, of what is
// harmless, by any case.

import { createHmac } from 'node:crypto'
import type { RegisteredImage, Signal } from '../../domain/matching/signal.js'
import { REFUSED_FOR_MS } from '../../domain/trust/strikes.js'
import type { RefusalChange, Refusals } from '../../store/organisations/resubmission-blocks.js'

export interface InvalidatedSignals {
  /** Which of these an organisation may not hand in, whole pictures alone. Cost: one question to the store, however many they are. */
  refusedOf(orgId: string | undefined, signals: readonly Signal[]): Promise<ReadonlySet<Signal>>
  /** By which these are known, whole pictures alone. */
  digestsOf(signals: readonly Signal[]): Buffer[]
  /** May it not hand in this picture? */
  refuses(orgId: string | undefined, signals: readonly Signal[]): Promise<boolean>
  /** The block that keeps each of these pictures from being registered in a case, in their order. One question to the store. */
  blocksOf(pictures: readonly (readonly Signal[])[]): Promise<(Buffer | undefined)[]>
}

/** Writes down with a decision that it stands for what is handed in later, or no longer does. */
export type RefusalOf = (
  image: RegisteredImage,
  orgId: string | undefined,
  outcome: 'invalidated' | 'harmless' | 'reinstated',
  atMs: number,
) => RefusalChange | undefined

type Keyed = (signal: Pick<Signal, 'type' | 'hash'>) => Buffer

export function invalidatedSignals(refusals: Refusals, secret: Buffer, now: () => number): InvalidatedSignals {
  const keyed = keyedWith(secret)
  const refusedOf = async (orgId: string | undefined, signals: readonly Signal[]): Promise<ReadonlySet<Signal>> => {
    const whole = orgId === undefined ? [] : signals.filter(({ view }) => view === 'whole')
    if (orgId === undefined || whole.length === 0) return new Set()
    const refused = await refusals.among({ orgId }, whole.map(keyed), now())
    return new Set(whole.filter((_, i) => refused[i]))
  }
  const blocksOf = async (pictures: readonly (readonly Signal[])[]) => {
    const digests = pictures.map((signals) => itselfIn(signals).map(keyed))
    const stands = (await refusals.among('cases', digests.flat(), now())).values()
    return digests.map((own) => own.filter(() => stands.next().value === true)[0])
  }
  return {
    refusedOf,
    digestsOf: (signals) => signals.filter(({ view }) => view === 'whole').map(keyed),
    refuses: async (orgId, signals) => (await refusedOf(orgId, itselfIn(signals))).size > 0,
    blocksOf,
  }
}

/**
 * Of a picture of a case only that it is harmless is kept, so that withdrawing it does not undo the decision and let the same false report
 * begin again; every other decision ends with the case. Of the deployment's own banks nothing: operators alone write to them.
 */
export function createResubmissionDigests(secret: Buffer): RefusalOf {
  const keyed = keyedWith(secret)
  return ({ caseId, signals }, orgId, outcome, atMs) => {
    const holder = caseId !== undefined ? 'cases' : orgId === undefined ? undefined : { orgId }
    if (holder === undefined || (holder === 'cases' && outcome === 'invalidated')) return undefined
    const untilMs = outcome === 'reinstated' ? undefined : atMs + REFUSED_FOR_MS
    return { holder, digests: itselfIn(signals).map(keyed), atMs, untilMs }
  }
}

/** What makes a picture itself: PDQ of the whole, where there is one. */
function itselfIn(signals: readonly Signal[]): readonly Signal[] {
  const whole = signals.filter(({ view }) => view === 'whole')
  const pdq = whole.filter(({ type }) => type === 'pdq')
  return pdq.length > 0 ? pdq : whole
}

function keyedWith(secret: Buffer): Keyed {
  return ({ type, hash }) =>
    createHmac('sha256', secret).update(`invalidated\0${type}\0`).update(hash).digest().subarray(0, 16)
}
