import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { detailsWith } from '../../packages/hash/src/details/details.js'
import { readAsked, writeAsked } from '../../packages/hash/src/details/written.js'
import { loadDetailsKernelSync } from '../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { PROBLEM_CODES } from '../../src/domain/problem.js'
import { DECODING_PROBLEMS, formatAnswer, parseAnswer } from '../../src/handoff/message.js'
import { drawn } from '../hash/synthetic.js'

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))
const quality = fc.integer({ min: 0, max: 100 })
const whole = (type: 'pdq' | 'blockhash' | 'sha256', count: number, quality: fc.Arbitrary<number>) =>
  fc
    .tuple(quality, hash)
    .map(([quality, hash]) => ({ type, view: 'whole' as const, quality, hashes: new Array<Hash256>(count).fill(hash) }))
const PLACE = { left: 0, top: 0.25, right: 1, bottom: 0.875 }
const part = fc
  .tuple(fc.constantFrom(...VIEW_NAMES), quality, fc.constantFrom(1, 2, 8), hash, fc.boolean())
  .map(([view, quality, count, hash, isPlaced]) => ({
    type: 'pdq-area' as const,
    view,
    quality,
    hashes: new Array<Hash256>(count).fill(hash),
    ...(isPlaced && view !== 'whole' && count > 1 && { part: PLACE }),
    ...(isPlaced && view === 'deframed' && count > 1 && { isPicture: true as const }),
  }))
const wholes = [whole('pdq', 8, quality), whole('blockhash', 8, quality), whole('sha256', 1, fc.constant(100))]
const image = fc
  .tuple(
    quality,
    fc.subarray(wholes).chain((some) => fc.tuple(...some)),
    fc.array(part, { maxLength: 29 }),
  )
  .map(([quality, wholes, parts]) => ({ quality, signals: [...wholes, ...parts] }))

const found = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
const picture = drawn(4, 320, 240)
const details = found.register(picture)
// Places are rounded to a sixteenth of a pixel in the message.
const asked = readAsked(writeAsked(found.ask(picture))) ?? []

t.test('a worker’s answer is read as it was written', async () => {
  fc.assert(
    fc.property(image, (said) => {
      assert.deepEqual(parseAnswer(formatAnswer({ image: said })), { image: said })
    }),
  )
  const hashes = [fc.sample(hash, 1)[0] ?? Buffer.alloc(0)] as Hash256[]
  const one = { type: 'pdq-area' as const, view: 'crop' as const, quality: 60, hashes }
  const animation = { durationMs: 900, protectedShare: 0.5, frames: [0, 250].map((atMs) => ({ atMs, signals: [one] })) }
  const animated = { image: { quality: 80, signals: [], animation } }
  assert.deepEqual(parseAnswer(formatAnswer(animated), { purpose: 'submission', details: 'none' }), animated)
  assert.throws(() => parseAnswer(formatAnswer(animated), { purpose: 'query', details: 'none' }))
  const backwards = { ...animation, frames: [...animation.frames].reverse() }
  assert.throws(() => parseAnswer(formatAnswer({ image: { quality: 80, signals: [], animation: backwards } })))
  const looks = [{ isSimple: true as const }, { isForm: true as const }, { isObject: true as const }]
  for (const image of [{ details }, { asked }, ...looks].map((more) => ({ quality: 80, signals: [], ...more })))
    assert.deepEqual(parseAnswer(formatAnswer({ image })), { image })
  for (const problem of DECODING_PROBLEMS) assert.deepEqual(parseAnswer(formatAnswer({ problem })), { problem })
})

