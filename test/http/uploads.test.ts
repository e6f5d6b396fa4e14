// Anything that is sent instead of a complete picture gets a clear problem, costs little and leaves nothing.

import t from 'tap'
import { z } from 'zod'
import type { ProblemCode } from '../../src/domain/problem.js'
import {
  bombPng,
  emptyFile,
  flat,
  flatJpeg,
  headerOnlyJpeg,
  html,
  hugeHeaders,
  letter,
  longGif,
  onePixel,
  pdf,
  ppm,
  svg,
  textNamedJpg,
  truncatedJpeg,
  truncatedPng,
  withJpegComment,
  withLongHead,
  wrongCrcPng,
} from '../helpers/hostile-pictures.js'
import {
  CHUNK_BYTES,
  cutHalfWay,
  endingOnChunkBorder,
  imagePart,
  images,
  type Multipart,
  multipart,
  packed,
  partWithoutFileName,
  streamed,
  withGarbage,
  withLongField,
  withoutBoundary,
  withoutFinalBoundary,
  withWrongBoundary,
} from '../helpers/multipart.js'
import { type Picture, scene } from '../helpers/pictures.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { openCase, until } from '../helpers/service.js'
import { beginUpload, connectionsOf, listen } from '../helpers/sockets.js'
import { imagesOf, json, send, startUploads } from '../helpers/uploads.js'

const LIMIT_BYTES = 20 << 20

const Answer = z.object({
  results: z.array(z.object({ problem: z.object({ code: z.string() }).optional(), quality: z.int().optional() })),
})

