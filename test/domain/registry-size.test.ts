// The false match rate of a grade per upload; the model promises no more than the measured tail.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import {
  DECADES_A_BIT,
  EVIDENCE,
  FALSE_RATES_A_PAIR,
  falseRateAnUpload,
  GOALS_AN_UPLOAD,
  largestBits,
  tighterBits,
} from '../../src/domain/matching/registry-size.js'

const grade = fc.constantFrom('strong' as const, 'near' as const)
const size = fc.integer({ min: 0, max: 100_000_000 })

t.test('the false match rate grows with the registry and never exceeds one', async (t) => {
  t.equal(falseRateAnUpload('near', 0), 0)
  t.match(falseRateAnUpload('near', 1_000_000).toFixed(4), '0.0099')
  t.match(falseRateAnUpload('near', 10_000_000).toFixed(3), '0.094')
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
    EVIDENCE.map((evidence) => largestBits('near', evidence, 10_000)),
    [31, 42, 112],
  )
  t.same(
    [1e3, 1e6, 1e7].map((images) => EVIDENCE.map((evidence) => largestBits('strong', evidence, images))),
    [
      [30, 41, 87],
      [undefined, 5, 51],
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
