import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  acceptsImages,
  CASE_ACTIONS,
  CASE_STATES,
  caseNumberFrom,
  parseCaseNumber,
  parsePin,
} from '../../src/domain/cases/case.js'

t.test('a case number is read in every way that people write or speak it', async () => {
  const written = fc.tuple(
    fc.uint8Array({ minLength: 12, maxLength: 12 }),
    fc.constantFrom('', ' ', '-', ' - ', '–', '\u2011', '－', '\u3000'),
    fc.boolean(),
  )
  fc.assert(
    fc.property(written, ([random, separator, lower]) => {
      const number = caseNumberFrom(random)
      const spoken = number.slice(4).replaceAll('-', separator).replaceAll('0', 'O').replaceAll('1', 'l')
      assert.equal(parseCaseNumber(number), number)
      assert.equal(parseCaseNumber(lower ? spoken.toLowerCase() : spoken), number)
      assert.equal(parseCaseNumber(wide(spoken)), number)
    }),
  )
})

t.test('a case number may begin with TBR after its prefix', async (t) => {
  const number = 'TBR-TBR7-TBRT-BR00'
  for (const text of [number, 'TBR7TBRTBR00', 'tbr7 tbrt br00', 'TBRTBR7TBRTBR00'])
    t.equal(parseCaseNumber(text), number, text)
})

t.test('a text that cannot be a case number is rejected', async (t) => {
  for (const text of [
    '',
    'TBR',
    'TBR-0000-0000-000',
    'TBR-0000-0000-00000',
    'TBR-UUUU-0000-0000',
    'x'.repeat(4000),
    'TBR-0000-0000-000é',
  ]) {
    t.equal(parseCaseNumber(text), undefined)
  }
})

t.test('a PIN and a recovery code are read as keyboards of other scripts and marks of direction write them', async (t) => {
  for (const text of [
    '012 345',
    '０１２３４５',
    '٠١٢٣٤٥',
    '۰۱۲۳۴۵',
    '०१२३४५',
    '০১২৩৪৫',
    '௦௧௨௩௪௫',
    '๐๑๒๓๔๕',
    '၀၁၂၃၄၅',
    '\u2068012345\u2069',
  ])
    t.equal(parsePin(text), '012345', text)
  t.equal(parsePin('٠١٢٣ ٤٥٦٧ ٨٩٠١ ٢٣٤٥'), '0123456789012345')
  t.equal(parseCaseNumber('\u2066TBR-٠١٢٣-0000-000A\u2069'), 'TBR-0123-0000-000A')
  for (const text of ['٠١٢٣٤', '01234a', '¹²³⁴⁵', '']) t.equal(parsePin(text), undefined, text)
})

t.test('the state of a case moves forward only, and nothing follows on erasure', async (t) => {
  const steps = Object.values(CASE_ACTIONS).flatMap(({ from, to }) =>
    to === undefined ? [] : from.filter((state) => state !== to).map((state) => `${state}>${to}`),
  )
  t.same(steps.toSorted(), [
    ...['active>expired', 'active>withdrawn', 'expired>erased'],
    ...['open>active', 'open>expired', 'open>withdrawn', 'withdrawn>erased'],
  ])
})

t.test('only an open or active case takes images', async (t) => {
  t.same(CASE_STATES.filter(acceptsImages), ['open', 'active'])
})

/** As an input method for Chinese writes letters and digits. */
function wide(text: string): string {
  return text.replaceAll(/[!-~]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0))
}
