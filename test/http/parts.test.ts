import sharp from 'sharp'
import t from 'tap'
import { hashImage } from '../../packages/hash/src/hash-image.js'
import { decode } from '../../workers/media/decode.js'
import { images } from '../helpers/multipart.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, openCase, startService } from '../helpers/service.js'

interface Answer {
  readonly results: { readonly matches: { readonly grade: string; readonly view: string; readonly signalType: string }[] }[]
}

t.test('a picture is found in a screenshot, border or crop, under a sticker and askew, until withdrawn', async (t) => {
  const service = await startService(t, { workers: true })
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(app)
  const hers = (await scene(21)).bytes
  const strangers = (await scene(22)).bytes
  const ask = async (files: readonly Buffer[]): Promise<Answer> => {
    const { payload, headers } = images(files.map(jpeg))
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/match/images',
      payload,
      headers: { ...headers, ...platform.headers },
    })
    t.equal(answer.statusCode, 200, answer.body)
    return answer.json()
  }

  const { payload, headers } = images([jpeg(hers)])
  const added = await app.inject({
    method: 'POST',
    url: `${her.url}/images`,
    payload,
    headers: { ...headers, ...her.headers },
  })
  t.equal(added.statusCode, 201, added.body)

  const copies = await Promise.all([screenshot(hers), bordered(hers), cropped(hers), covered(hers), askew(hers)])
  for (const [i, { matches }] of (await ask(copies)).results.entries()) {
    t.match(matches, [{ grade: /^(strong|near)$/, signalType: 'pdq-area' }], `copy ${i}`)
    t.equal(matches.length, 1, 'one match for each image, although several of its parts match')
  }
  const others = await Promise.all([screenshot(strangers), bordered(strangers), cropped(strangers), covered(strangers)])
  for (const { matches } of (await ask(others)).results) t.same(matches, [])

  const asked = await hashImage(await decode(await screenshot(hers)))
  const byHash = () =>
    app.inject({ method: 'POST', url: '/v1/match', payload: { queries: [asked] }, headers: platform.headers })
  const found = await byHash()
  t.equal(found.statusCode, 200, found.body)
  t.match(found.json<Answer>().results[0]?.matches, [{ grade: /^(strong|near)$/, signalType: 'pdq-area' }])

  await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
  for (const { matches } of (await ask(copies)).results) t.same(matches, [])
  t.same((await byHash()).json<Answer>().results[0]?.matches, [])
})

t.test('a registered screenshot matches the picture inside it and not other screenshots with the same frame', async (t) => {
  const service = await startService(t, { workers: true })
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(app)
  const { payload, headers } = images([jpeg(await screenshot((await scene(31)).bytes))])
  await app.inject({ method: 'POST', url: `${her.url}/images`, payload, headers: { ...headers, ...her.headers } })

  const sent = images([jpeg((await scene(31)).bytes), jpeg(await screenshot((await scene(32)).bytes))])
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/match/images',
    payload: sent.payload,
    headers: { ...sent.headers, ...platform.headers },
  })

  const [same, other] = answer.json<Answer>().results
  t.match(same?.matches, [{ grade: /^(strong|near)$/, view: /^(deframed|crop|piece)$/ }])
  t.same(other?.matches, [])
})

t.test('a picture that was hashed on a device is found in a screenshot by hashes from another device', async (t) => {
  const { app, ...service } = await startService(t)
  const platform = await keyFor({ app, ...service }, 'platform', ['match'])
  const her = await openCase(app)
  const hers = await decode((await scene(51)).bytes)
  const ask = async (seed: number) => {
    const seen = await decode(await screenshot((await scene(seed)).bytes))
    const query = await hashImage(seen, { aspect: seen.aspect })
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/match',
      payload: { queries: [query] },
      headers: platform.headers,
    })
    return answer.json<Answer>().results[0]?.matches
  }

  const added = await app.inject({
    method: 'POST',
    url: `${her.url}/hashes`,
    payload: { images: [await hashImage(hers, { purpose: 'register', aspect: hers.aspect })] },
    headers: her.headers,
  })

  t.equal(added.statusCode, 201, added.body)
  t.match(await ask(51), [{ grade: /^(strong|near)$/, signalType: 'pdq-area' }])
  t.same(await ask(52), [])
})

