import t from 'tap'
import { hashImage, hashVideo } from '../../packages/hash/src/hash-image.js'
import { MAX_VIDEO_SIGNALS } from '../../packages/hash/src/video-frames.js'
import { decode } from '../../workers/media/decode.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, openCase, randomHashText, startService, type TestService } from '../helpers/service.js'

interface Added {
  readonly images: { readonly state: string }[]
  readonly videos?: { readonly imageId?: string; readonly state: string; readonly problem?: { readonly code: string } }[]
}
interface Found {
  readonly results: {
    readonly id?: string
    readonly problem?: { readonly code: string }
    readonly matches: {
      readonly grade: string
      readonly atMs?: number
      readonly queryMs?: number
      readonly segments?: readonly object[]
    }[]
  }[]
}

const SIZE = { width: 480, height: 360 }

/** A video of these scenes, two seconds each. */
async function clip(seeds: readonly number[], purpose: 'register' | 'query' = 'register') {
  const frames = await Promise.all(
    seeds.map(async (seed, i) => ({ atMs: 2000 * i, pixels: await decode((await scene(seed, SIZE)).bytes) })),
  )
  const { durationMs, frames: hashed } = await hashVideo(frames, { purpose, durationMs: 2000 * seeds.length })
  return { durationMs, frames: hashed }
}

async function add({ app }: TestService, her: Awaited<ReturnType<typeof openCase>>, payload: object) {
  return app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload })
}

t.test('a frame of a registered video is found with its time until the case is withdrawn', async (t) => {
  const service = await startService(t)
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(service.app)
  const picture = await hashImage(await decode((await scene(60, SIZE)).bytes), { purpose: 'register' })
  const added = await add(service, her, {
    images: [{ signals: picture.signals }],
    videos: [await clip([61, 62, 63]), await clip([64, 65])],
  })
  t.equal(added.statusCode, 201, added.body)
  const { images, videos } = added.json<Added>()
  t.match(images, [{ state: 'registered' }])
  t.match(videos, [{ state: 'registered' }, { state: 'registered' }])
  t.not(videos?.[0]?.imageId, videos?.[1]?.imageId)

  const asked = async (seed: number) => {
    const { signals } = await hashImage(await decode((await scene(seed, SIZE)).bytes))
    const payload = { queries: [{ signals }] }
    const answer = await service.app.inject({ method: 'POST', url: '/v1/match', headers: platform.headers, payload })
    t.equal(answer.statusCode, 200, answer.body)
    return answer.json<Found>().results[0]?.matches
  }
  t.match(await asked(62), [{ grade: 'near', distanceBand: '0', atMs: 2000 }])
  t.match(await asked(64), [{ grade: 'near', distanceBand: '0', atMs: 0 }])
  t.notOk((await asked(60))?.[0] && 'atMs' in ((await asked(60))?.[0] ?? {}), 'a picture has no time')
  t.same(await asked(69), [])

  await service.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  for (const seed of [60, 61, 62, 63, 64, 65]) t.same(await asked(seed), [])
})

