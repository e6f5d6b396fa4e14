// Finds the organisation that registered an image: the owner of its bank, or the organisation that opened the case for the submitter.

import type { Cases } from '../../store/cases/cases.js'
import type { OwnerOf } from './trust-changes.js'

/** @param ownerOfBank returns the owner of a bank by its name; `undefined` for a bank of the deployment. */
export function createOwners(cases: Pick<Cases, 'get'>, ownerOfBank: (bank: string) => string | undefined): OwnerOf {
  return async ({ bank, caseId }) => {
    if (caseId === undefined) return ownerOfBank(bank)
    return (await cases.get(caseId))?.assistance?.orgId
  }
}
