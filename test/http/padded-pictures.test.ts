// Bytes after a picture in its file do not hide it from a query, and are not held in memory.

import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { hmaClient } from '../helpers/hma.js'
import { withLongHead } from '../helpers/hostile-pictures.js'
import { images, type Multipart } from '../helpers/multipart.js'
import { everyFormat, type Picture, scene } from '../helpers/pictures.js'
import { refused } from '../helpers/refusal.js'
import { silent } from '../helpers/requests.js'
import { keyFor, openCase, startService, type TestServiceOptions, until } from '../helpers/service.js'
import { beginUpload, connectionsOf, listen } from '../helpers/sockets.js'

const LIMIT_BYTES = 1 << 20
const SEED = 901

const Signal = z.object({ type: z.string(), hash: z.string() })
const Result = z.object({
  matches: z.array(z.object({ grade: z.string() })),
  signals: z.array(Signal).default([]),
  problem: z.object({ code: z.string() }).optional(),
})

async function world(t: Test, more: TestServiceOptions['uploadLimits'] = {}) {
  const service = await startService(t, {
    workers: true,
    uploadLimits: { maxImageBytes: LIMIT_BYTES, maxImages: 3, ...more },
  })
  const { app } = service
  const her = await openCase(app)
  const { headers } = await keyFor(service, 'platform', ['match'])
  const ask = (...pictures: Picture[]) => post(app, '/v1/match/images', headers, images(pictures))
  const asked = async (...pictures: Picture[]) =>
    z.object({ results: z.array(Result) }).parse((await ask(...pictures)).json()).results
  const register = (picture: Picture) => post(app, `${her.url}/images`, her.headers, images([picture]))
  return { service, app, headers, ask, asked, register }
}

function post(app: FastifyInstance, url: string, headers: Record<string, string>, { payload, headers: more }: Multipart) {
  return app.inject({ method: 'POST', url, payload: Buffer.from(payload), headers: { ...headers, ...more } })
}

function padded(picture: Picture, padding: Buffer | number): Picture {
  const more = typeof padding === 'number' ? Buffer.alloc(padding) : padding
  return { ...picture, bytes: Buffer.concat([picture.bytes, more]) }
}

const without = (type: string, signals: readonly z.infer<typeof Signal>[]) => signals.filter((each) => each.type !== type)

