// An image may be a file with several frames: what identifies it, and when it is blocked.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { imageIdOf, pictureIdOf } from '../../src/services/index/image-ids.js'
import { invalidatedSignals } from '../../src/services/intake/resubmission-block.js'

const secret = randomBytes(32)
const frame = (): Signal => ({ type: 'pdq', view: 'whole', quality: 90, hash: hashFromBytes(randomBytes(32)) })

t.test('an image of a case is identified by all of its frames, an image of a bank by its first', async (t) => {
  const [a, b] = [frame(), frame()]
  const part: Signal = { ...frame(), type: 'pdq-area', view: 'crop' }
  const file: Signal = { ...frame(), type: 'sha256' }
  const ofCase = (signals: readonly Signal[]) => imageIdOf(secret, 'case', signals)
  const ofBank = (signals: readonly Signal[]) => pictureIdOf(secret, 'bank', signals, undefined)

  for (const idOf of [ofCase, ofBank]) {
    t.equal(idOf([a, part, file]), idOf([a]))
    t.equal(idOf([a, part, b]), idOf([a, b, file]))
    t.not(idOf([b]), idOf([a]))
  }
  t.not(ofCase([a, b]), ofCase([a]), 'a still picture equal to its first frame')
  t.not(ofCase([a, b]), ofCase([a, frame()]))
  t.equal(ofCase([part, file]), ofCase([file]))
  t.equal(ofBank([a, b]), ofBank([a]), 'a partner that adds a frame changes the image')
})

t.test(
  'a video is identified by all of its frames in order, in a case and in a bank, and differs from a picture',
  async (t) => {
    const of = (frame: number, signal: Signal): Signal => ({ ...signal, frame })
    const [a, b, file] = [frame(), frame(), { ...frame(), type: 'sha256' } as const]
    const part: Signal = { ...frame(), type: 'pdq-area', view: 'crop' }
    const ofCase = (signals: readonly Signal[]) => imageIdOf(secret, 'case', signals)
    const ofBank = (signals: readonly Signal[]) => pictureIdOf(secret, 'bank', signals, undefined)

    for (const idOf of [ofCase, ofBank]) {
      t.equal(idOf([file, of(0, a), of(0, part), of(1, b)]), idOf([of(0, a), of(1, b)]))
      t.not(idOf([of(0, a), of(1, b)]), idOf([of(0, a)]))
      t.not(idOf([of(0, a), of(1, b)]), idOf([of(0, b), of(1, a)]))
      t.not(idOf([of(0, a)]), idOf([a]))
    }
  },
)

t.test('an animation has the id and the block of the same picture without moments', async (t) => {
  const of = (frame: number, signal: Signal): Signal => ({ ...signal, frame })
  const [a, b, file] = [frame(), frame(), { ...frame(), type: 'sha256' } as const]
  const picture = [a, b, file]
  const animation = [...picture, of(0, frame()), of(1, frame())]
  t.equal(imageIdOf(secret, 'case', animation), imageIdOf(secret, 'case', picture))
  t.equal(pictureIdOf(secret, 'bank', animation, undefined), pictureIdOf(secret, 'bank', picture, undefined))
  const signals = invalidatedSignals({} as Parameters<typeof invalidatedSignals>[0], secret, () => 0)
  t.same(signals.digestsOf([animation]), signals.digestsOf([picture]))
})

t.test('an image is blocked if all of its frames are blocked', async (t) => {
  const [blocked, alsoBlocked, other] = [frame(), frame(), frame()]
  const digests = new Set<string>()
  const refusals = {
    among: async (_: unknown, asked: readonly Buffer[]) => asked.map((digest) => digests.has(digest.toString('hex'))),
  }
  const signals = invalidatedSignals(refusals as unknown as Parameters<typeof invalidatedSignals>[0], secret, () => 0)
  for (const digest of signals.digestsOf([[blocked, alsoBlocked]])) digests.add(digest.toString('hex'))

  const pictures = [[blocked], [other, blocked], [blocked, alsoBlocked], [other], [alsoBlocked]]
  t.same(await signals.blockedAmong('org', pictures), [true, false, true, false, true])
  const withoutPdq = [{ ...blocked, type: 'blockhash' } as const, { ...other, type: 'sha256' } as const]
  for (const digest of signals.digestsOf([withoutPdq.slice(0, 1)])) digests.add(digest.toString('hex'))
  t.same(await signals.blockedAmong('org', [withoutPdq]), [true], 'without PDQ, one blocked whole view is enough')
})
