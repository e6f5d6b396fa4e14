// The search kernel: operations on the rows of one memory. AssemblyScript; compiled by kernels.mjs.

export { describeChains, follow, link, writeBalls } from './chains'
export { countKeys, fillTable, sumCounts } from './fill'
export {
  BANDS,
  describeTables,
  ENTRY_BYTES,
  GIVEN_UP_AT,
  HITS_AT,
  KEYS,
  MASKS_AT,
  MAX_NEEDLES,
  MAX_REACH,
  NEEDLES_AT,
  OFFSETS_BYTES,
  PLAN_AT,
  SCRATCH_BYTES,
  SURVIVORS,
  writeMasks,
} from './layout'
export { countCandidates, countPlanned, kept, probe, probeEach } from './probe'
export { scan } from './scan'
export { countWideCandidates, countWidePlanned, probeWide, wideKept } from './wide'
export { countWideKeys, describeWide, fillWideTable, sumWideCounts, WIDE_MAX_REACH, writeWideMasks } from './wide-tables'
