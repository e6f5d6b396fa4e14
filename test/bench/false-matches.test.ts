// What is said of false matches follows from the pairs that were counted.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import {
  DECADES_A_BIT,
  FALSE_RATES_A_PAIR,
  GOALS_AN_UPLOAD,
  UNMODELLED_RATES_A_PAIR,
} from '../../src/domain/matching/registry-size.js'
import { SIGNAL_TYPES } from '../../src/domain/matching/signal-types.js'

const root = resolve(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

t.test('false matches for an upload follow from one count of pairs, wherever they are told', async (t) => {
  const counts = z
    .array(z.object({ grade: z.string(), found: z.int(), millionPairs: z.number() }))
    .parse(JSON.parse(read('bench/record/false-matches.json')))
  const page = read('docs/robustness.md').replace(/\s+/g, ' ')
  const said = read('src/http/schemas.ts').replace(/\s+/g, ' ')
  const boundOf = (grade: string) => {
    const { found = 0, millionPairs = 1 } = counts.find((one) => one.grade === grade) ?? {}
    return mostAt95(found) / millionPairs / 1e6
  }
  const inAMillion = (rate: number, images: number) => -1e6 * Math.expm1(-rate * images)
  for (const { grade, found, millionPairs } of counts.filter(({ grade }) => grade !== 'line of two videos')) {
    const cells = [1e3, 1e6, 1e7].map((images) => {
      const counted = rounded(inAMillion(found / millionPairs / 1e6, images), 2)
      return `${counted}, under ${rounded(inAMillion(boundOf(grade), images), 3, Math.ceil)}`
    })
    const pairs = `${found} of ${Math.round(millionPairs).toLocaleString('en')} million`
    const row = [pairs, ...cells].join(' | ')
    t.ok(page.includes(row), `robustness: ${grade} ${row}`)
    t.ok(grade === 'exact' || grade === 'review' || cells.every((cell) => isToldIn(said, cell)), `schemas: ${grade}`)
    if (grade === 'strong' || grade === 'near') {
      t.ok(read('README.md').includes(pairs), `README: ${pairs}`)
      t.ok(isUpperEnd(FALSE_RATES_A_PAIR[grade], boundOf(grade)), `registry-size.ts: ${grade}`)
    }
  }
  t.ok(isUpperEnd(UNMODELLED_RATES_A_PAIR.details, boundOf('extended protection')), 'registry-size.ts: details')
  t.ok(isUpperEnd(UNMODELLED_RATES_A_PAIR.line, boundOf('line of two videos')), 'registry-size.ts: line')
  for (const [grade, goal] of Object.entries(GOALS_AN_UPLOAD)) {
    const most = goal / FALSE_RATES_A_PAIR[grade === 'strong' ? 'strong' : 'near']
    t.ok(page.includes(`${rounded(most, 2, Math.floor)} (\`${grade}\`)`), `robustness: up to ${most} for ${grade}`)
  }
  const details = GOALS_AN_UPLOAD.near / (FALSE_RATES_A_PAIR.near + UNMODELLED_RATES_A_PAIR.details)
  const lines = GOALS_AN_UPLOAD.near / (FALSE_RATES_A_PAIR.near + UNMODELLED_RATES_A_PAIR.line)
  const same = (GOALS_AN_UPLOAD.strong / FALSE_RATES_A_PAIR.strong) * 10 ** (DECADES_A_BIT * SIGNAL_TYPES.pdq.thresholdBits)
  t.ok(page.includes(`details beyond ${Math.floor(details).toLocaleString('en')} images`), `robustness: details, ${details}`)
  t.ok(page.includes(`beyond ${Math.floor(lines)}`), `robustness: lines, ${lines}`)
  t.ok(page.includes(`up to ${rounded(same, 3, Math.floor)} images`), `robustness: the same PDQ, ${same}`)
})

/** The largest mean of a Poisson distribution that gives at most so many in one of twenty cases. */
function mostAt95(found: number): number {
  let [low, high] = [0, 10 * found + 10]
  while (high - low > 1e-9) {
    const mean = (low + high) / 2
    let [sum, term] = [0, Math.exp(-mean)]
    for (let k = 0; k <= found; k++) {
      sum += term
      term *= mean / (k + 1)
    }
    if (sum > 0.05) low = mean
    else high = mean
  }
  return high
}

/** With so many digits that count, as the page writes numbers. */
function rounded(value: number, digits: number, how: (value: number) => number = Math.round): string {
  if (value === 0) return '0'
  const unit = 10 ** (Math.floor(Math.log10(value)) - digits + 1)
  return Number((how(value / unit - (how === Math.ceil ? 1e-9 : 0)) * unit).toPrecision(digits)).toLocaleString('en', {
    maximumFractionDigits: 3,
  })
}

/** Are both numbers of a cell of the table told? */
function isToldIn(text: string, cell: string): boolean {
  return cell.split(', under ').every((number) => number === '0' || text.includes(number))
}

/** Is it the bound, rounded up to three digits at most? */
function isUpperEnd(constant: number, bound: number): boolean {
  return constant >= bound && constant < bound * 1.011
}
