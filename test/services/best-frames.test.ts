import t from 'tap'
import { bestFrames } from '../../src/services/matching/best-frames.js'

const match = (imageId: string, distanceBits: number, atMs?: number) => ({
  imageId,
  match: { grade: 'near' as const, distanceBits, ...(atMs !== undefined && { atMs }) },
})

t.test('an animation that is found best as a picture tells the moment of its best frame', async (t) => {
  const [picture, near, nearer, other] = [match('a', 2), match('a', 20, 500), match('a', 10, 750), match('b', 4)]
  const told = { ...picture, match: { ...picture.match, atMs: 750 } }
  t.same(bestFrames([picture, near, nearer, other]), [told, other])
  t.same(bestFrames([nearer, near, other, picture]), [told, other])
  t.same(bestFrames([near, nearer]), [nearer], 'of a video the best frame')
})
