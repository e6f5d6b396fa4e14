// Compares the answers of the service and the page for one file with its row of the manifest. Only what the manifest allows is right.

import { distance, parseHash } from '../../dist/packages/hash/src/hash256.js'

/** Each check, and the figure of the summary that counts it. */
export const FIGURE_OF = {
  register: 'registerWrong',
  match: 'matchWrong',
  asking: 'matchWrong',
  bits: 'bitsWrong',
  page: 'pageWrong',
  pageBits: 'pageWrong',
}

const EXPECTED_FIELDS = new Set(['register', 'match', 'pdq', 'pdqBy', 'maxBits', 'asking', 'page', 'today'])

/** @returns fields of an expectation that nothing here checks. A manifest that has one asks for more than is measured. */
export function uncheckedFields(expect) {
  return Object.keys(expect).filter((field) => !EXPECTED_FIELDS.has(field))
}

/**
 * @param {any} expect of the manifest: `register` and `match`, `pdq` with `maxBits`, `asking.finds`, `page.outcome` and `page.maxBitsFromServer`;
 *   each is checked where it is given.
 * @param {any} seen `register` and `match`: `{ status, code }`, or `{ failed }` where no answer came; `match.pdq` and `page.pdq`: 64 hex digits,
 *   where there is a hash; `asking`: `{ found }`, `{ status, code }` or `{ failed }`; `page`: `{ outcome }` or `{ failed }`, or `undefined` where the
 *   page was not asked.
 * @returns {{ check: string, expected: string, actual: string }[]} every check that is wrong.
 */
export function judge(expect, seen) {
  return [
    expect.register !== undefined && judgeAnswer('register', expect.register, seen.register),
    expect.match !== undefined && judgeAnswer('match', expect.match, seen.match),
    expect.pdq !== undefined && judgeBits('bits', expect.maxBits, seen.match, bitsBetween(expect.pdq, seen.match.pdq)),
    expect.asking !== undefined && judgeAsking(expect.asking, seen.asking),
    ...(expect.page === undefined || seen.page === undefined ? [] : judgePage(expect.page, seen)),
  ].filter((wrong) => wrong !== false)
}

/** @returns `false` when it is right, as all judges here. */
function judgeAnswer(check, expected, answer) {
  const isRight = alternatives(expected).some((one) => isAnswer(one, answer))
  return !isRight && { check, expected: alternatives(expected).map(statusText).join(' or '), actual: answerText(answer) }
}

/** A status, `[status, code]`, or a list of such. */
function alternatives(expected) {
  if (!Array.isArray(expected)) return [expected]
  return expected.length === 2 && typeof expected[1] === 'string' ? [expected] : expected
}

function isAnswer(expected, { status, code }) {
  return Array.isArray(expected) ? status === expected[0] && code === expected[1] : status === expected
}

function statusText(expected) {
  return Array.isArray(expected) ? expected.join(' ') : String(expected)
}

export function answerText({ status, code, failed }) {
  return failed ?? (code === undefined ? String(status) : `${status} ${code}`)
}

function judgeBits(check, maxBits, answer, bits) {
  if (bits !== undefined && bits <= maxBits) return false
  const actual = bits === undefined ? `no hash (${answerText(answer)})` : `${bits} bits`
  return { check, expected: `at most ${maxBits} bits`, actual }
}

function bitsBetween(one, other) {
  const [a, b] = [one, other].map((text) => (text === undefined ? undefined : parseHash(text)))
  return a === undefined || b === undefined ? undefined : distance(a, b)
}

function judgeAsking({ finds }, { found, ...answer }) {
  if (found !== undefined) return false
  return { check: 'asking', expected: `finds ${finds}`, actual: answer.status === 200 ? 'not found' : answerText(answer) }
}

function judgePage({ outcome, maxBitsFromServer }, { page, match }) {
  if (page.failed !== undefined) return [{ check: 'page', expected: outcome, actual: page.failed }]
  const outcomes = outcome.split(/,? or |, /)
  const isRight = outcomes.includes('any') || outcomes.includes(page.outcome)
  const bits = bitsBetween(page.pdq, match.pdq)
  return [
    !isRight && { check: 'page', expected: outcome, actual: page.outcome },
    // Only where both have a hash.
    maxBitsFromServer !== undefined && bits !== undefined && judgeBits('pageBits', maxBitsFromServer, match, bits),
  ]
}
