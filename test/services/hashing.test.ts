import t from 'tap'
import { Problem } from '../../src/domain/problem.js'
import { PendingImages } from '../../src/handoff/pending-images.js'
import { createHashing } from '../../src/services/intake/hashing.js'

t.test('a picture whose job cannot be queued is refused and overwritten at once', async (t) => {
  const pendingImages = new PendingImages(60_000)
  const away = new Problem('store-unavailable', { retryAfterS: 2 })
  const hashing = createHashing({ pendingImages, handoffUrl: 'http://127.0.0.1:1', enqueue: () => Promise.reject(away) })
  const image = Buffer.from('a picture')

  await t.rejects(hashing.hash([image], 'submission'), { code: 'store-unavailable' })

  t.ok(image.every((byte) => byte === 0))
  t.equal(pendingImages.size, 0)
})
