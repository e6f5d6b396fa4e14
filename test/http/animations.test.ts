// An animation of a case: a picture that is also found by its moments, from its registration to its withdrawal.

import t from 'tap'
import { flatPicture, framePicture, gifOf } from '../helpers/animations.js'
import { readFeed } from '../helpers/feed.js'
import { images } from '../helpers/multipart.js'
import { fromPixels, scenePixels } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { keyFor, openCase, randomHashText, startService, withBitsFlipped } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'
import { send, startUploads } from '../helpers/uploads.js'

const signal = (hash: string) => ({ type: 'pdq', view: 'whole', quality: 90, hash })
const frameAt = (atMs: number, hash: string) => ({ atMs, signals: [signal(hash)] })

interface Match {
  readonly matchId: string
  readonly grade: string
  readonly atMs?: number
}

t.test('an animation sent by hashes is one picture, is found at each moment, and is withdrawn in one step', async (t) => {
  const service = await startService(t)
  const reader = await keyFor(service, 'reader', ['feed', 'match'])
  const her = await openCase(service.app)
  const [main, ...others] = Array.from({ length: 9 }, randomHashText)
  if (main === undefined) throw new Error('there are nine')
  const frames = [main, ...others].map((hash, k) => frameAt(1500 * k, hash))
  const image = { signals: [signal(main)], animation: { durationMs: 14_000, frames } }
  const add = (images: readonly object[]) => ask(service, 'POST', `${her.url}/hashes`, her.headers, { images })
  const idIn = (body: string) => JSON.parse(body).images[0].imageId
  const id = idIn((await add([image])).body)
  t.equal(idIn((await add([image])).body), id, 'the same animation again')
  t.equal(idIn((await add([{ signals: [signal(main)] }])).body), id, 'and without its moments')

  const found = async (query: object): Promise<Match[]> => {
    const answer = await ask(service, 'POST', '/v1/match', reader.headers, { queries: [query] })
    return answer.json<{ results: { matches: Match[] }[] }>().results[0]?.matches ?? []
  }
  const still = (hash: string) => found({ signals: [signal(hash)] })
  const [byMain] = await still(main)
  t.match(byMain, { grade: 'near', distanceBand: '0', atMs: 0 })
  for (const [k, hash] of others.entries()) {
    const matches = await still(withBitsFlipped(hash, 8))
    t.match(matches, [{ matchId: byMain?.matchId, grade: 'near', atMs: 1000 * Math.floor(1.5 * (k + 1)) }])
  }
  const asked = others.slice(2, 6).map((hash, k) => frameAt(1500 * k, withBitsFlipped(hash, 12)))
  const [byVideo] = await found({ video: { durationMs: 6000, frames: asked } })
  t.match(byVideo, { matchId: byMain?.matchId, segments: [{ frames: 4 }] }, 'a video of a part of it')

  const file = await ask(service, 'GET', `${her.url}/export`, her.headers, undefined)
  t.equal(file.json<{ images: { durationS?: number }[] }>().images[0]?.durationS, undefined, 'it counts as a picture')
  const lines = (await readFeed(service, reader.headers)).filter((line) => line.op === 'upsert')
  t.match(lines, [{ id: byMain?.matchId, video: { durationMs: 14_000 } }])
  t.same(
    lines[0]?.signals.map(({ atMs }) => atMs),
    [undefined, ...frames.map(({ atMs }) => atMs)],
  )
  const withdrawn = await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  t.match(withdrawn.json(), { images: 1, hashes: 10 })
  for (const hash of [main, ...others]) t.same(await still(hash), [])
})

t.test('an animation without a picture, out of order or with plain frames is refused', async (t) => {
  const service = await startService(t)
  const her = await openCase(service.app)
  const [a, b] = [randomHashText(), randomHashText()]
  const frames = [frameAt(0, a), frameAt(500, b)]
  const add = (image: object) => ask(service, 'POST', `${her.url}/hashes`, her.headers, { images: [image] })
  const animation = { durationMs: 900, frames }
  const onlyFile = [{ type: 'sha256', view: 'whole', quality: 100, hash: a }]
  refused(t, await add({ signals: onlyFile, animation }), 'request-invalid')
  refused(t, await add({ signals: [signal(a)], animation: { ...animation, durationMs: 400 } }), 'request-invalid')
  const backwards = { ...animation, frames: [...frames].reverse() }
  refused(t, await add({ signals: [signal(a)], animation: backwards }), 'request-invalid')
  const plain = [{ atMs: 0, signals: [{ ...signal(b), quality: 20 }] }]
  refused(t, await add({ signals: [signal(a)], animation: { ...animation, frames: plain } }), 'quality-too-low')
  t.equal((await add({ signals: [signal(a)], animation })).statusCode, 201)
})

t.test('a GIF that is uploaded is found by a still of any moment', async (t) => {
  const { service, her, platform } = await startUploads(t, { workers: true })
  const ofCase = { url: `${her.url}/images`, headers: her.headers }
  const size = { width: 200, height: 150 }
  const frames = await Promise.all(
    Array.from({ length: 24 }, async (_, k) => {
      const data = await fromPixels(scenePixels(50 + k, size))
        .ensureAlpha()
        .raw()
        .toBuffer()
      return { picture: { data, ...size }, delayMs: 250 }
    }),
  )
  const sent = await send(
    service.app,
    ofCase,
    images([{ name: 'a.gif', contentType: 'image/gif', bytes: await gifOf(size, frames) }]),
  )
  t.match(sent.json(), { images: [{ state: 'registered', protectedShare: 1 }] })
  const blank = { picture: flatPicture(size, [90, 90, 90, 255]), delayMs: 3000 }
  const shortly = await gifOf(size, [{ picture: framePicture(3, size), delayMs: 1000 }, blank])
  const partly = await send(service.app, ofCase, images([{ name: 'b.gif', contentType: 'image/gif', bytes: shortly }]))
  t.match(partly.json(), { images: [{ state: 'registered', protectedShare: 0.25 }] }, 'a picture, and that it is a part')
  for (const [k] of frames.entries()) {
    const bytes = await fromPixels(scenePixels(50 + k, size))
      .jpeg()
      .toBuffer()
    const answer = await send(service.app, platform, images([{ name: 'a.jpg', contentType: 'image/jpeg', bytes }]))
    const [match] = answer.json<{ results: { matches: Match[] }[] }>().results[0]?.matches ?? []
    t.equal(match?.atMs, 1000 * Math.floor(k / 4), `frame ${k}`)
  }
})
