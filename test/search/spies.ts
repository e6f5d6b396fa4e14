// Records the kernel calls of a part, to show how it searched.

import { type Engine, scratch } from '../../packages/core/src/search/engine.js'
import { BANDS } from './corpora.js'

export interface KernelCalls {
  /** Needles and rows of each scan. */
  readonly scans: { readonly needles: number; readonly rows: number }[]
  readonly probes: {
    readonly needles: number
    readonly fromBand: number
    readonly toBand: number
    readonly reach: readonly number[]
    readonly maxRows: number
    readonly isDone: boolean
  }[]
  readonly probesOfEach: { readonly needles: number; readonly band: number }[]
  readonly follows: { readonly needle: number; readonly maxVisits: number; readonly isDone: boolean }[]
}

export function spyOn(engine: Engine): KernelCalls {
  const calls: KernelCalls = { scans: [], probes: [], probesOfEach: [], follows: [] }
  const { scan, probe, probeEach, follow } = engine
  engine.scan = (rowsAt, rows, needles, thresholdBits) => {
    calls.scans.push({ needles, rows })
    return scan(rowsAt, rows, needles, thresholdBits)
  }
  engine.probe = (needles, fromBand, toBand, thresholdBits, maxRows) => {
    const reach = Array.from(engine.bytes.subarray(scratch.planAt, scratch.planAt + BANDS))
    const found = probe(needles, fromBand, toBand, thresholdBits, maxRows)
    calls.probes.push({ needles, fromBand, toBand, reach, maxRows, isDone: found >= 0 })
    return found
  }
  engine.probeEach = (needles, band, ...limits) => {
    calls.probesOfEach.push({ needles, band })
    return probeEach(needles, band, ...limits)
  }
  engine.follow = (needle, rows, thresholdBits, maxVisits) => {
    const found = follow(needle, rows, thresholdBits, maxVisits)
    calls.follows.push({ needle, maxVisits, isDone: found >= 0 })
    return found
  }
  return calls
}
