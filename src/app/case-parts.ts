// The case parts: cases as submitters and helpers see them, and documents about them.

import { createCaseAccess } from '../services/cases/case-access.js'
import { createCaseFiles } from '../services/cases/case-file.js'
import { createCaseHashes } from '../services/cases/case-hashes.js'
import { createCases } from '../services/cases/cases.js'
import { createKeptOfCases } from '../services/cases/kept-of-case.js'
import { systemsWith } from '../services/interop/reconcilers.js'
import { laterTime } from '../services/load/due-time.js'
import { createBitPermutation } from '../services/matching/details/bit-permutation.js'
import { listedAmong } from '../services/matching/harmless/harmless-filter.js'
import { createSigner } from '../services/records/signer.js'
import { createDeadlineStore } from '../store/cases/deadlines.js'
import { createFetchedStore } from '../store/exchange/fetched.js'
import { createReconcilerStore } from '../store/exchange/reconcilers.js'
import { receivedOf } from '../store/images/received.js'
import { createAppealStore } from '../store/trust/appeals.js'
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
        kept: keptIn(parts, replica),
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

function keptIn({ options, store, keyring, apiKeys }: StoreParts, replica: IndexParts['replica']) {
  const states = createReconcilerStore(store)
  return createKeptOfCases({
    deadlines: createDeadlineStore(store),
    appeals: createAppealStore(store),
    fetched: createFetchedStore(store, keyring),
    receivedOf: (imageIds) => receivedOf(store, imageIds),
    systemsWith: systemsWith(states, options.reconcilers ?? []),
    orgOfKey: (keyId) => replica.catalogue.apiKeys.get(keyId)?.orgId,
    nameOfOrg: async (orgId) => (await apiKeys.org(orgId))?.name,
    now: options.now,
  })
}
