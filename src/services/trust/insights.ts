// Ranks an organisation's contexts by how many different registered images were matched in each.

import type { Contexts } from '../../store/trust/contexts.js'

export interface ContextInsight {
  readonly context: string
  readonly images24h: number
  readonly images30d: number
  readonly lastSeenAtMs: number
}

export interface Insights {
  /** At most `limit` contexts of one organisation, sorted by images in the last 30 days, then in the last 24 hours, most first. */
  contexts(orgId: string, limit: number): Promise<ContextInsight[]>
  /** Deletes one context of an organisation, if there is one. */
  deleteContext(orgId: string, context: string): Promise<void>
}

export function createInsights({ contexts, now }: { readonly contexts: Contexts; readonly now: () => number }): Insights {
  return {
    async contexts(orgId, limit) {
      const counts = await contexts.counts(orgId, now())
      return counts
        .map(({ imagesIn24h, imagesIn30d, ...rest }) => ({ ...rest, images24h: imagesIn24h, images30d: imagesIn30d }))
        .sort((a, b) => b.images30d - a.images30d || b.images24h - a.images24h || (a.context < b.context ? -1 : 1))
        .slice(0, limit)
    },
    deleteContext: (orgId, context) => contexts.delete(orgId, context, now()),
  }
}