t.test('a video query finds a registered video by an excerpt, and a registered picture inside the query', async (t) => {
  const service = await startService(t)
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(service.app)
  const { signals } = await hashImage(await decode((await scene(83, SIZE)).bytes), { purpose: 'register' })
  await add(service, her, { images: [{ signals }], videos: [await clip([81, 82, 84, 85])] })
  const strangers = await clip([88, 89], 'query')
  const queries = [
    { id: 'excerpt', video: await clip([90, 82, 84, 91], 'query') },
    { id: 'strangers', video: strangers },
    { id: 'still', signals: strangers.frames[0]?.signals },
    { id: 'picture in it', video: await clip([92, 83], 'query') },
  ]
  const ask = (payload: object) =>
    service.app.inject({ method: 'POST', url: '/v1/match', headers: platform.headers, payload })
  const answer = await ask({ queries })
  t.equal(answer.statusCode, 200, answer.body)
  const { results } = answer.json<Found>()
  t.match(results, [
    {
      id: 'excerpt',
      matches: [
        { grade: 'near', segments: [{ query: { fromMs: 2000 }, registered: { fromMs: 2000 }, transform: 'original' }] },
      ],
    },
    { id: 'strangers', matches: [] },
    { id: 'still', matches: [] },
    { id: 'picture in it', matches: [{ grade: 'near', queryMs: 2000 }] },
  ])
  t.same(
    results.map(({ matches }) => matches.length),
    [1, 0, 0, 1],
  )

  const video = await clip([81, 82], 'query')
  const low = { frames: [{ atMs: 0, signals: [{ type: 'pdq', hash: randomHashText(), quality: 24 }] }] }
  t.match((await ask({ queries: [{}] })).json(), { code: 'request-invalid' })
  t.match((await ask({ queries: [{ video, signals }] })).json(), { code: 'request-invalid' })
  t.match((await ask({ queries: [{ video: low }] })).json(), { results: [{ problem: { code: 'quality-too-low' } }] })
})

t.test('registering the same video again gives the same image', async (t) => {
  const service = await startService(t)
  const her = await openCase(service.app)
  const video = await clip([71, 72])
  const first = (await add(service, her, { videos: [video] })).json<Added>()
  const second = (await add(service, her, { videos: [video, { ...video, sha256: randomHashText() }] })).json<Added>()

  t.equal(second.videos?.[0]?.imageId, first.videos?.[0]?.imageId)
  t.equal(second.videos?.[1]?.imageId, first.videos?.[0]?.imageId)
})

t.test('the longest video that the route accepts is registered with the hash of its file', async (t) => {
  const service = await startService(t)
  const her = await openCase(service.app)
  const frames = Array.from({ length: MAX_VIDEO_SIGNALS }, (_, i) => ({
    atMs: 60 * i,
    signals: [{ type: 'pdq', hash: randomHashText(), quality: 100 }],
  }))
  const answer = await add(service, her, { videos: [{ durationMs: 600_000, frames, sha256: randomHashText() }] })
  t.equal(answer.statusCode, 201, answer.body)
})

t.test('an invalid video is refused, and nothing of it is registered', async (t) => {
  const service = await startService(t)
  const her = await openCase(service.app)
  const frame = (atMs: number, quality = 100) => ({ atMs, signals: [{ type: 'pdq', hash: randomHashText(), quality }] })
  const bad: readonly (readonly [object, string])[] = [
    [{}, 'request-invalid'],
    [{ images: [], videos: [] }, 'request-invalid'],
    [{ videos: [{ durationMs: 4000, frames: [] }] }, 'request-invalid'],
    [{ videos: [{ durationMs: 4000, frames: [frame(500), frame(500)] }] }, 'request-invalid'],
    [{ videos: [{ durationMs: 4000, frames: [frame(900), frame(500)] }] }, 'request-invalid'],
    [{ videos: [{ durationMs: 600_001, frames: [frame(0)] }] }, 'request-invalid'],
    [{ videos: [{ durationMs: 4000, frames: [frame(4001)] }] }, 'request-invalid'],
    [{ videos: [{ durationMs: 4000, frames: [{ atMs: 0, signals: [] }] }] }, 'request-invalid'],
    [{ videos: [{ durationMs: 4000, frames: [frame(0, 49)] }] }, 'quality-too-low'],
    [{ videos: [{ age: 17, durationMs: 4000, frames: [frame(0)] }] }, 'minor-declared'],
  ]
  for (const [payload, code] of bad) {
    const answer = await add(service, her, payload)
    t.match(answer.json(), { code }, JSON.stringify(payload).slice(0, 80))
  }
  const list = await service.app.inject({ url: her.url, headers: her.headers })
  t.match(list.json(), { images: 0 })
})
