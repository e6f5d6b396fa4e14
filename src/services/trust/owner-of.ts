// Which organisation handed an image in: the one whose bank it is in, or the one that opened the case for somebody.

import type { Cases } from '../../store/cases/cases.js'
import type { OwnerOf } from './trust-changes.js'

/** @param ownerOfBank of a bank by its name. */
export function createOwners(cases: Pick<Cases, 'get'>, ownerOfBank: (bank: string) => string | undefined): OwnerOf {
  return async ({ bank, caseId }) => {
    if (caseId === undefined) return ownerOfBank(bank)
    return (await cases.get(caseId))?.assistance?.orgId
  }
}
