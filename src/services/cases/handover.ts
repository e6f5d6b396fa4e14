// Hands a case that an organisation opened over to the submitter, and ends what the organisation may still read afterwards.

import { Problem } from '../../domain/problem.js'
import type { CaseRecord } from '../../store/cases/case-record.js'
import type { OwnCase, PinAndCode } from './case-access.js'
import { actorOf, type CaseParts, changeIn, refuseEnded } from './case-changes.js'

/** As `Cases.handOver`. */
export function handoverFrom(
  parts: CaseParts,
): (own: OwnCase, options: { readonly keepsReading: boolean }) => Promise<PinAndCode> {
  const { cases, access, now } = parts
  /** Repeats an earlier handover: derives the same PIN and recovery code, because its answer may have been lost. */
  const repeatHandover = async (record: CaseRecord, caseId: string, keepsReading: boolean) => {
    const { handoverSeed, assistance } = record
    if (handoverSeed === undefined) throw new Problem('handed-over')
    refuseEnded({ record }, now())
    if (assistance?.keepsReading !== keepsReading) throw new Problem('request-invalid')
    return pinAndCodeOf(await access.handoverPin(caseId, handoverSeed))
  }

  return async (own, { keepsReading }) => {
    const { caseId, by, record } = own
    if (by !== 'organisation') throw new Problem('not-assisted')
    if (record.assistance?.handedOverAtMs !== undefined) return repeatHandover(record, caseId, keepsReading)
    const handoverSeed = access.newHandoverSeed()
    const derived = await access.handoverPin(caseId, handoverSeed)
    const keeps = keepsReading ? 'yes' : 'no'
    // Wrong guesses made before there was a PIN do not count.
    const guesses = { ...derived.stretched, pinGuesses: 0 }
    const fields = { ...guesses, handoverSeed, handedOverAtMs: now(), keepsReading: keeps } as const
    try {
      // Of two handovers at the same time, the second must not replace the PIN that the first one has shown.
      await changeIn(parts, caseId, 'hand-over', { fields, unless: 'handedOverAtMs', by: actorOf(own) })
      return pinAndCodeOf(derived)
    } catch (error) {
      const after = await cases.get(caseId)
      if (after?.assistance?.handedOverAtMs === undefined) throw error
      return repeatHandover(after, caseId, keepsReading) // a concurrent request handed it over first
    }
  }
}

/** As `Cases.endReading`. */
export function endReadingFrom(parts: CaseParts): (own: OwnCase) => Promise<void> {
  return async ({ caseId, by, record: { assistance } }) => {
    if (by === 'organisation') throw new Problem('handover-needed')
    // A PIN is enough. Somebody who took it can end the right too; the organisation then sees that its key opens the case no longer, and can ask her.
    // If the code were needed, a person who lost it could not stop an organisation from reading.
    if (assistance?.keepsReading === true) await changeIn(parts, caseId, 'end-reading', { fields: { keepsReading: 'no' } })
  }
}

/** Leaves out the hashes of PIN and code, which only the store gets. */
function pinAndCodeOf({ pin, recoveryCode }: PinAndCode): PinAndCode {
  return { pin, recoveryCode }
}
