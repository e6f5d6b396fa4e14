// No search is to take more than 1.2 times as long as reading all rows: by which needle is that nearest to being broken?
//
//   npm run bench:search-worst -- [--rows N] [--corpus NAME] [--thresholds 0,31,…] [--hashes FOLDER]
//
// Rows and needles are those of bench/search.mjs, sixteen of them, asked one by one, at each threshold by turns of an index and of
// the same rows before their tables are built, which are all read. The least of several times counts: what other work on
// the machine adds is no property of a search. Each answer is compared with the other's. Status 1 when one differs.

import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answerOf, sameAnswer } from './search/check.mjs'
import { openCorpus } from './search/corpora.mjs'
import { openEngine } from './search/engine.mjs'
import { makeQueries } from './search/queries.mjs'
import { eachBatch } from './search/rows.mjs'

const NEEDLES = 16
const ROUNDS = 9

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

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
    probedMs: Infinity,
    readMs: Infinity,
  }))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const one of asked) {
      const [probedMs, found] = timed(probed, one.needles, threshold)
      const [readMs, expected] = timed(read, one.needles, threshold)
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
  const worst = asked.toSorted((a, b) => b.probedMs / b.readMs - a.probedMs / a.readMs)[0]
  return {
    threshold,
    all: rounded(sum('probedMs') / sum('readMs')),
    worst: rounded(worst.probedMs / worst.readMs),
    'its time, ms': rounded(worst.probedMs),
    'its hits': worst.hits,
    needle: asked.indexOf(worst),
  }
}

function timed(engine, needles, threshold) {
  collectGarbage({ type: 'minor' })
  const begun = performance.now()
  const hits = engine.within(needles, threshold)
  return [performance.now() - begun, hits]
}

function rounded(value) {
  return Number(value.toPrecision(3))
}
