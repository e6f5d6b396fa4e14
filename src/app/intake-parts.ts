// The intake parts: registering images, for cases and in banks.

import { createBankErasing } from '../services/banks/bank-erasure.js'
import { createBanks } from '../services/banks/banks.js'
import { createExports } from '../services/banks/exports.js'
import { createImports } from '../services/intake/imports.js'
import { createRegistration } from '../services/intake/registration.js'
import { invalidatedSignals } from '../services/intake/resubmission-block.js'
import { harmlessAmong, harmlessLike } from '../services/matching/harmless/harmless-filter.js'
import { createAppeals } from '../services/trust/appeals.js'
import { createImportStore } from '../store/organisations/imports.js'
import { createResubmissionBlockStore } from '../store/organisations/resubmission-blocks.js'
import type { IndexParts } from './index-parts.js'
import type { MatchParts } from './match-parts.js'
import type { StoreParts } from './store-parts.js'
import type { TrustParts } from './trust-parts.js'

export type IntakeParts = ReturnType<typeof createIntakeParts>

export function createIntakeParts(
  parts: StoreParts,
  { replica }: IndexParts,
  { detailing }: MatchParts,
  { quotas, kindOf, trust, appeals, events }: TrustParts,
) {
  const { options, lifecycle, store, secrets, images, banks, apiKeys, trusts, audit, scheduler } = parts
  const { now, onError } = options
  const invalidated = invalidatedSignals(createResubmissionBlockStore(store), secrets.signalId, now)
  const registration = createRegistration({
    images,
    replica,
    quotas,
    harmlessAmong: (pictures) => harmlessAmong(() => replica.catalogue, pictures, scheduler.yielder()),
    invalidatedSignals: invalidated,
    idSecret: secrets.signalId,
    kindOf,
    detailing,
    events,
    now,
    onError,
  })
  const erasing = lifecycle.keep('erasure of banks', createBankErasing({ banks, images, replica, now, onError }))
  return {
    services: {
      registration,
      banks: createBanks({ banks, organisations: apiKeys, replica, erasing, now }),
      exports: createExports({ images, trusts, audit, onError }),
      imports: createImports({ imports: createImportStore(store), registration, scheduler, secret: secrets.signalId, now }),
      // Granted appeals lift the blocks that are checked here.
      appeals: createAppeals({
        appeals,
        harmlessLike: (signals, which) => harmlessLike(replica.catalogue, signals, which),
        invalidatedSignals: invalidated,
        images,
        trusts,
        trust,
        replica,
        events,
        now,
        onError,
      }),
    },
  }
}
