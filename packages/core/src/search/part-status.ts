// Describes the parts of an index, for operators.

import type { Part } from './part.js'
import { Segment } from './segment.js'

export interface PartStatus {
  readonly kind: Part['kind']
  readonly rows: number
  readonly deadRows: number
  readonly bytes: number
  /** Search radius in each band, −1 for a band that is not probed. Absent if all rows are read. */
  readonly radii?: number[]
  /** Buckets and rows that a search for one needle is expected to read. */
  readonly probes: number
  readonly candidates: number
}

export function statusOf(part: Part, thresholdBits: number): PartStatus {
  const { block, deadRows, kind } = part
  const plan = part instanceof Segment ? part.plan(thresholdBits) : undefined
  const status = { kind, rows: block.rows, deadRows, bytes: block.bytes }
  if (plan === undefined) return { ...status, probes: 0, candidates: block.rows }
  const radii = Array.from(plan.reach, (reach) => reach - 1)
  return { ...status, radii, probes: plan.probes, candidates: Math.round(plan.candidates) }
}
