// What needs the recovery code: ending a case, and replacing its PIN and code. With the code it happens at once. Without it, it is a wish that takes effect
// after `WISH_DELAY_MS`, is shown meanwhile, and can be stopped with the code. A number and a PIN are often known to others, such as a former partner, and
// would otherwise be enough to end the protection or to take the case over.

import { acceptsImages, MAX_PIN_GUESSES, stateAt, WISH_DELAY_MS } from '../../domain/cases/case.js'
import type { AuditActor } from '../../domain/organisations/audit.js'
import { Problem } from '../../domain/problem.js'
import type { NamedCase, OwnCase } from './case-access.js'
import { actorOf, type CaseParts, changeIn, refuseEnded, withdrawIn } from './case-changes.js'

/** A new PIN and code. */
export interface NewPair {
  readonly pin: string | undefined
  readonly recoveryCode: string
  /** From when on they may be used; `undefined`: now. */
  readonly effectiveAtMs: number | undefined
}

export interface CaseWishes {
  /**
   * Creates a new PIN and recovery code; the last request counts. The previous ones stay valid until a new one is used, so a lost answer locks nobody
   * out. The PIN is `undefined` after too many wrong PINs: then only the code opens the case. Without the recovery code they may be used only from
   * `effectiveAtMs` on, and until then `stopWishes` discards them.
   * @throws {Problem} case-withdrawn, case-expired; handover-needed for an organisation; recovery-code-needed without the code while a pair waits that
   *   was given for the code: that one must keep working.
   */
  changePin(own: OwnCase): Promise<NewPair>
  /**
   * Withdraws a case. Its images no longer match in this process when it returns, and in no process within one second. Safe to repeat; an
   * expired case stays expired. Without the recovery code this is a wish: the case ends by itself at `endWishAtMs` of its record.
   */
  withdraw(own: OwnCase): Promise<OwnCase>
  /** For a case whose submitter has lost access. The number proves no more than a PIN, so this is a wish, too. */
  wishEndByOperator(named: NamedCase): Promise<NamedCase>
  /** Discards what was wished without the recovery code. Safe to repeat. @throws {Problem} recovery-code-needed, case-withdrawn, case-expired */
  stopWishes(own: OwnCase): Promise<void>
}

export function wishesFrom(parts: CaseParts): CaseWishes {
  const { cases, access, laterMs, now } = parts

  /** The first wish stands: a repeat does not postpone it. A case that has ended stays as it is. */
  const wishEnd = async <C extends NamedCase>(named: C, by: AuditActor): Promise<C> => {
    const { caseId, record } = named
    if (record.endWishAtMs === undefined && acceptsImages(stateAt(record, now()))) {
      const fields = { endWishAtMs: (await laterMs(now())) + WISH_DELAY_MS }
      try {
        await changeIn(parts, caseId, 'wish-end', { fields, unless: 'endWishAtMs', by })
      } catch (error) {
        const meanwhile = await cases.get(caseId)
        if (meanwhile === undefined || (meanwhile.endWishAtMs === undefined && meanwhile.end === undefined)) throw error
      }
    }
    const after = await cases.get(caseId)
    if (after === undefined) throw new Problem('case-unknown')
    return { ...named, record: after }
  }

  return {
    async changePin({ caseId, by, byCode, record }) {
      // With a PIN the organisation could get a token that stays valid after the handover.
      if (by === 'organisation') throw new Problem('handover-needed')
      if (!byCode && record.nextPin?.isByCode === true) throw new Problem('recovery-code-needed')
      const { pin, recoveryCode, stretched } = await access.newPin(caseId)
      const isBlocked = record.pinGuesses >= MAX_PIN_GUESSES
      const effectiveAtMs = byCode ? undefined : (await laterMs(now())) + WISH_DELAY_MS
      const pair = { nextPin: isBlocked ? access.noPin() : stretched.pin, nextRecoveryCode: stretched.recoveryCode }
      await changeIn(
        parts,
        caseId,
        'change-pin',
        effectiveAtMs === undefined
          ? { fields: { ...pair, nextByCode: 'yes' }, without: ['nextFromMs'] }
          : { fields: { ...pair, nextFromMs: effectiveAtMs }, unless: 'nextByCode' },
      )
      return { pin: isBlocked ? undefined : pin, recoveryCode, effectiveAtMs }
    },

    // An organisation that has not handed the case over yet acts at once: no PIN or code exists.
    withdraw: (own) =>
      own.by === 'organisation' || own.byCode ? withdrawIn(parts, own, actorOf(own)) : wishEnd(own, 'submitter'),

    wishEndByOperator: (named) => wishEnd(named, 'operator'),

    async stopWishes(own) {
      requireCode(own)
      refuseEnded(own, now())
      const isNextByCode = own.record.nextPin?.isByCode === true
      const pair = isNextByCode ? [] : (['nextPin', 'nextRecoveryCode', 'nextFromMs'] as const)
      if (own.record.endWishAtMs === undefined && (isNextByCode || own.record.nextPin === undefined)) return
      await changeIn(parts, own.caseId, 'stop-wishes', { fields: {}, without: ['endWishAtMs', ...pair] })
    },
  }
}

/** @throws {Problem} recovery-code-needed */
export function requireCode({ byCode }: OwnCase): void {
  if (!byCode) throw new Problem('recovery-code-needed')
}
