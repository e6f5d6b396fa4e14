// The benchmark of media files decides what works: how it judges a row of a manifest, counts rows, and which options it
// refuses.

import { join, resolve } from 'node:path'
import t from 'tap'

interface Answer {
  readonly status?: number
  readonly code?: string
  readonly failed?: string
  readonly pdq?: string
  readonly found?: string
  readonly outcome?: string
}
interface Wrong {
  readonly check: string
  readonly expected: string
  readonly actual: string
}
type Seen = Readonly<Record<string, Answer | undefined>>
interface Judge {
  readonly judge: (expect: object, seen: Seen) => readonly Wrong[]
  readonly uncheckedFields: (expect: object) => readonly string[]
}
interface Report {
  readonly summaryOf: (rows: readonly object[], options: { readonly skipsPage: boolean }) => object
  readonly formatsOf: (rows: readonly object[]) => object
}

interface Options {
  readonly optionsOf: (words: readonly string[]) => {
    readonly entries: readonly { readonly file: string; readonly kind: string }[]
  }
}

const BENCH = resolve(import.meta.dirname, '../../../bench')
const { judge, uncheckedFields }: Judge = await import(join(BENCH, 'media/judge.mjs'))
const { optionsOf }: Options = await import(join(BENCH, 'media/options.mjs'))
const { summaryOf, formatsOf }: Report = await import(join(BENCH, 'media/report.mjs'))

const HASH = 'f'.repeat(64)
const TWO_BITS_OFF = `c${'f'.repeat(63)}`
const REJECTED = { status: 422, code: 'image-undecodable' }
const HASHED = { status: 200, pdq: HASH }

t.test('a row is judged by a status, a status with its code, or alternatives', async (t) => {
  for (const [expected, answer, isRight] of [
    [201, { status: 201 }, true],
    [200, { status: 200 }, true],
    [422, REJECTED, true],
    [201, REJECTED, false],
    [[422, 'image-undecodable'], REJECTED, true],
    [[422, 'quality-too-low'], REJECTED, false],
    [[415, 'image-undecodable'], REJECTED, false],
    [[201, [422, 'image-undecodable']], { status: 201 }, true],
    [[201, [422, 'image-undecodable']], REJECTED, true],
    [[201, [422, 'image-undecodable']], { status: 422, code: 'quality-too-low' }, false],
    [[201, 202], { status: 202 }, true],
    [201, { failed: 'no answer: ECONNRESET' }, false],
  ] as const) {
    const wrong = judge({ register: expected }, { register: answer, match: HASHED })
    t.equal(wrong.length, isRight ? 0 : 1, `${JSON.stringify(expected)}: ${JSON.stringify(answer)}`)
  }
  t.same(judge({ match: [200, [422, 'quality-too-low']] }, { match: REJECTED }), [
    { check: 'match', expected: '200 or 422 quality-too-low', actual: '422 image-undecodable' },
  ])
  t.match(judge({ match: 200 }, { match: { failed: 'no answer: ECONNRESET' } }), [{ actual: 'no answer: ECONNRESET' }])
})

t.test('a row is judged by the distance of the hash from the expected one', async (t) => {
  t.same(judge({ pdq: HASH, maxBits: 2 }, { match: { ...HASHED, pdq: TWO_BITS_OFF } }), [])
  t.same(judge({ pdq: HASH, maxBits: 1 }, { match: { ...HASHED, pdq: TWO_BITS_OFF } }), [
    { check: 'bits', expected: 'at most 1 bits', actual: '2 bits' },
  ])
  const actual = 'no hash (422 image-undecodable)'
  t.match(judge({ pdq: HASH, maxBits: 256 }, { match: REJECTED }), [{ check: 'bits', actual }], 'a missing hash is wrong')
})

t.test('a row is judged by what its query finds', async (t) => {
  const asked = (asking: Answer) => judge({ asking: { finds: 'a' } }, { match: HASHED, asking })
  t.same(asked({ found: 'near whole, 20 bits' }), [])
  t.same(asked({ status: 200 }), [{ check: 'asking', expected: 'finds a', actual: 'not found' }])
  t.match(asked(REJECTED), [{ actual: '422 image-undecodable' }])
  t.match(asked({ failed: 'no answer: ECONNRESET' }), [{ actual: 'no answer: ECONNRESET' }])
})

