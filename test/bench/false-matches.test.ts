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
} from '../../packages/core/src/matching/registry-size.js'
import { SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'

const root = resolve(import.meta.dirname, '../../..')
/** As one line, without the stars of comments: phrases run over the ends of lines. */
const read = (path: string) => readFileSync(join(root, path), 'utf8').replace(/\s+(\* )?/g, ' ')

const counts = z
  .array(z.object({ grade: z.string(), found: z.int(), millionPairs: z.number() }))
  .parse(JSON.parse(read('bench/record/false-matches.json')))

/** What was counted for a grade, in the ways in which it is told. */
function told(name: string) {
  const { found, millionPairs } = counts.find(({ grade }) => grade === name) ?? { found: Number.NaN, millionPairs: 1 }
  const [rate, bound] = [found / millionPairs / 1e6, mostAt95(found) / millionPairs / 1e6]
  const perMillion = (rate: number, images: number) => -1e6 * Math.expm1(-rate * images)
  const million = Math.round(millionPairs).toLocaleString('en')
  return {
    found,
    millionPairs,
    rate,
    bound,
    million,
    pairs: `${found} of ${million} million`,
    /** False answers per million uploads, among so many images. */
    counted: (images: number) => rounded(perMillion(rate, images), 2),
    under: (images: number) => rounded(perMillion(bound, images), 3, Math.ceil),
  }
}

const [exact, strong, near] = [told('exact'), told('strong'), told('near')]
const [details, review, line] = [told('extended protection'), told('review'), told('line of two videos')]
const SIZES = [1e3, 1e6, 1e7] as const

/** Each whole, so that no number can be in the place of another. */
const PHRASES: Readonly<Record<string, readonly string[]>> = {
  'docs/robustness.md': [
    rowOf('`exact`', exact),
    rowOf('`strong`', strong),
    rowOf('`near`, at most', near),
    rowOf('extended protection adds to `near`', details),
    rowOf('`review`, on request', review),
    `\`near\` is at most ${near.pairs} (${inPowers(near.rate)}; goal 1e-8). ` +
      `\`strong\`, of all pairs, is ${strong.pairs} (${inPowers(strong.rate)}; goal 1e-9), ` +
      `\`review\` ${review.found} of ${review.millionPairs} million (${inPowers(review.rate)}; goal 1e-6).`,
    ...upToWhere(),
  ],
  'src/http/schemas.ts': [
    `Of a million unrelated uploads at most ${strong.under(1e3)} are strong and ${near.under(1e3)} near among a thousand images, ` +
      `${bothOf('under', 1e6)} among a million, ${bothOf('under', 1e7)} among ten million; ` +
      `counted are ${SIZES.map((images) => bothOf('counted', images)).join(', ')} (of ${near.million} million pairs). ` +
      `Extended protection may add to near at most ${details.under(1e3)}, ${details.under(1e6)} and ${details.under(1e7)}: ` +
      `${details.found === 0 ? 'none' : details.found} of ${details.million} million pairs was.`,
  ],
  'README.md': [
    `Unrelated pictures: ${strong.pairs} pairs were graded \`strong\`, at most ${near.pairs} \`near\`.`,
    `at a million images that is some ${inWords(1e3 * near.rate * 1e6)} wrong flags in a thousand uploads`,
  ],
  'docs/decisions/0098-require-independent-views.md': [
    `\`near\` is false in at most ${inPowers(near.rate)} of ${near.million} million pairs, the goal being 1e-8.`,
  ],
  'bench/record/video.md': [`\`near\` is ${inPowers(near.rate)} of pairs of pictures`],
  'packages/core/src/matching/registry-size.ts': [
    `today's thresholds: ${strong.pairs} and ${near.pairs} (bench/record/false-matches.json)`,
  ],
}

t.test('false matches for an upload follow from one count of pairs, wherever they are told', async (t) => {
  for (const [path, phrases] of Object.entries(PHRASES)) {
    const text = read(path)
    for (const phrase of phrases) t.ok(text.includes(phrase), `${path}: ${phrase}`)
  }
  t.ok(isUpperEnd(FALSE_RATES_A_PAIR.strong, strong.bound), 'strong')
  t.ok(isUpperEnd(FALSE_RATES_A_PAIR.near, near.bound), 'near')
  t.ok(isUpperEnd(UNMODELLED_RATES_A_PAIR.details, details.bound), 'details')
  t.ok(isUpperEnd(UNMODELLED_RATES_A_PAIR.line, line.bound), 'line')
})

/** A row of the table of what is expected for an upload. */
function rowOf(name: string, { pairs, counted, under }: ReturnType<typeof told>): string {
  return `| ${[name, pairs, ...SIZES.map((images) => `${counted(images)}, under ${under(images)}`)].join(' | ')} |`
}

/** Of `strong` and of `near`. */
function bothOf(how: 'counted' | 'under', images: number): string {
  return `${strong[how](images)} and ${near[how](images)}`
}

/** Up to how many images the goals hold, and what does not count beyond how many. */
function upToWhere(): readonly string[] {
  const most = (grade: 'strong' | 'near') => rounded(GOALS_AN_UPLOAD[grade] / FALSE_RATES_A_PAIR[grade], 2, Math.floor)
  const fitting = (rate: number) => Math.floor(GOALS_AN_UPLOAD.near / (FALSE_RATES_A_PAIR.near + rate)).toLocaleString('en')
  const same = (GOALS_AN_UPLOAD.strong / FALSE_RATES_A_PAIR.strong) * 10 ** (DECADES_A_BIT * SIGNAL_TYPES.pdq.thresholdBits)
  return [
    `**hold up to ${most('strong')} (\`strong\`) and ${most('near')} (\`near\`)** images`,
    `equal pictures do up to ${rounded(same, 3, Math.floor)} images`,
    `details beyond ${fitting(UNMODELLED_RATES_A_PAIR.details)} images`,
    `beyond ${fitting(UNMODELLED_RATES_A_PAIR.line)}.`,
    `(${line.found} false of ${line.millionPairs} million pairs)`,
  ]
}

function inPowers(rate: number): string {
  return rate.toExponential(1)
}

function inWords(value: number): string {
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
  return words[Math.round(value)] ?? String(Math.round(value))
}

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

/** Is it the bound, rounded up to three digits at most? */
function isUpperEnd(constant: number, bound: number): boolean {
  return constant >= bound && constant < bound * 1.011
}
