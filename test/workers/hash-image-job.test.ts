// What a worker holds of a picture between the hand-off and the child.

import t from 'tap'
import type { HandoffAnswer } from '../../src/handoff/message.js'
import type { HandoffVisit } from '../../src/handoff/visit.js'
import { hashImageHandler } from '../../workers/hash-image-job.js'
import type { Sandbox } from '../../workers/sandbox.js'

const JOB = { handoffUrl: 'http://127.0.0.1:1', ticket: 'a'.repeat(43), purpose: 'submission', details: 'none' } as const
const REFUSED: HandoffAnswer = { problem: 'image-undecodable' }

/** A worker that receives the pieces and passes them to `hash`. */
function worker(
  take: () => readonly Buffer[] | undefined,
  hash: Sandbox['hash'],
  answer: HandoffVisit['answer'] = async () => true,
) {
  const visit = { take: async () => take(), answer }
  const sandbox: Sandbox = {
    hash,
    ready: Promise.resolve(),
    isolationLayers: Promise.resolve([]),
    canStart: true,
    pids: [],
    close: async () => {},
  }
  return hashImageHandler({ visit, sandbox })
}

function isWiped(pieces: readonly Buffer[]): boolean {
  return pieces.every((piece) => piece.every((byte) => byte === 0))
}

t.test('every piece of a picture is overwritten, whether it is hashed, refused, aborted or no longer awaited', async (t) => {
  const ends: readonly [string, Sandbox['hash'], HandoffVisit['answer']][] = [
    ['refused', async () => REFUSED, async () => true],
    ['hashed', async () => ({ image: { quality: 100, signals: [] } }), async () => true],
    ['nobody waits', async () => REFUSED, async () => false],
    ['the sandbox breaks', () => Promise.reject(new Error('broken')), async () => true],
    ['the hand-off is gone', async () => REFUSED, () => Promise.reject(new Error('gone'))],
  ]
  for (const [what, hash, answer] of ends) {
    const pieces = ['a picture', ' in ', 'pieces'].map((text) => Buffer.from(text))
    let seen = ''
    const look: Sandbox['hash'] = (image, ...rest) => {
      seen = String(Buffer.isBuffer(image) ? image : Buffer.concat(image))
      return hash(image, ...rest)
    }
    await worker(() => pieces, look, answer)(JOB).catch(() => {})
    t.equal(seen, 'a picture in pieces', what)
    t.ok(isWiped(pieces), what)
  }
})

t.test('a picture reuses the memory of the previous one, whole and alone', async (t) => {
  const pictures = [1, 2].map((byte) => [Buffer.alloc(100_000, byte), Buffer.alloc(30_000, byte)])
  const [first = [], second = []] = pictures
  const waited: (readonly Buffer[])[] = []
  const texts: Buffer[] = []
  const hash: Sandbox['hash'] = async (image) => {
    const pieces = Buffer.isBuffer(image) ? [image] : image
    waited.push(pieces)
    texts.push(Buffer.concat(pieces))
    return REFUSED
  }
  const handle = worker(() => pictures.shift(), hash)
  for (const pieces of [first, second]) {
    await handle(JOB)
    t.ok(waited.flat().every(({ length }) => length > 0) && isWiped(waited.flat()))
    t.ok(
      pieces.every(({ length }) => length === 0),
      'the memory that it came in is released',
    )
  }
  t.same(
    texts.map((text) => text.equals(Buffer.alloc(130_000, text[0]))),
    [true, true],
  )
  const [before = [], after = []] = waited.map((pieces) => pieces.map(({ buffer }) => buffer))
  t.ok(after.length > 0 && after.every((memory) => before.includes(memory)))
})

t.test('nothing is hashed if the picture is no longer there', async (t) => {
  const hash = async () => {
    t.fail('nothing to hash')
    return REFUSED
  }
  t.equal(await worker(() => undefined, hash)(JOB), 'abandoned')
})