t.test('padded pictures, with a worker', async (t) => {
  const { service, app, headers, ask, asked, register } = await world(t)
  const port = await listen(app)
  await t.test('padding of any length does not hide a picture from a query, in every format', async (t) => {
    t.equal((await register(await scene(SEED))).statusCode, 201)

    for (const picture of await everyFormat(SEED)) {
      const [plain] = await asked(picture)
      t.equal(plain?.matches.length, 1, picture.name)
      const [short, long] = await asked(padded(picture, 10_000), padded(picture, 3 * LIMIT_BYTES))
      for (const found of [short, long]) {
        t.equal(found?.matches.length, 1, picture.name)
        t.same(without('sha256', found?.signals ?? []), without('sha256', plain?.signals ?? []), 'the same hashes')
      }
      t.equal(short?.signals.filter(({ type }) => type === 'sha256').length, 1)
      t.notOk(
        long?.signals.some(({ type }) => type === 'sha256'),
        'without the SHA-256 of a file that is not read whole',
      )
      refused(t, await register(padded(picture, LIMIT_BYTES)), 'image-too-large', 'a registration needs the whole file')
    }
  })

  await t.test('in a file of two formats the picture that viewers show first is hashed', async (t) => {
    const [jpeg, png, gif] = await Promise.all([scene(SEED), scene(902, { format: 'png' }), scene(903, { format: 'gif' })])
    for (const [first, second] of [
      [jpeg, png],
      [png, jpeg],
      [gif, jpeg],
      [png, gif],
    ] as const) {
      const both = Buffer.concat([second.bytes, Buffer.alloc(LIMIT_BYTES)])
      const [plain, short, long] = await asked(first, padded(first, second.bytes), padded(first, both))
      for (const found of [short, long])
        t.same(without('sha256', found?.signals ?? []), without('sha256', plain?.signals ?? []))
    }
  })

  await t.test('a picture that ends beyond the size limit is refused, and those beside it are answered', async (t) => {
    const { bytes, ...named } = await scene(SEED)
    const large = { ...named, bytes: withLongHead(bytes, LIMIT_BYTES + 1) }
    refused(t, await ask(large), 'image-too-large')
    refused(t, await ask(padded(large, 3 * LIMIT_BYTES)), 'image-too-large')
    refused(t, await ask({ ...named, bytes: Buffer.alloc(2 * LIMIT_BYTES) }), 'image-too-large', 'bytes that are no picture')
    const answers = await asked(padded({ ...named, bytes }, LIMIT_BYTES), large, { ...named, bytes })
    t.same(
      answers.map(({ problem }) => problem?.code),
      [undefined, 'image-too-large', undefined],
    )
  })

  await t.test('HMA clients get the hash of a padded picture, up to a limit', async (t) => {
    const hma = hmaClient(service, headers)
    const hash = async (picture: Picture) => {
      const { payload, headers: type } = images([picture], 'photo')
      return await hma('POST', '/h/hash', payload, type)
    }
    const picture = await scene(SEED)
    const plain = await hash(picture)
    t.match(plain, { status: 200, body: { pdq: /^[0-9a-f]{64}$/ } })
    t.same(await hash(padded(picture, 3 * LIMIT_BYTES)), plain)
    const { status, body } = await hash(padded(picture, 6 * LIMIT_BYTES))
    t.match({ status, body }, { status: 413, body: { message: 'Content too large' } }, 'beyond the limit')
  })

  await t.test('a body with endless padding is refused and its connection closed', async (t) => {
    const picture = await scene(SEED)
    const { payload, headers: type } = images([picture])
    const endless = function* () {
      yield payload.subarray(0, payload.lastIndexOf('\r\n--'))
      for (let sent = 0; sent < 60; sent++) yield Buffer.alloc(LIMIT_BYTES / 4)
    }
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/match/images',
      payload: Readable.from(endless()),
      headers: { ...headers, ...type },
    })
    refused(t, answer, 'body-too-large')
    t.equal(answer.headers.connection, 'close')

    const body = images([padded(picture, 40 * LIMIT_BYTES)])
    const socket = await beginUpload(port, '/v1/match/images', headers, body, 100_000)
    socket.write(body.payload.subarray(100_000))
    await until(() => socket.resume().closed)
    await until(async () => (await connectionsOf(app)) === 0)
    t.equal((await ask(padded(picture, LIMIT_BYTES))).statusCode, 200, 'its memory is free again')
  })

  silent(t, service)
})

t.test('while padding arrives, only the picture counts against the memory limit', async (t) => {
  const picture = await scene(SEED)
  const { app, headers, ask } = await world(t, { maxInFlightBytes: LIMIT_BYTES + 2 * picture.bytes.length })
  const port = await listen(app)
  const body = images([padded(picture, 3 * LIMIT_BYTES)])
  const accepted: Socket[] = []
  app.server.on('connection', (socket) => accepted.push(socket))

  const slow = await beginUpload(port, '/v1/match/images', headers, body, LIMIT_BYTES + 300_000)
  await until(() => slow.bytesWritten > LIMIT_BYTES && accepted[0]?.bytesRead === slow.bytesWritten)
  await until(async () => (await ask(padded(picture, LIMIT_BYTES))).statusCode === 200)
  for (let i = 0; i < 2; i++)
    t.equal((await ask(padded(picture, LIMIT_BYTES))).statusCode, 200, 'there is room for another picture')
  t.equal(await connectionsOf(app), 1, 'the first connection is still sending')
  slow.destroy()
  await until(async () => (await connectionsOf(app)) === 0)
})
