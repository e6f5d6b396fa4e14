// No search may take more than 1.2 times as long as reading all rows. Which needle comes nearest to breaking that?
//
//   npm run bench search-worst -- [--rows N] [--corpus NAME] [--thresholds 0,31,…] [--hashes FOLDER]
//
// Rows and sixteen needles are those of bench/search.mjs. At each threshold, searches alternate between an index and the same rows without tables, which
// are all read. The least of several times counts, because other work on the machine is no property of a search. Where no keys are looked up both do the
// same: how far the worst ratio is from 1 there shows the error of the others. Each answer is compared with the other's. The status is 1 when one differs.

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answerOf, sameAnswer } from './search/check.mjs'
import { openCorpus } from './search/corpora.mjs'
import { openEngine } from './search/engine.mjs'
import { makeQueries } from './search/queries.mjs'
import { eachBatch } from './search/rows.mjs'

const NEEDLES = 16
const ROUNDS = 10
const MANY_HITS = 1_000 // what they leave behind is not to be collected in the time of the next search

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
let garbage = 0

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    corpus: { type: 'string', default: 'pathological' },
    thresholds: { type: 'string', default: '0,1,8,16,31,45,60,80,100,128,200,255' },
    hashes: { type: 'string', default: process.env.TABIR_BENCH_HASHES },
  },
})
const corpus = openCorpus(args.corpus, Number(args.rows), args.hashes)
const [probed, read] = [openEngine(false), openEngine(false)]
for (const engine of [probed, read]) eachBatch(corpus, 'inserting', (rows, columns) => engine.fill(rows, columns))
probed.settle()

const lines = args.thresholds.split(',').map((text) => measured(Number(text)))
console.log(`${corpus.rows.toLocaleString('en')} ${args.corpus} rows`)
console.table(lines)

function measured(threshold) {
  const asked = makeQueries(corpus, NEEDLES, 1, threshold).map(({ needles }) => ({
    needles,
    hits: 0,
    probedMs: Infinity,
    readMs: Infinity,
  }))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const one of asked) {
      // Who is asked first finds the caches as the needle before left them.
      const engines = round % 2 === 0 ? [probed, read] : [read, probed]
      const times = new Map(engines.map((engine) => [engine, timed(engine, one.needles, threshold)]))
      const [probedMs, found] = times.get(probed)
      const [readMs, expected] = times.get(read)
      one.hits = expected.length
      if (round === 0) {
        if (!sameAnswer(answerOf(found), answerOf(expected))) process.exitCode = 1
        continue // compiled now
      }
      one.probedMs = Math.min(one.probedMs, probedMs)
      one.readMs = Math.min(one.readMs, readMs)
    }
  }
  const sum = (field) => asked.reduce((total, one) => total + one[field], 0)
  const few = asked.filter(({ hits }) => hits <= MANY_HITS)
  return {
    threshold,
    'looks up keys': probed.status(threshold).some(({ radii }) => radii !== undefined) ? 'yes' : 'no',
    all: rounded(sum('probedMs') / sum('readMs')),
    'few hits, needles': few.length,
    'few hits, worst': worst(few),
    'many hits, worst': worst(asked.filter((one) => !few.includes(one))),
  }
}

/** Where hits are many, making them is most of both. */
function worst(some) {
  return some.length === 0 ? '' : rounded(Math.max(...some.map(({ probedMs, readMs }) => probedMs / readMs)))
}

function timed(engine, needles, threshold) {
  if (garbage > MANY_HITS) collectGarbage({ type: 'minor' })
  const begun = performance.now()
  const hits = engine.within(needles, threshold)
  const ms = performance.now() - begun
  garbage = hits.length
  return [ms, hits]
}

function rounded(value) {
  return Number(value.toPrecision(3))
}