t.test('a malformed answer is rejected', async (t) => {
  const zeros = (count: number) => Array.from({ length: count }, () => '0'.repeat(64))
  const good = { type: 'pdq', view: 'whole', quality: 80, hashes: zeros(8) }
  const placed = { ...good, type: 'pdq-area', view: 'piece', part: PLACE }
  for (const signal of [good, placed])
    t.ok(parseAnswer(JSON.stringify({ image: { quality: 80, signals: [signal] } })), 'this one is valid')
  const answers = {
    nothing: '',
    'no JSON': '{"problem":',
    'a number': '7',
    'an unknown refusal': { problem: 'it-hurts' },
    'a refusal with a reason': { problem: 'image-undecodable', reason: 'VipsJpeg: bad header in shot.jpg' },
    both: { problem: 'image-undecodable', image: { quality: 80, signals: [good] } },
    'a quality of 101': { image: { quality: 101, signals: [good] } },
    'a picture in another view': { image: { quality: 80, signals: [{ ...placed, isPicture: true }] } },
    'a photograph without a place': {
      image: { quality: 80, signals: [{ ...placed, view: 'deframed', part: undefined, isPicture: true }] },
    },
    'no picture': { image: { quality: 80, signals: [{ ...placed, view: 'deframed', isPicture: false }] } },
    'half a quality': { image: { quality: 1.5, signals: [good] } },
    'an unknown type': { image: { quality: 80, signals: [{ ...good, type: 'face' }] } },
    'an unknown view': { image: { quality: 80, signals: [{ ...good, view: 'ear' }] } },
    'a short hash': { image: { quality: 80, signals: [{ ...good, hashes: ['00'] }] } },
    'a hash in capitals': { image: { quality: 80, signals: [{ ...good, hashes: ['F'.repeat(64)] }] } },
    'no hash': { image: { quality: 80, signals: [{ ...good, hashes: [] }] } },
    'three hashes': {
      image: { quality: 80, signals: [{ ...good, hashes: zeros(3) }] },
    },
    'nine hashes': {
      image: { quality: 80, signals: [{ ...good, hashes: zeros(9) }] },
    },
    ...Object.fromEntries(
      PROBLEM_CODES.filter((code) => !DECODING_PROBLEMS.some((known) => known === code)).map((code) => [
        `a refusal that is not of decoding: ${code}`,
        { problem: code },
      ]),
    ),
    'one hash of the whole picture': { image: { quality: 80, signals: [{ ...good, hashes: zeros(1) }] } },
    'a part where there is none': { image: { quality: 80, signals: [{ ...good, view: 'crop' }] } },
    'more whole pictures than frames': { image: { quality: 80, signals: Array.from({ length: 17 }, () => good) } },
    'eight hashes of a file': { image: { quality: 80, signals: [{ ...good, type: 'sha256', quality: 100 }] } },
    'a quality of a file': { image: { quality: 80, signals: [{ ...good, type: 'sha256', hashes: zeros(1) }] } },
    'more parts than an image has': {
      image: { quality: 80, signals: Array.from({ length: 193 }, () => ({ ...good, type: 'pdq-area' })) },
    },
    'a text besides a hash': { image: { quality: 80, signals: [{ ...good, note: 'k1:c2VjcmV0' }] } },
    'a text in a prototype': '{"image":{"quality":80,"signals":[]},"__proto__":{"note":"k1:c2VjcmV0"}}',
    'a text in the prototype of an image': '{"image":{"quality":80,"signals":[],"__proto__":"k1:c2VjcmV0"}}',
    'a place of a whole picture': { image: { quality: 80, signals: [{ ...good, part: PLACE }] } },
    'a place of a registered part': { image: { quality: 80, signals: [{ ...placed, hashes: zeros(1) }] } },
    'a place outside the picture': { image: { quality: 80, signals: [{ ...placed, part: { ...PLACE, right: 1.01 } }] } },
    'a place without area': { image: { quality: 80, signals: [{ ...placed, part: { ...PLACE, top: 0.875 } }] } },
    'a text in a place': { image: { quality: 80, signals: [{ ...placed, part: { ...PLACE, note: 'k1' } }] } },
    'details that are none': { image: { quality: 80, signals: [good], details: 'AQEB' } },
    'views that are none': { image: { quality: 80, signals: [good], asked: 'AgEB' } },
    'pixels besides': { image: { quality: 80, signals: [good], pixels: 'iVBORw0KGgo' } },
    'more signals than there can be': { image: { quality: 80, signals: Array.from({ length: 1025 }, () => good) } },
  }
  for (const [what, said] of Object.entries(answers)) {
    t.throws(() => parseAnswer(typeof said === 'string' ? said : JSON.stringify(said)), what)
  }
})

t.test('an answer with more than was requested is rejected', async (t) => {
  const part = (count: number) => ({
    type: 'pdq-area' as const,
    view: 'crop' as const,
    quality: 80,
    hashes: new Array(count).fill(hashFromBytes(new Uint8Array(32))),
  })
  const of = (more: object) => formatAnswer({ image: { quality: 80, signals: [], ...more } })
  const submission = (details: 'none' | 'also') => ({ purpose: 'submission' as const, details })
  const query = (details: 'none' | 'also') => ({ purpose: 'query' as const, details })
  t.ok(parseAnswer(of({ details, signals: [part(1)] }), submission('also')))
  t.ok(parseAnswer(of({ asked, signals: [part(2), part(8)] }), query('also')))

  t.throws(() => parseAnswer(of({ details }), submission('none')), 'details that were not requested')
  t.throws(() => parseAnswer(of({ asked }), query('none')))
  t.throws(() => parseAnswer(of({ asked }), submission('also')), 'details of the other kind')
  t.throws(() => parseAnswer(of({ details }), query('also')))
  t.throws(() => parseAnswer(of({ signals: [part(2)] }), submission('none')), 'more hashes of a part than are registered')
  t.throws(() => parseAnswer(of({ signals: [part(1)] }), query('none')))
})
