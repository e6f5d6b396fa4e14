// The intake parts: what comes in is registered, for cases and in banks.

import { bankErasing } from '../services/banks/bank-erasure.js'
import { banksFrom } from '../services/banks/banks.js'
import { exportsFrom } from '../services/banks/exports.js'
import { importsOver } from '../services/intake/imports.js'
import { registrationIn } from '../services/intake/registration.js'
import { invalidatedSignals } from '../services/intake/resubmission-block.js'
import { harmlessAmong, harmlessLike } from '../services/matching/harmless-filter.js'
import { createAppeals } from '../services/trust/appeals.js'
import { importsIn } from '../store/organisations/imports.js'
import { refusalsIn } from '../store/organisations/refusals.js'
import type { IndexParts } from './index-parts.js'
import type { MatchParts } from './match-parts.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export type IntakeParts = ReturnType<typeof createIntakeParts>

export function createIntakeParts(
  parts: StoreParts,
  { replica }: IndexParts,
  { detailing }: MatchParts,
  { ceilings, kindOf, trust, appeals, events }: TrustParts,
) {
  const { options, lifecycle, store, secrets, images, banks, apiKeys, trusts, audit, turns } = parts
  const { now, onTrouble } = options
  const invalidated = invalidatedSignals(refusalsIn(store), secrets.signalId, now)
  const registration = registrationIn({
    images,
    replica,
    ceilings,
    harmlessAmong: (pictures) => harmlessAmong(() => replica.catalogue, pictures, turns.pace()),
    invalidatedSignals: invalidated,
    idSecret: secrets.signalId,
    kindOf,
    detailing,
    now,
  })
  const erasing = lifecycle.keep('erasure of banks', bankErasing({ banks, images, replica, now, onTrouble }))
  return {
    services: {
      registration,
      banks: banksFrom({ banks, organisations: apiKeys, replica, erasing, now }),
      exports: exportsFrom({ images, trusts, audit }),
      imports: importsOver({ imports: importsIn(store), registration, turns, secret: secrets.signalId, now }),
      // What an appeal wins is what is refused when it comes in again.
      appeals: createAppeals({
        appeals,
        harmlessLike: (signals) => harmlessLike(replica.catalogue, signals),
        invalidatedSignals: invalidated,
        images,
        trusts,
        trust,
        replica,
        events,
        now,
        onTrouble,
      }),
    },
  }
}
