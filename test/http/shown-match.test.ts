// The hand-written JSON of a match is exactly what the schema would write.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { t } from 'tap'
import { z } from 'zod'
import { DISTANCE_BANDS, GRADES } from '../../packages/core/src/matching/grade.js'
import { CATEGORY_NAMES, TIER_NAMES, VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { ROW_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { PROBLEM_CODES, Problem } from '../../src/domain/problem.js'
import { problemBody } from '../../src/http/problems.js'
import { MatchResult, type ResultParts, resultText, shownMatch } from '../../src/http/shown-match.js'
import type { Match } from '../../src/services/matching/match.js'
import { runs } from '../helpers/runs.js'

const side = fc.double({ min: 0, max: 1, noNaN: true })

const span = fc.record({ fromMs: fc.nat(600_000), toMs: fc.nat(600_000) })
const segment = fc.record({
  query: span,
  registered: span,
  speed: fc.double({ min: -1, max: 2, noNaN: true }),
  frames: fc.integer({ min: 1, max: 2400 }),
  transform: fc.constantFrom(...transforms.map(({ name }) => name)),
  distanceBand: fc.constantFrom(...DISTANCE_BANDS),
})

const match: fc.Arbitrary<Match> = fc.record(
  {
    matchId: fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    grade: fc.constantFrom(...GRADES),
    distanceBits: fc.integer({ min: 0, max: 90 }),
    distanceBand: fc.constantFrom(...DISTANCE_BANDS),
    signalType: fc.constantFrom(...ROW_TYPES),
    view: fc.constantFrom(...VIEW_NAMES, 'details' as const),
    transform: fc.constantFrom(...transforms.map(({ name }) => name)),
    bank: fc.oneof(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/), fc.string()),
    tier: fc.constantFrom(...TIER_NAMES),
    category: fc.constantFrom(undefined, ...CATEGORY_NAMES),
    disputed: fc.boolean(),
    atMs: fc.nat(600_000),
    queryMs: fc.nat(600).map((seconds) => 1000 * seconds),
    segments: fc.array(segment, { minLength: 1, maxLength: 3 }),
    details: fc.record({
      inliers: fc.integer({ min: 8, max: 300 }),
      surplus: fc.nat(300),
      region: fc.record({ left: side, top: side, right: side, bottom: side }),
    }),
  },
  {
    requiredKeys: [
      'matchId',
      'grade',
      'distanceBits',
      'distanceBand',
      'signalType',
      'view',
      'transform',
      'bank',
      'tier',
      'category',
      'disputed',
    ],
  },
)

const result: fc.Arbitrary<ResultParts> = fc.record({
  id: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
  matches: fc.array(match, { maxLength: 4 }),
  isTruncated: fc.boolean(),
  problem: fc.option(
    fc.constantFrom(...PROBLEM_CODES).map((code) => new Problem(code, { retryAfterS: 3 })),
    { nil: undefined },
  ),
  mayKnowDistance: fc.boolean(),
})

t.test('a result is written byte for byte as the schema would write it', async () => {
  fc.assert(
    fc.property(result, (parts) => {
      const { id, matches, isTruncated, problem, mayKnowDistance } = parts
      const shown = {
        ...(id !== undefined && { id }),
        matches: matches.map((one) => shownMatch(one, mayKnowDistance)),
        ...(isTruncated && { truncated: true as const }),
        ...(problem !== undefined && { problem: problemBody(problem) }),
      }
      assert.equal(resultText(parts), JSON.stringify(z.encode(MatchResult, shown)))
    }),
    { numRuns: runs(300) },
  )
})

t.test('the time in a video is rounded down to the second', async () => {
  fc.assert(
    fc.property(match, fc.nat(600_000), (one, atMs) => {
      const shown = shownMatch({ ...one, atMs }, true).atMs ?? -1
      assert.ok(shown % 1000 === 0 && shown <= atMs && shown > atMs - 1000)
    }),
  )
})

t.test('a result has no other fields of a match, and no distance without the scope', async () => {
  fc.assert(
    fc.property(match, (one) => {
      const known = { ...one, hash: 'secret', imageId: 'secret', ordinal: 1 }
      const parts = { id: undefined, matches: [known], isTruncated: false, problem: undefined, mayKnowDistance: false }
      assert.doesNotMatch(resultText(parts), /secret|ordinal|distanceBits|surplus|"inliers"/)
    }),
  )
})
