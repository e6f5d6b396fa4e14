// The case parts: cases as submitters and helpers see them, and documents about them.

import { createCaseAccess } from '../services/cases/case-access.js'
import { createCaseFiles } from '../services/cases/case-file.js'
import { createCaseHashes } from '../services/cases/case-hashes.js'
import { createCases } from '../services/cases/cases.js'
import { laterTime } from '../services/load/due-time.js'
import { createBitPermutation } from '../services/matching/bit-permutation.js'
import { listedAmong } from '../services/matching/harmless-filter.js'
import { createSigner } from '../services/records/signer.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export function createCaseParts(parts: StoreParts, { replica }: IndexParts) {
  const { options, secrets, cases: store, caseEvents: events, apiKeys, images, trusts, audit, scheduler, storeTime } = parts
  const cases = createCases({
    cases: store,
    access: createCaseAccess(store, secrets, options.stretching),
    replica,
    nameOfOrg: async (orgId) => (await apiKeys.org(orgId))?.name,
    keptUntilMs: async (nowMs) => (await laterTime(storeTime, nowMs)) + options.retentionMs,
    laterMs: (nowMs) => laterTime(storeTime, nowMs),
    offersExtendedProtection: options.extendedProtection,
    now: options.now,
  })
  return {
    services: {
      cases,
      files: createCaseFiles({
        cases,
        events,
        images,
        trusts,
        replica,
        listedAmong: (pictures) => listedAmong(() => replica.catalogue, pictures, scheduler.yielder()),
        audit,
        auditNameOf: store.auditName,
        orgs: apiKeys.orgs,
        now: options.now,
      }),
      caseHashes: createCaseHashes({ images, plain: createBitPermutation(secrets.details).plain }),
      signer: createSigner(secrets.receipt),
      audit,
    },
  }
}
