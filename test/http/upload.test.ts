// Reading pictures from a form, also if the form parser does not report that a picture was cut off.

import { Readable } from 'node:stream'
import type { MultipartFile } from '@fastify/multipart'
import Fastify from 'fastify'
import t from 'tap'
import { Problem } from '../../src/domain/problem.js'
import { eachImage } from '../../src/http/upload.js'

const LIMITS = { maxImageBytes: 1000, maxImages: 5, maxInFlightBytes: 10_000 }

function imagePart(pieces: () => AsyncGenerator<Buffer>): MultipartFile {
  const file = Object.assign(Readable.from(pieces()), { truncated: false, bytesRead: 0 })
  const facts = { fieldname: 'image', filename: 'x.jpg', encoding: '7bit', mimetype: 'image/jpeg', fields: {} }
  return { type: 'file', ...facts, file, toBuffer: async () => Buffer.alloc(0) }
}

t.test('a picture that is cut off refuses the whole form, even if the form seems to end normally', async (t) => {
  const sent: Buffer[] = []
  const piece = () => {
    const made = Buffer.from('a picture')
    sent.push(made)
    return made
  }
  const whole = () =>
    imagePart(async function* () {
      yield piece()
    })
  const broken = () =>
    imagePart(async function* () {
      yield piece()
      throw new Error('the line is gone')
    })
  const inFlight = { bytes: 0 }
  const used: string[] = []
  for (const parts of [[whole, broken], [broken, whole], [broken]]) {
    const app = Fastify()
    t.teardown(() => app.close())
    app.decorateRequest('isMultipart', () => true)
    app.decorateRequest('parts', async function* () {
      for (const part of parts) yield part()
    })
    app.post('/', (request) =>
      eachImage(request, LIMITS, inFlight, async (image) => {
        for (const bytes of image) bytes.fill(0) // as the real consumer does
        used.push('whole')
      }).then(
        () => 'taken',
        (error) => (error instanceof Problem ? error.code : 'something else'),
      ),
    )

    t.equal((await app.inject({ method: 'POST', url: '/' })).body, 'upload-incomplete')
  }

  t.equal(used.length, 2, 'complete pictures were passed on, but their results are not answered')
  t.equal(inFlight.bytes, 0, 'the memory is free again')
  t.equal(sent.length, 5)
  t.ok(sent.every((bytes) => bytes.every((byte) => byte === 0)))
})
