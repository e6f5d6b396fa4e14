// The case parts: cases as those see them who opened them or help, and papers about them.

import { caseAccessTo } from '../services/cases/case-access.js'
import { caseFilesIn } from '../services/cases/case-file.js'
import { casesFrom } from '../services/cases/cases.js'
import { signerFrom } from '../services/records/signer.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export function createCaseParts(parts: StoreParts, { replica }: IndexParts) {
  const { options, secrets, cases: store, caseEvents: events, images, trusts, audit } = parts
  const cases = casesFrom({
    cases: store,
    access: caseAccessTo(store, secrets, options.stretching),
    replica,
    retentionMs: options.retentionMs,
    offersExtendedProtection: options.extendedProtection,
    now: options.now,
  })
  return {
    services: {
      cases,
      files: caseFilesIn({ cases, events, images, trusts, replica, audit, auditNameOf: store.auditName }),
      signer: signerFrom(secrets.receipt),
      audit,
    },
  }
}
