// May this process be asked, and what does it hold?

import { Problem } from '../domain/problem.js'
import { SIGNAL_TYPE_NAMES } from '../domain/signal-types.js'
import type { Durability } from '../store/durable-writer.js'
import type { Store } from '../store/store.js'
import type { Replica } from './replica.js'

export interface HealthReport {
  readonly revision: number
  readonly images: number
  /** Rows that a search can find, by signal type. */
  readonly rows: Record<string, number>
  readonly durability: Durability
}

export interface Health {
  /** @returns what keeps it from answering, if anything does. */
  report(): HealthReport | Problem
}

export function healthOf({ replica, store }: { readonly replica: Replica; readonly store: Store }): Health {
  return {
    report() {
      try {
        const { catalogue } = replica
        return {
          revision: replica.revision ?? 0,
          images: catalogue.images,
          rows: Object.fromEntries(SIGNAL_TYPE_NAMES.map((type) => [type, catalogue.index(type).liveRows])),
          durability: store.durability,
        }
      } catch (error) {
        if (error instanceof Problem) return error
        throw error
      }
    },
  }
}