t.test('uploads of every kind, with a worker', async (t) => {
  const { service, routes, her, platform } = await startUploads(t, { workers: true })
  const marked = withJpegComment((await scene(81)).bytes, MARKER)
  const large = { name: 'large.jpg', contentType: 'image/jpeg', bytes: withLongHead(marked, LIMIT_BYTES + 1) }
  const { app } = service

  await t.test('a body without a picture is refused on every upload route', async (t) => {
    const picture = await scene(401, { width: 320, height: 240 })
    const bodies: [string, ProblemCode, Partial<Multipart> | ReturnType<typeof streamed>][] = [
      ['nothing', 'media-unsupported', {}],
      ['JSON', 'media-unsupported', json({ image: MARKER })],
      ['bytes', 'media-unsupported', { payload: picture.bytes, headers: { 'content-type': 'application/octet-stream' } }],
      ['the picture itself', 'media-unsupported', { payload: picture.bytes, headers: { 'content-type': 'image/jpeg' } }],
      [
        'another kind of multipart',
        'media-unsupported',
        { ...images([picture]), headers: { 'content-type': 'multipart/mixed; boundary=x' } },
      ],
      ['a packed body', 'media-unsupported', packed(images([picture]))],
      ['no part', 'image-missing', multipart([])],
      ['a field alone', 'image-missing', multipart([{ name: 'note', bytes: MARKER }])],
      ['a field named image', 'image-missing', partWithoutFileName(picture)],
      ['a part of another name', 'image-missing', images([picture], 'file')],
      ['an empty file', 'image-empty', images([await emptyFile()])],
      ['half a body', 'upload-incomplete', cutHalfWay(images([picture]))],
      ['a body without its end', 'upload-incomplete', withoutFinalBoundary([imagePart(picture)])],
      ['no boundary', 'upload-incomplete', withoutBoundary([imagePart(picture)])],
      ['garbage', 'upload-incomplete', withGarbage()],
      ['another boundary', 'upload-incomplete', withWrongBoundary([imagePart(picture)])],
    ]
    for (const [what, code, body] of bodies) {
      for (const route of routes) refused(t, await send(app, route, body), code, `${what} to ${route.url}`)
    }
    t.equal(await imagesOf(app, her), 0)
  })

  await t.test('a file that is not a picture is refused by its content, whatever its name and type', async (t) => {
    const mark = { mark: MARKER }
    const files: [ProblemCode, Picture][] = [
      ['media-unsupported', await textNamedJpg(mark)],
      ['media-unsupported', await svg(mark)],
      ['media-unsupported', { ...(await svg(mark)), name: 'drawing.png', contentType: 'image/png' }],
      ['media-unsupported', await pdf(mark)],
      ['media-unsupported', await html(mark)],
      ['media-unsupported', await ppm(mark)],
      ['image-undecodable', await headerOnlyJpeg()],
      ['image-too-many-pixels', await bombPng(mark)],
      ['image-too-large', large],
      ['quality-too-low', await onePixel(mark)],
      ['quality-too-low', await flat(mark)],
      ['quality-too-low', await flatJpeg()],
    ]
    for (const [code, picture] of files) {
      for (const route of routes) {
        const named = images([{ ...picture, name: `${MARKER}-${picture.name}` }])
        const answer = await send(app, route, named)
        refused(t, answer, code, `${picture.name} to ${route.url}`)
        if (code === 'quality-too-low')
          t.match(answer.json(), { detail: /little detail.*Use a larger or sharper/ }, 'advice')
      }
    }
    for (const picture of await Promise.all([truncatedJpeg(mark), truncatedPng(mark), wrongCrcPng(mark)])) {
      for (const route of routes) {
        const answer = await send(app, route, images([picture]))
        if (route === platform) t.equal(answer.statusCode, 200, `viewers show some of ${picture.name}`)
        else refused(t, answer, 'image-undecodable', picture.name)
      }
    }
    for (const picture of await Promise.all(hugeHeaders(mark))) {
      const answer = await send(app, platform, images([picture]))
      t.equal(answer.statusCode, 422, picture.name)
      t.match(answer.json(), { code: /^image-(too-many-pixels|undecodable)$/ }, picture.name)
    }
    t.equal(await imagesOf(app, her), 0)
  })

  await t.test('each of several files in a form has its own result, in order', async (t) => {
    const good = await scene(402, { width: 320, height: 240 })
    const pictures = [good, large, await svg(), good, await emptyFile(), await flat(), await headerOnlyJpeg(), good]
    const codes = [
      undefined,
      'image-too-large',
      'media-unsupported',
      undefined,
      'image-empty',
      'quality-too-low',
      'image-undecodable',
      undefined,
    ]

    const answer = await send(app, platform, images(pictures))

    t.equal(answer.statusCode, 200)
    t.same(
      Answer.parse(answer.json()).results.map(({ problem }) => problem?.code),
      codes,
    )
  })

  await t.test('usable pictures are registered and the others are refused one by one', async (t) => {
    const own = await openCase(app)
    const good = await scene(402, { width: 320, height: 240 })
    const files = images([large, good, await flat(), await letter()])
    const answer = await send(app, { url: `${own.url}/images`, headers: own.headers }, files)

    t.equal(answer.statusCode, 201)
    t.match(answer.json(), {
      images: [
        { state: 'refused', problem: { code: 'image-too-large' } },
        { state: 'registered', imageId: String },
        { state: 'refused', problem: { code: 'quality-too-low' } },
        { state: 'refused', problem: { code: 'image-too-simple' } },
      ],
    })
    t.equal(await imagesOf(app, own), 1)
  })

  await t.test('a letter on a plain background can be queried and not registered', async (t) => {
    t.equal((await send(app, platform, images([await letter()]))).statusCode, 200)
    const own = await openCase(app)
    const answer = await send(app, { url: `${own.url}/images`, headers: own.headers }, images([await letter()]))
    refused(t, answer, 'image-too-simple')
    t.equal(await imagesOf(app, own), 0)
  })

  await t.test('of a GIF with 10,000 frames the first is registered', async (t) => {
    const own = await openCase(app)
    const route = { url: `${own.url}/images`, headers: own.headers }
    t.equal((await send(app, route, images([await longGif({ mark: MARKER })]))).statusCode, 201)

    const asked = await send(app, platform, images([await scene(80)]))

    t.match(asked.json(), { results: [{ matches: [{ grade: /strong|exact/, transform: 'original' }] }] })
  })

  await t.test('a file that ends exactly at the end of a chunk is accepted', async (t) => {
    const picture = await scene(403, { width: 320, height: 240 })
    for (const body of [
      endingOnChunkBorder(picture),
      endingOnChunkBorder(picture, 1024),
      streamed([imagePart(picture)], 1),
    ]) {
      t.equal((await send(app, platform, body)).statusCode, 200)
    }
  })

  await t.test('the size limit of a file is exact, however the body is split', async (t) => {
    for (const chunkBytes of [CHUNK_BYTES, CHUNK_BYTES - 1]) {
      const { bytes, ...named } = await scene(404)
      const ofSize = (sizeBytes: number) => imagePart({ ...named, bytes: withLongHead(bytes, sizeBytes) })
      t.equal((await send(app, platform, streamed([ofSize(LIMIT_BYTES)], chunkBytes))).statusCode, 200, 'at the limit')
      for (const sizeBytes of [LIMIT_BYTES + 1, LIMIT_BYTES + chunkBytes]) {
        const more = ofSize(sizeBytes)
        for (const route of routes)
          refused(
            t,
            await send(app, route, streamed([more], chunkBytes)),
            'image-too-large',
            `${sizeBytes} bytes to ${route.url}`,
          )
      }
    }
  })

  await t.test('a form with 20 pictures is answered, and one with 21 is refused as a whole', async (t) => {
    const picture = await scene(405, { width: 320, height: 240 })
    const many = (count: number) => images(Array.from({ length: count }, () => picture))
    const twenty = await send(app, platform, many(20))
    t.equal(twenty.statusCode, 200)
    t.equal(Answer.parse(twenty.json()).results.filter(({ quality }) => quality !== undefined).length, 20)

    for (const route of routes) refused(t, await send(app, route, many(21)), 'too-many-images')
    refused(
      t,
      await send(
        app,
        platform,
        images(
          Array.from({ length: 40 }, () => picture),
          'other',
        ),
      ),
      'too-many-images',
      'of any name',
    )
    t.equal(await imagesOf(app, her), 0)
  })

  await t.test('other fields, part names, file names and content types do not affect a picture', async (t) => {
    const picture = imagePart(await scene(405, { width: 320, height: 240 }))
    const note = { name: 'note', bytes: 'hello' }
    t.equal((await send(app, platform, withLongField(100_000, [await scene(405)]))).statusCode, 200)
    t.equal((await send(app, platform, multipart([note, picture, note]))).statusCode, 200)
    t.equal((await send(app, platform, multipart([{ ...picture, name: 'thumbnail' }, picture]))).statusCode, 200)
    t.equal((await send(app, platform, multipart([{ ...picture, fileName: '../../../etc/passwd' }]))).statusCode, 200)
    t.equal((await send(app, platform, multipart([{ ...picture, contentType: 'text/plain' }]))).statusCode, 200)
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const answer = await send(app, platform, multipart([{ ...picture, name }, picture]))
      t.ok([200, 400].includes(answer.statusCode), name)
    }
  })

  await t.test('an interrupted upload registers nothing, not even complete pictures', async (t) => {
    const own = await openCase(app)
    const port = await listen(app)
    const pictures = await Promise.all([scene(406), scene(407)])
    const body = images(pictures)
    const cutAt = images(pictures.slice(0, 1)).payload.length + 1000

    const socket = await beginUpload(port, `${own.url}/images`, own.headers, body, cutAt)
    await until(async () => (await connectionsOf(app)) === 1)
    socket.destroy()
    await until(async () => (await connectionsOf(app)) === 0)

    const cut = { ...body, payload: body.payload.subarray(0, cutAt) }
    refused(t, await send(app, { url: `${own.url}/images`, headers: own.headers }, cut), 'upload-incomplete')
    t.equal(await imagesOf(app, own), 0)
    const asked = await send(app, platform, images(pictures))
    t.match(asked.json(), { results: [{ matches: [] }, { matches: [] }] })
  })

  await t.test('uploads are not logged with their contents or as an error', async (t) => {
    t.notOk(service.log.join('').includes(MARKER))
    t.same(
      service.log.filter((line) => line.includes('"level":50')),
      [],
    )
  })
})
