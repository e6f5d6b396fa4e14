import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { PROBLEM_CODES } from '../../src/domain/problem.js'
import { VIEW_NAMES } from '../../src/domain/signal.js'
import { SIGNAL_TYPE_NAMES } from '../../src/domain/signal-types.js'
import { formatAnswer, parseAnswer } from '../../src/handoff/message.js'
import { detailsWith } from '../../src/hash/details/details.js'
import { readAsked, writeAsked } from '../../src/hash/details/written.js'
import { loadDetailsKernelSync } from '../../src/hash/details-kernel.js'
import { loadFrameKernelSync } from '../../src/hash/frame-kernel.js'
import { hashFromBytes } from '../../src/hash/hash256.js'
import { drawn } from '../hash/synthetic.js'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))
const quality = fc.integer({ min: 0, max: 100 })
const signal = fc
  .tuple(fc.constantFrom(...SIGNAL_TYPE_NAMES), fc.constantFrom(...VIEW_NAMES), quality, fc.constantFrom(1, 2, 8), hash)
  .map(([type, view, quality, count, hash]) => ({ type, view, quality, hashes: new Array(count).fill(hash) }))
const image = fc.tuple(quality, fc.array(signal, { maxLength: 20 })).map(([quality, signals]) => ({ quality, signals }))

const found = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
const picture = drawn(4, 320, 240)
const details = found.register(picture)
// Places are rounded to a sixteenth of a pixel on the way.
const asked = readAsked(writeAsked(found.ask(picture))) ?? []

t.test('what a worker says arrives as it was said', async () => {
  fc.assert(
    fc.property(image, (said) => {
      assert.deepEqual(parseAnswer(formatAnswer({ image: said })), { image: said })
    }),
  )
  for (const image of [{ details }, { asked }].map((more) => ({ quality: 80, signals: [], ...more })))
    assert.deepEqual(parseAnswer(formatAnswer({ image })), { image })
  for (const problem of PROBLEM_CODES) assert.deepEqual(parseAnswer(formatAnswer({ problem })), { problem })
})

t.test('what is no answer is not taken for one', async (t) => {
  const good = { type: 'pdq', view: 'whole', quality: 80, hashes: ['0'.repeat(64)] }
  const answers = {
    nothing: '',
    'no JSON': '{"problem":',
    'a number': '7',
    'an unknown refusal': { problem: 'it-hurts' },
    'a refusal with a reason': { problem: 'image-undecodable', reason: 'VipsJpeg: bad header in shot.jpg' },
    both: { problem: 'image-undecodable', image: { quality: 80, signals: [good] } },
    'a quality of 101': { image: { quality: 101, signals: [good] } },
    'half a quality': { image: { quality: 1.5, signals: [good] } },
    'an unknown type': { image: { quality: 80, signals: [{ ...good, type: 'face' }] } },
    'an unknown view': { image: { quality: 80, signals: [{ ...good, view: 'ear' }] } },
    'a short hash': { image: { quality: 80, signals: [{ ...good, hashes: ['00'] }] } },
    'a hash in capitals': { image: { quality: 80, signals: [{ ...good, hashes: ['F'.repeat(64)] }] } },
    'no hash': { image: { quality: 80, signals: [{ ...good, hashes: [] }] } },
    'three hashes': {
      image: { quality: 80, signals: [{ ...good, hashes: Array.from({ length: 3 }, () => '0'.repeat(64)) }] },
    },
    'nine hashes': {
      image: { quality: 80, signals: [{ ...good, hashes: Array.from({ length: 9 }, () => '0'.repeat(64)) }] },
    },
    'details that are none': { image: { quality: 80, signals: [good], details: 'AQEB' } },
    'views that are none': { image: { quality: 80, signals: [good], asked: 'AgEB' } },
    'pixels besides': { image: { quality: 80, signals: [good], pixels: 'iVBORw0KGgo' } },
    'more signals than there can be': { image: { quality: 80, signals: Array.from({ length: 1025 }, () => good) } },
  }
  for (const [what, said] of Object.entries(answers)) {
    t.throws(() => parseAnswer(typeof said === 'string' ? said : JSON.stringify(said)), what)
  }
})
