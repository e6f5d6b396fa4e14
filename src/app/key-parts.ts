// The key parts: who calls, how much a caller may ask, and what a repeated request gives.

import { identify } from '../services/keys/access.js'
import { keyKeeping } from '../services/keys/key-administration.js'
import { keyUsesOver } from '../services/keys/key-uses.js'
import { idempotencyOver } from '../services/load/idempotency.js'
import { limitCounter } from '../services/load/limits.js'
import { idempotencyIn } from '../store/organisations/idempotency.js'
import { keyUsesIn } from '../store/organisations/key-uses.js'
import { usesIn } from '../store/organisations/usage-counters.js'
import type { IndexParts } from './index-parts.js'
import type { StoreParts } from './store-parts.js'

export function createKeyParts({ options, lifecycle, store, secrets, apiKeys, audit }: StoreParts, { replica }: IndexParts) {
  const { now, env } = options
  const uses = keyUsesIn(store)
  const noted = keyUsesOver({ uses, now })
  const limits = lifecycle.keep('limits', limitCounter({ uses: usesIn(store), now }))
  return {
    services: {
      limits,
      idempotency: idempotencyOver(idempotencyIn(store), secrets.idempotency, limits),
      keys: keyKeeping({ apiKeys, uses, replica, env, now }),
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