t.test('pictures that consist of frames or grids get no match and no unexpected problem', async (t) => {
  const service = await startService(t, { workers: true })
  const platform = await keyFor(service, 'platform', ['match'])
  const grid = (across: number, down: number) =>
    Array.from({ length: 640 * 640 }, (_, k) => ((k % 640) % across < 2 || Math.floor(k / 640) % down < 2 ? 30 : 235))
  const chessboard = Array.from({ length: 640 * 640 }, (_, k) => ((((k % 640) >> 4) + (k >> 4) / 640) & 1 ? 240 : 15))
  const twice = await screenshot(await screenshot((await scene(41)).bytes))
  const files = [
    await sharp({ create: { width: 900, height: 900, channels: 3, background: '#222' } })
      .png()
      .toBuffer(),
    await grey(grid(80, 80), 640, 640),
    await grey(grid(64, 12), 640, 640),
    await grey(chessboard, 640, 640),
    await grey(
      Array.from({ length: 10_000 }, (_, k) => (k * 37) % 256),
      1,
      10_000,
    ),
    await sharp({ create: { width: 300, height: 300, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toBuffer(),
    twice,
  ]

  const { payload, headers } = images(files.map(jpeg))
  const answer = await service.app.inject({
    method: 'POST',
    url: '/v1/match/images',
    payload,
    headers: { ...headers, ...platform.headers },
  })

  t.equal(answer.statusCode, 200, answer.body)
  const { results } = answer.json<{ results: { matches: unknown[]; problem?: { code: string } }[] }>()
  t.equal(results.length, files.length)
  for (const [i, { matches, problem }] of results.entries()) {
    t.same(matches, [], `${i}`)
    t.ok(problem === undefined || problem.code === 'quality-too-low', `${i}: ${problem?.code}`)
  }
  t.equal(results.at(-1)?.problem, undefined)
})

t.test('a copy too pale to register still matches, and one that is almost blank is refused', async (t) => {
  const service = await startService(t, { workers: true })
  const { app } = service
  const platform = await keyFor(service, 'platform', ['match'])
  const her = await openCase(app)
  const hers = (await scene(41)).bytes
  const [plain, pale, paler] = await Promise.all([0.5, 0.35, 0.15].map((share) => faded(hers, share)))
  if (plain === undefined || pale === undefined || paler === undefined) return t.fail()
  const send = async (url: string, who: { headers: object }, file: Buffer) => {
    const { payload, headers } = images([jpeg(file)])
    return app.inject({ method: 'POST', url, payload, headers: { ...headers, ...who.headers } })
  }
  const ask = (file: Buffer) => send('/v1/match/images', platform, file)

  t.match((await send(`${her.url}/images`, her, pale)).json(), { code: 'quality-too-low' }, 'too pale to register')
  t.equal((await send(`${her.url}/images`, her, plain)).statusCode, 201)

  t.match((await ask(pale)).json<Answer>().results[0]?.matches, [
    { grade: /^(exact|strong)$/, signalType: 'pdq', view: 'whole' },
  ])
  t.match((await ask(paler)).json(), { code: 'quality-too-low' })
  t.same((await ask(await faded((await scene(42)).bytes, 0.35))).json<Answer>().results[0]?.matches, [])
})

function grey(levels: readonly number[], width: number, height: number): Promise<Buffer> {
  return sharp(Buffer.from(levels), { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer()
}

function jpeg(bytes: Buffer) {
  return { name: 'picture.jpg', contentType: 'image/jpeg', bytes }
}

/** A screenshot of an app on a phone: a dark screen, a name above and an input line below. */
async function screenshot(picture: Buffer): Promise<Buffer> {
  const shown = await sharp(picture).resize(1080).toBuffer()
  const head = { create: { width: 600, height: 60, channels: 3, background: '#ddd' } } as const
  const foot = { create: { width: 960, height: 110, channels: 3, background: '#333' } } as const
  return sharp({ create: { width: 1080, height: 2340, channels: 3, background: '#101418' } })
    .composite([
      { input: head, left: 150, top: 150 },
      { input: shown, left: 0, top: 700 },
      { input: foot, left: 60, top: 2100 },
    ])
    .jpeg({ quality: 70 })
    .toBuffer()
}

function bordered(picture: Buffer): Promise<Buffer> {
  return sharp(picture).extend({ top: 50, bottom: 50, left: 50, right: 50, background: '#fff' }).jpeg().toBuffer()
}

function cropped(picture: Buffer): Promise<Buffer> {
  return sharp(picture).extract({ left: 62, top: 0, width: 578, height: 480 }).jpeg().toBuffer()
}

function covered(picture: Buffer): Promise<Buffer> {
  const sticker = { create: { width: 260, height: 300, channels: 3, background: '#fc3' } } as const
  return sharp(picture)
    .composite([{ input: sticker, left: 350, top: 100 }])
    .jpeg()
    .toBuffer()
}

function askew(picture: Buffer): Promise<Buffer> {
  return sharp(picture).rotate(5, { background: '#000' }).jpeg().toBuffer()
}

/** The picture with this share of its contrast. */
function faded(picture: Buffer, share: number): Promise<Buffer> {
  return sharp(picture)
    .linear(share, 128 * (1 - share))
    .png()
    .toBuffer()
}
