// What does the cost model of packages/core/src/search/plan.ts predict for a search, what does the search cost, and which constants would fit better?
//
//   node bench/archive/search-model.mjs [--rows 20000,65000,…] [--thresholds 15,31,45,60,70] [--corpus NAME] [--hashes FOLDER]
//
// Builds one segment for each number of rows and searches each needle by its plan, also where reading all rows would be cheaper. Measured are the
// kernel's calls alone, the median of needles that were not searched before. Constants are fitted by least squares of relative errors, none below 0. The
// table has the error of today's constants.

import { parseArgs } from 'node:util'
import { NARROW } from '../../dist/packages/core/src/search/band-shape.js'
import { compacted } from '../../dist/packages/core/src/search/compaction.js'
import { scratch } from '../../dist/packages/core/src/search/engine.js'
import { planFor, scanNs } from '../../dist/packages/core/src/search/plan.js'
import { Raw } from '../../dist/packages/core/src/search/raw.js'
import { Segment } from '../../dist/packages/core/src/search/segment.js'
import { HASH_BYTES } from '../../dist/packages/hash/src/hash256.js'
import { percentile } from '../report.mjs'
import { openCorpus } from '../search/corpora.mjs'
import { sfc32 } from '../search/random.mjs'
import { eachBatch } from '../search/rows.mjs'

const NEEDLES = 4_096
const LONGEST_MS = 1_500 // for one line of the table
const SCANS = 20
const PART_NAMES = ['a call', 'a probe', 'a bucket', 'a candidate', 'a survivor']

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000,65000,200000,1000000,4000000' },
    thresholds: { type: 'string', default: '15,31,45,60,70' },
    corpus: { type: 'string', default: 'uniform' },
    hashes: { type: 'string', default: process.env.TABIR_BENCH_HASHES },
  },
})

const lines = numbersIn(args.rows).flatMap((rows) => measured(rows, numbersIn(args.thresholds)))
console.table(
  lines.map(({ rows, bits, plan, ns, scan }) => ({
    rows,
    bits,
    probes: plan.probes,
    candidates: Math.round(plan.candidates),
    'probing, µs': rounded(ns / 1e3),
    'as the model': rounded(plan.costNs / ns),
    'reading all, µs': rounded(scan / 1e3),
    'as the model, read': rounded(scanNs(rows, 1) / scan),
  })),
)
const fitted = fittedTo(lines.map(({ parts, ns }) => ({ parts, ns })))
console.log('ns that fit best:', Object.fromEntries(fitted.map((ns, i) => [PART_NAMES[i], rounded(ns)])))

function measured(rows, thresholds) {
  const corpus = openCorpus(args.corpus, rows, args.hashes)
  const segment = segmentOf(corpus)
  const next = sfc32(1, rows)
  const needles = Array.from({ length: NEEDLES }, () => new Uint8Array(corpus.foreign(next).buffer, 0, HASH_BYTES))
  const scan = scanned(segment.block, needles)
  return thresholds.map((bits) => {
    const plan = planFor(segment.counts, bits, NARROW, rows)
    return { rows, bits, plan, parts: partsOf(plan, segment.counts), ns: probed(segment, needles, plan, bits), scan }
  })
}

function segmentOf(corpus) {
  const raw = new Raw()
  eachBatch(corpus, 'inserting', (_, columns) => raw.block.appendColumns(columns))
  const work = compacted([raw.block], () => true)
  let step = work.next()
  while (step.done !== true) step = work.next()
  if (!(step.value instanceof Segment)) throw new Error('too few rows for a segment')
  return step.value
}

function probed({ block, tabled: { tables, shape } }, needles, plan, bits) {
  // A plan that does not fit into the scratch memory is run band by band.
  const atOnce = plan.candidates < scratch.maxSurvivors / 2 ? shape.bands : 1
  const times = []
  const begun = performance.now()
  for (const needle of needles) {
    const before = process.hrtime.bigint()
    block.loadNeedles(needle)
    block.engine.bytes.set(plan.reach, scratch.planAt)
    tables.countPlanned(scratch.needlesAt)
    for (let band = 0; band < shape.bands; band += atOnce)
      if (tables.probe(1, band, band + atOnce, bits, scratch.maxSurvivors) < 0) throw new Error('no room for what it meets')
    times.push(Number(process.hrtime.bigint() - before))
    if (performance.now() - begun > LONGEST_MS) break
  }
  return percentile(Float64Array.from(times.slice(times.length >> 3)), 0.5)
}

function scanned(block, needles) {
  const times = needles.slice(0, SCANS).map((needle) => {
    const before = process.hrtime.bigint()
    block.scan(needle, 31, 0, block.rows, () => {})
    return Number(process.hrtime.bigint() - before)
  })
  return percentile(Float64Array.from(times.slice(2)), 0.5)
}

/** The expected number of each operation for a needle, from the counts behind the plan. */
function partsOf(plan, counts) {
  let buckets = 0
  for (const [band, reach] of plan.reach.entries()) {
    for (let bits = 0; bits < reach; bits++) {
      const keys = NARROW.keysAt(band, bits)
      buckets += keys * (1 - Math.exp(-counts[band * NARROW.maxReach + bits] / keys))
    }
  }
  return [1, plan.probes, buckets, plan.candidates, plan.survivors]
}

/** Coordinate descent: each step sets one constant to its best value, given the others. */
function fittedTo(samples) {
  const weighted = samples.map(({ parts, ns }) => parts.map((part) => part / ns))
  const fitted = PART_NAMES.map(() => 0)
  for (let round = 0; round < 20_000; round++) {
    const at = round % fitted.length
    let [above, below] = [0, 0]
    for (const parts of weighted) {
      const rest = 1 - parts.reduce((sum, part, i) => sum + (i === at ? 0 : part * fitted[i]), 0)
      above += rest * parts[at]
      below += parts[at] ** 2
    }
    fitted[at] = Math.max(0, above / below)
  }
  return fitted
}

function numbersIn(text) {
  return text.split(',').map(Number)
}

function rounded(value) {
  return Number(value.toPrecision(3))
}
