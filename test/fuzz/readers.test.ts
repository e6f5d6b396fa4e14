// A short run with a different seed each time; `npm run fuzz readers` is the long one.

import t from 'tap'
import { chanceFrom } from './chance.js'
import { fuzzReaders } from './readers.js'

const SEED = Number(process.env['TABIR_FUZZ_SEED'] ?? Date.now() % 1_000_000)
const BUDGET_MS = Number(process.env['TABIR_FUZZ_MS'] ?? 1000)

t.test(`bad records in files and feeds are rejected, and all others are read (seed ${SEED})`, async (t) => {
  const { tried, finds } = await fuzzReaders(chanceFrom(SEED), performance.now() + BUDGET_MS)
  t.same(finds, [])
  t.ok(tried > 5, `${tried} files and pages`)
})
