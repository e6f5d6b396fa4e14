// The false match rate of a grade per upload; the model promises no more than the measured tail.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { aloneBits } from '../../packages/core/src/matching/evidence.js'
import { GRADES, type Grade, gradeOf } from '../../packages/core/src/matching/grade.js'
import {
  comparedImages,
  DECADES_A_BIT,
  EVIDENCE,
  FALSE_RATES_A_PAIR,
  falseRateAnUpload,
  GOALS_AN_UPLOAD,
  largestBits,
  PER_PAIR,
  perUpload,
  tighterBits,
  UNMODELLED_RATES_A_PAIR,
} from '../../packages/core/src/matching/registry-size.js'
import { VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { runs } from '../helpers/runs.js'

const grade = fc.constantFrom('strong' as const, 'near' as const)
const size = fc.integer({ min: 0, max: 100_000_000 })

t.test('the false match rate grows with the registry and never exceeds one', async (t) => {
  t.equal(falseRateAnUpload('near', 0), 0)
  t.match(falseRateAnUpload('near', 1_000_000).toFixed(4), '0.0106')
  t.match(falseRateAnUpload('near', 10_000_000).toFixed(3), '0.101')
  fc.assert(
    fc.property(grade, size, size, (of, a, b) => {
      const [few, many] = [Math.min(a, b), Math.max(a, b)]
      assert.ok(falseRateAnUpload(of, few) <= falseRateAnUpload(of, many))
      assert.ok(falseRateAnUpload(of, many) <= 1)
    }),
  )
})

t.test('distances are tightened exactly as far as the model needs to keep the goals', async () => {
  fc.assert(
    fc.property(grade, size, (of, images) => {
      const tighter = tighterBits(of, images)
      const rate = (bits: number) => images * FALSE_RATES_A_PAIR[of] * 10 ** (-DECADES_A_BIT * bits)
      assert.ok(rate(tighter) <= GOALS_AN_UPLOAD[of] * (1 + 1e-9))
      if (tighter > 0) assert.ok(rate(tighter - 1) > GOALS_AN_UPLOAD[of])
    }),
  )
})

t.test('a larger registry needs nearer matches, and strong ones are never farther than near ones', async (t) => {
  t.same(
    EVIDENCE.map((evidence) => largestBits('near', evidence, 9_300)),
    [31, 42, 112],
  )
  t.same(
    [1e3, 1e6, 1e7].map((images) => EVIDENCE.map((evidence) => largestBits('strong', evidence, images))),
    [
      [30, 41, 87],
      [undefined, 6, 52],
      [undefined, undefined, 40],
    ],
  )
  fc.assert(
    fc.property(fc.constantFrom(...EVIDENCE), grade, size, size, (evidence, of, a, b) => {
      const bits = (images: number) => largestBits(of, evidence, images) ?? -1
      assert.ok(bits(Math.max(a, b)) <= bits(Math.min(a, b)))
      assert.ok((largestBits('strong', evidence, a) ?? -1) <= (largestBits('near', evidence, a) ?? -1))
    }),
  )
})

/** A query view and what it came near to; the sums as `Corroborations` gives them. */
const facts = fc
  .record({
    bank: fc.constantFrom(CASES_BANK, { ...CASES_BANK, thresholdBits: { pdq: 12, 'pdq-area': 25 } }),
    signalType: fc.constantFrom(...SIGNAL_TYPE_NAMES),
    views: fc.record({
      asked: fc.constantFrom(...VIEW_NAMES),
      registered: fc.constantFrom(...VIEW_NAMES),
      rotated: fc.boolean(),
      content: fc.constantFrom('full' as const, 'plain' as const, 'symmetric' as const),
    }),
    distanceBits: fc.integer({ min: 0, max: 56 }),
    corroborated: fc.boolean(),
    sum: fc.option(fc.integer({ min: 0, max: 120 }), { nil: Number.POSITIVE_INFINITY }),
    isNeverStrong: fc.boolean(),
  })
  .map(({ sum, isNeverStrong, ...rest }) => ({
    ...rest,
    ...(SIGNAL_TYPES[rest.signalType].maxThresholdBits === 0 && { distanceBits: 0 }),
    togetherBits: isNeverStrong ? Math.max(sum, 91) : sum,
    nearTogetherBits: sum,
  }))
type Facts = typeof facts extends fc.Arbitrary<infer T> ? T : never

/** How many bits nearer than today's limits the evidence is, by the path that is the farthest inside; negative if it has none. */
function sparesOf({ signalType, views, distanceBits, corroborated, togetherBits, nearTogetherBits }: Facts) {
  const areWholes = views.asked === 'whole' && views.registered === 'whole'
  const alone = signalType === 'blockhash' ? -1 : aloneBits(signalType, views)
  const agrees = corroborated && views.registered !== 'deframed' && alone >= 0
  return {
    exact: signalType === 'pdq' && distanceBits === 0 && corroborated && areWholes ? 31 : -1,
    strong: Math.max(88 - togetherBits, agrees ? alone - distanceBits : -1),
    near: Math.max(112 - nearTogetherBits, alone - distanceBits),
  }
}

t.test('each grade of per-upload keeps its goal by the model, and none is lowered that keeps it', async () => {
  // Counted one bit at a time, from the figures of the record.
  const mayGive = (spareBits: number, rate: number, goal: number, images: number) => {
    if (spareBits < 0) return false
    let bits = 0
    while (images * rate * 10 ** (-0.085 * bits) > goal) bits++
    return bits <= spareBits
  }
  let lowered = 0
  fc.assert(
    fc.property(facts, fc.oneof(size, fc.integer({ min: 2, max: 30_000 })), (of, images) => {
      const today = gradeOf({ ...of, strictness: PER_PAIR })
      const strict = gradeOf({ ...of, strictness: perUpload(images) })
      if (of.signalType === 'sha256') return assert.equal(strict, 'exact')
      if (of.signalType === 'video_md5') return assert.match(strict, /strong|near/)
      const spares = sparesOf(of)
      const [isExact, isStrong] = [spares.exact, spares.strong].map((bits) => mayGive(bits, 1.14e-9, 1e-6, images))
      const isNear = mayGive(spares.near, 1.07e-8, 1e-4, images)
      // Blockhash decides only in a registry where nothing is stricter.
      const isBlockhash = of.signalType === 'blockhash' && today === 'strong' && images * 1.14e-9 <= 1e-6
      const best = isExact ? 'exact' : isStrong || isBlockhash ? 'strong' : isNear ? 'near' : 'review'
      assert.equal(strict, GRADES[Math.max(GRADES.indexOf(best), GRADES.indexOf(today))])
      if (strict !== today) lowered++
    }),
    { numRuns: runs(2000) },
  )
  assert.ok(lowered > runs(100), `${lowered} were lowered`)
})

t.test('per-upload never raises a grade, changes none among few images, and gives no better one among more', async () => {
  const rank = (grade: Grade) => GRADES.indexOf(grade)
  fc.assert(
    fc.property(facts, size, size, (of, a, b) => {
      const gradeIn = (images: number) => rank(gradeOf({ ...of, strictness: perUpload(images) }))
      const today = rank(gradeOf({ ...of, strictness: PER_PAIR }))
      assert.equal(gradeIn(1), today)
      assert.equal(gradeIn(800), today)
      assert.ok(gradeIn(Math.min(a, b)) <= gradeIn(Math.max(a, b)))
    }),
    { numRuns: runs(500) },
  )
  assert.equal(perUpload(1), PER_PAIR)
})

t.test('what has no model counts only while it fits into what hashes leave of the goal', async (t) => {
  for (const [trusts, rate] of [
    ['trustsDetails', UNMODELLED_RATES_A_PAIR.details],
    ['trustsLines', UNMODELLED_RATES_A_PAIR.line],
  ] as const) {
    const most = Math.floor(1e-4 / (rate + 1.07e-8))
    t.equal(perUpload(most)[trusts], true, trusts)
    t.equal(perUpload(most + 1)[trusts], false, trusts)
  }
  t.equal(perUpload(1_000_000).trustsLines, false)
  t.equal(perUpload(9_000, 5).trustsLines, false, 'frames leave little of the goal')
  t.match(perUpload(1_000, 5), { trustsLines: true, tighter: { strong: 1, near: 0 } })
})

t.test('the same PDQ is exact as long as 0 bits are near enough to be strong', async (t) => {
  const views = { asked: 'whole', registered: 'whole', rotated: false, content: 'full' } as const
  const same = { bank: CASES_BANK, signalType: 'pdq', views, distanceBits: 0, corroborated: true } as const
  const alone = { togetherBits: Number.POSITIVE_INFINITY, nearTogetherBits: Number.POSITIVE_INFINITY }
  const gradeIn = (images: number) => gradeOf({ ...same, ...alone, strictness: perUpload(images) })
  t.equal(gradeIn(378_000), 'exact')
  t.equal(gradeIn(379_000), 'near')
  t.equal(gradeIn(5_000_000), 'review')
})

t.test('frames of videos count as pictures', async (t) => {
  t.equal(comparedImages(10, 4), 10, 'images without PDQ')
  t.equal(comparedImages(10, 400), 400)
})

t.test('the measured tail falls at least as fast as the model', async (t) => {
  const STRETCH_BITS = 16
  const ENOUGH_PAIRS = 5
  const lines = readFileSync(new URL('../../../docs/robustness/false-rates.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  let stretches = 0
  for (const type of ['pdq', 'pdq-area']) {
    const found = new Map<number, number>()
    for (const [of, asked, registered, bits, , falsePairs] of lines.map((line) => line.split(',')))
      if (of === type && asked === 'any' && registered === 'any') found.set(Number(bits), Number(falsePairs))
    for (const [bits, pairs] of found) {
      const farther = found.get(bits + STRETCH_BITS)
      if (pairs < ENOUGH_PAIRS || farther === undefined) continue
      stretches++
      const decades = Math.log10(farther / pairs) / STRETCH_BITS
      t.ok(decades >= DECADES_A_BIT, `${type}, ${bits} bits: ${decades.toFixed(3)}`)
    }
  }
  t.ok(stretches >= 10)
})
