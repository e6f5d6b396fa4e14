import t from 'tap'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { aloneBits, matchBits, PAIR_SUM_BITS, WHOLE_VIEWS } from '../../packages/core/src/matching/evidence.js'
import { distanceBandOf, gradeOf as gradeOfFacts, type MatchFacts } from '../../packages/core/src/matching/grade.js'
import { PER_PAIR } from '../../packages/core/src/matching/registry-size.js'

const facts = {
  bank: CASES_BANK,
  signalType: 'pdq',
  views: WHOLE_VIEWS,
  corroborated: false,
  togetherBits: Number.POSITIVE_INFINITY,
} as const

/** With the grades of `per-pair`, where nothing keeps the sum from being strong. */
function gradeOf(facts: Omit<MatchFacts, 'nearTogetherBits' | 'strictness'>) {
  return gradeOfFacts({ ...facts, nearTogetherBits: facts.togetherBits, strictness: PER_PAIR })
}

t.test('the grade follows the type, the distance and the corroboration of a match', async (t) => {
  t.equal(gradeOf({ ...facts, distanceBits: 0 }), 'near', 'a picture can be bent to any PDQ')
  t.equal(gradeOf({ ...facts, distanceBits: 0, corroborated: true }), 'exact')
  const ofPart = { ...WHOLE_VIEWS, registered: 'crop' } as const
  t.equal(gradeOf({ ...facts, views: ofPart, distanceBits: 0, corroborated: true }), 'strong', 'the part is the same')
  t.equal(gradeOf({ ...facts, distanceBits: 1 }), 'near')
  t.equal(
    gradeOf({ ...facts, signalType: 'blockhash', distanceBits: 0 }),
    'review',
    'blockhash is too coarse to decide alone',
  )
  t.equal(gradeOf({ ...facts, signalType: 'blockhash', distanceBits: 0, corroborated: true }), 'strong')
  const banks = { ...CASES_BANK, thresholdBits: { blockhash: 3 } }
  t.equal(gradeOf({ ...facts, bank: banks, signalType: 'blockhash', distanceBits: 3 }), 'review', 'whatever a bank sets')
  t.equal(gradeOf({ ...facts, signalType: 'sha256', distanceBits: 0 }), 'exact')
  for (const corroborated of [false, true])
    t.equal(
      gradeOf({ ...facts, signalType: 'video_md5', distanceBits: 0, corroborated }),
      'near',
      'two files can have one MD5',
    )
  t.equal(gradeOf({ ...facts, distanceBits: 31 }), 'near', 'the threshold is inclusive')
  t.equal(gradeOf({ ...facts, distanceBits: 31, corroborated: true }), 'strong')
  t.equal(
    gradeOf({ ...facts, distanceBits: 32, corroborated: true }),
    'review',
    'beyond the threshold no match is to be acted on',
  )
})

t.test('two corroborating views extend a match beyond a single view, and make it strong if near', async (t) => {
  const viewed = { ...facts, signalType: 'pdq-area' } as const
  const [alone, widest] = [aloneBits('pdq-area', WHOLE_VIEWS), matchBits('pdq-area', WHOLE_VIEWS)]
  const { match, strong } = PAIR_SUM_BITS

  t.equal(gradeOf({ ...viewed, distanceBits: 0 }), 'near', 'a frame that many pictures share may be 0 bits away')
  t.equal(gradeOf({ ...viewed, distanceBits: alone }), 'near')
  t.equal(gradeOf({ ...viewed, distanceBits: alone + 1 }), 'review')
  t.equal(gradeOf({ ...viewed, distanceBits: widest, togetherBits: match }), 'near')
  t.equal(gradeOf({ ...viewed, distanceBits: widest, togetherBits: match + 1 }), 'review')
  t.equal(gradeOf({ ...viewed, distanceBits: widest + 1, togetherBits: strong }), 'review')
  t.equal(gradeOf({ ...viewed, distanceBits: alone, togetherBits: strong }), 'strong')
  t.equal(gradeOf({ ...viewed, distanceBits: alone, togetherBits: strong + 1 }), 'near')
  const bank = { ...CASES_BANK, thresholdBits: { 'pdq-area': widest } }
  t.equal(gradeOf({ ...viewed, bank, distanceBits: widest }), 'review', 'a bank’s threshold is no corroboration')
})

t.test('a second algorithm makes strong only what one decides alone', async (t) => {
  const viewed = { ...facts, signalType: 'pdq-area', corroborated: true } as const
  const alone = aloneBits('pdq-area', WHOLE_VIEWS)
  t.equal(gradeOf({ ...viewed, distanceBits: alone }), 'strong')
  t.equal(gradeOf({ ...viewed, distanceBits: alone + 1 }), 'review')
  const deframed = { ...WHOLE_VIEWS, registered: 'deframed' } as const
  t.equal(gradeOf({ ...viewed, views: deframed, distanceBits: 5 }), 'near', 'it says nothing about a deframed part')
  const wide = { ...CASES_BANK, thresholdBits: { pdq: 45 } }
  t.equal(gradeOf({ ...facts, bank: wide, distanceBits: 31, corroborated: true }), 'strong')
  t.equal(
    gradeOf({ ...facts, bank: wide, distanceBits: 32, corroborated: true }),
    'review',
    'a bank’s threshold makes no match surer',
  )
})

t.test('a bank’s own threshold applies to its signals', async (t) => {
  const bank = { ...CASES_BANK, thresholdBits: { pdq: 10 } }
  t.equal(gradeOf({ ...facts, bank, distanceBits: 10 }), 'near')
  t.equal(gradeOf({ ...facts, bank, distanceBits: 11 }), 'review')
})

t.test('distance bands cover exactly the distances that a match may have', async (t) => {
  const names = [0, 1, 15, 16, 31, 32, 45, 46, 60, 61, 90].map(distanceBandOf)
  t.same(names, ['0', '1-15', '1-15', '16-31', '16-31', '32-45', '32-45', '46-60', '46-60', '61-90', '61-90'])
  t.throws(() => distanceBandOf(91), RangeError)
})