t.test('a row is judged by the outcome on the page and the distance from the server’s hash', async (t) => {
  const asked = (page: object, answer: Answer | undefined, match: Answer = HASHED) =>
    judge({ page }, { match, page: answer })
  for (const [outcome, actual, isRight] of [
    ['hashed', 'hashed', true],
    ['hashed', 'upload', false],
    ['hashed, or upload', 'upload', true],
    ['upload or damaged', 'damaged', true],
    ['upload or damaged', 'hashed', false],
    ['hashed or no-memory', 'no-memory', true],
    ['any', 'too-plain', true],
  ] as const) {
    t.equal(asked({ outcome }, { outcome: actual }).length, isRight ? 0 : 1, `${outcome}: ${actual}`)
  }
  const far = { outcome: 'hashed', pdq: TWO_BITS_OFF }
  t.same(asked({ outcome: 'hashed', maxBitsFromServer: 2 }, far), [])
  t.same(asked({ outcome: 'any', maxBitsFromServer: 1 }, far), [
    { check: 'pageBits', expected: 'at most 1 bits', actual: '2 bits' },
  ])
  t.same(asked({ outcome: 'hashed' }, far), [], 'no distance is expected')
  t.same(asked({ outcome: 'hashed', maxBitsFromServer: 1 }, far, REJECTED), [], 'only where both have a hash')
  t.match(
    asked({ outcome: 'any' }, { failed: 'no outcome' }),
    [{ check: 'page' }],
    'a missing outcome does not count as any outcome',
  )
  t.same(asked({ outcome: 'hashed' }, undefined), [], 'the page was not tested')
})

t.test('a field that no check uses is named', async (t) => {
  t.same(uncheckedFields({ register: 201, match: 200, asking: {}, pdq: HASH, pdqBy: '', maxBits: 1, page: {} }), [])
  t.same(uncheckedFields({ match: 200, parts: [] }), ['parts'])
})

t.test('a row counts once in each figure', async (t) => {
  const seen = { register: { status: 201 }, match: HASHED, page: { outcome: 'hashed' } }
  const wrongIn = (...checks: string[]) => checks.map((check) => ({ check, expected: '', actual: '' }))
  const row = { kind: 'png', expect: { pdq: HASH }, seen }
  const rows = [
    { ...row, wrong: [] },
    { ...row, wrong: wrongIn('match', 'asking', 'page', 'pageBits') },
    { ...row, wrong: wrongIn('register', 'bits') },
    { ...row, kind: 'padded', expect: {}, seen: { match: REJECTED }, wrong: wrongIn('match'), isMade: true },
  ]
  const figures = { files: 3, wrong: 3, registerWrong: 1, matchWrong: 2, bitsWrong: 1, pageWrong: 1 }
  t.same(summaryOf(rows, { skipsPage: false }), figures)
  t.same(summaryOf(rows, { skipsPage: true }), { ...figures, pageWrong: null }, 'unmeasured is not right')
  t.match(formatsOf(rows), {
    png: { tried: 3, accepted: 3, hashes: 3, hashRight: 2, pages: 3, pageAgrees: 2 },
    padded: { tried: 1, accepted: 0, hashes: 0, pages: 0 },
  })
})

t.test('the options select the files that are sent', async (t) => {
  const picture = { file: 'files/one.png', kind: 'png', expect: {} }
  const other = { file: 'files/two.gif', kind: 'gif', expect: {} }
  const padded = { from: 'files/one.png', appendZeros: 100, expect: {} }
  const folder = t.testdir({ 'manifest.json': JSON.stringify({ files: [picture, other], padded }) })
  const sent = (...words: string[]) =>
    optionsOf(['--folder', folder, '--skip-page', ...words]).entries.map(({ file, kind }) => `${kind} ${file}`)

  t.same(sent(), ['png files/one.png', 'gif files/two.gif', 'padded files/one.png'])
  t.same(sent('--only', 'gif,padded'), ['gif files/two.gif', 'padded files/one.png'])
  t.same(sent('--only', 'one.png'), ['png files/one.png'], 'a file name does not select the file made from it')
  for (const [words, said] of [
    [[], /--folder must be given/],
    [['--folder', join(folder, 'gone')], /--folder: ENOENT/],
    [['--folder', folder, '--only', 'heic'], /--only: the manifest has nothing of heic/],
    [['--folder', folder, '--chromium', join(folder, 'gone')], /--chromium: there is no/],
    [['--folder', folder, '--skip-page', '--url', 'http://127.0.0.1'], /--url needs --key-file/],
    [['--unheard'], /--unheard/],
  ] as const) {
    t.throws(() => optionsOf(words), { message: said })
  }
})
