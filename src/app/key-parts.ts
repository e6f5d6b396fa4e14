// The key parts: API keys, rate limits and idempotency.

import { identify } from '../services/keys/access.js'
import { createKeyAdministration } from '../services/keys/key-administration.js'
import { createKeyUses } from '../services/keys/key-uses.js'
import { createIdempotency } from '../services/load/idempotency.js'
import { createLimitCounter } from '../services/load/limits.js'
import { createIdempotencyStore } from '../store/organisations/idempotency.js'
import { createKeyUseStore } from '../store/organisations/key-uses.js'
import { createUsageStore } from '../store/organisations/usage-counters.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export function createKeyParts({ options, lifecycle, store, secrets, apiKeys, audit }: StoreParts, { replica }: IndexParts) {
  const { now, env } = options
  const uses = createKeyUseStore(store)
  const noted = createKeyUses({ uses, now })
  const limits = lifecycle.keep('limits', createLimitCounter({ uses: createUsageStore(store), now }))
  return {
    services: {
      limits,
      idempotency: createIdempotency(createIdempotencyStore(store), secrets.idempotency, limits),
      keys: createKeyAdministration({ apiKeys, uses, replica, env, now }),
      identify(key: string, address?: string) {
        const caller = identify(replica.catalogue.apiKeys, key, { address, nowMs: now() })
        if (caller !== undefined) {
          audit.recordDaily('key.used', `key:${caller.keyId}`, { orgId: caller.orgId })
          noted.note(caller.keyId)
        }
        return caller
      },
    },
  }
}
