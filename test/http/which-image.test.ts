import t from 'tap'
import { MAX_FOUND } from '../../src/services/cases/which-image.js'
import { codeOf, openCase, randomHashText, startService } from '../helpers/service.js'

/** The same hash with its first bits changed. */
function bitsFrom(hash: string, bits: number): string {
  const bytes = Buffer.from(hash, 'hex')
  for (let bit = 0; bit < bits; bit++) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

t.test('the images of a case that a file shows are found, the nearest first, and those of others are not', async (t) => {
  const { app } = await startService(t)
  const [her, other] = [await openCase(app), await openCase(app)]
  const whole = (hash: string) => ({ signals: [{ type: 'pdq', hash, quality: 90 }] })
  const register = async ({ url, headers }: typeof her, payload: object) => {
    const answer = await app.inject({ method: 'POST', url: `${url}/hashes`, headers, payload })
    const { images, videos = [] } = answer.json<{ images: { imageId: string }[]; videos?: { imageId: string }[] }>()
    return [...images, ...videos].map(({ imageId }) => imageId)
  }
  const which = async (hashes: unknown, { url, headers } = her) =>
    app.inject({ method: 'POST', url: `${url}/which`, headers, payload: { hashes } })
  const found = async (...hashes: string[]) => (await which(hashes)).json<{ imageIds: string[] }>().imageIds
  const hash = randomHashText()
  const part = { type: 'pdq-area', view: 'crop', hash: randomHashText(), quality: 90 } as const
  const frame = randomHashText()
  const [near, nearer, far, , video] = await register(her, {
    images: [
      whole(bitsFrom(hash, 31)),
      whole(bitsFrom(hash, 9)),
      whole(bitsFrom(hash, 32)),
      { signals: [...whole(randomHashText()).signals, part] },
    ],
    videos: [
      {
        durationMs: 4000,
        frames: [
          { atMs: 0, signals: whole(randomHashText()).signals },
          { atMs: 2000, signals: whole(frame).signals },
        ],
      },
    ],
  })
  await register(other, { images: [whole(hash)] })

  t.same(await found(hash), [nearer, near], 'up to 31 bits; and not the other case')
  t.same(await found(bitsFrom(hash, 32)), [far, near, nearer])
  t.same(await found(randomHashText(), bitsFrom(frame, 5)), [video], 'a frame of a video')
  t.same(await found(part.hash), [], 'a part is not the picture')
  t.equal(codeOf(await which([])), 'request-invalid')
  t.equal(codeOf(await which(Array(17).fill(hash))), 'request-invalid')
  t.equal(codeOf(await which(['nonsense'])), 'request-invalid')
  t.equal((await which([hash], { ...her, headers: other.headers })).statusCode, 404, 'with the token of another case')

  await register(her, { images: Array.from({ length: 15 }, (_, i) => whole(bitsFrom(hash, 10 + i))) })
  t.equal((await found(hash)).length, MAX_FOUND)
  await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.same(await found(hash), [], 'nothing is left after the case has ended')
})
