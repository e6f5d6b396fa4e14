// Unusual files of cameras, scanners, messengers and old programs register and match like any other.

import sharp from 'sharp'
import t from 'tap'
import { z } from 'zod'
import { decode } from '../../workers/media/decode.js'
import { heic } from '../helpers/heic.js'
import { images } from '../helpers/multipart.js'
import { everyFormat, fromPixels, oddButGood, orientations, orientedJpeg, type Picture, scene } from '../helpers/pictures.js'
import { codeOf, keyFor, openCase, startService, type TestService } from '../helpers/service.js'

const SEED = 300
/** Greyscale and a white margin change these scenes by 25 bits, which is still a match. */
const MATCHED = /^(exact|strong|near)$/

const Registered = z.object({
  images: z.array(z.strictObject({ imageId: z.uuid(), quality: z.int().min(50).max(100), state: z.literal('registered') })),
})
const Found = z.object({
  results: z.array(
    z.object({
      quality: z.int(),
      matches: z.array(z.object({ grade: z.string(), distanceBits: z.int(), transform: z.string() })),
    }),
  ),
})

t.test('pictures in unusual formats and orientations', async (t) => {
  const service = await startService(t, { workers: true })
  const kinds = await Promise.all([
    everyFormat(SEED),
    oddButGood(SEED),
    Promise.all(orientations.map((orientation) => orientedJpeg(SEED, orientation))),
  ])
  const platform = await keyFor(service, 'platform', ['match', 'match:distance'])
  const pictures = kinds.flat()
  t.equal(pictures.length, 8 + 8 + 8)
  const upright = await scene(SEED)

  await t.test('each unusual picture matches the usual form of it, upright', async (t) => {
    const her = await openCase(service.app)
    t.equal((await register(service, her, [upright])).length, 1)

    for (const half of [pictures.slice(0, 11), pictures.slice(11)]) {
      const found = await match(service, half, platform.headers)
      for (const [i, { name }] of half.entries()) {
        t.match(found[i], { matches: [{ grade: MATCHED, transform: 'original' }] }, name)
        t.ok((found[i]?.quality ?? 0) >= 50, name)
      }
    }
    t.same(
      (await match(service, [await scene(SEED + 1)], platform.headers))[0]?.matches,
      [],
      'another picture does not match',
    )
    await withdraw(service, her)
  })

  await t.test('each unusual picture registers as a viewer shows it, and its usual form matches it', async (t) => {
    const shown = await Promise.all(pictures.map(asShown))
    for (const [i, picture] of pictures.entries()) {
      const her = await openCase(service.app)
      t.equal((await register(service, her, [picture])).length, 1, picture.name)

      const [asSeen, asUsual] = await match(service, [shown[i] ?? upright, upright], platform.headers)

      t.match(asSeen?.matches, [{ grade: /^(exact|strong)$/, transform: 'original' }], picture.name)
      t.ok((asSeen?.matches[0]?.distanceBits ?? 256) <= 8, `${picture.name}: ${asSeen?.matches[0]?.distanceBits} bits`)
      t.match(asUsual?.matches, [{ grade: MATCHED, transform: 'original' }], picture.name)
      await withdraw(service, her)
    }
  })

  await t.test('HEIC matches other formats; a truncated file is only queried, and another codec is refused', async (t) => {
    const file = (bytes: Buffer): Picture => ({ name: 'IMG_0001.HEIC', contentType: 'image/heic', bytes })
    const half = (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length * 0.8))
    const av1 = Buffer.from(
      (await scene(1, { format: 'avif' })).bytes.toString('latin1').replaceAll(/avi[fs]/g, 'mif1'),
      'latin1',
    )
    const her = await openCase(service.app)
    const refused = async (bytes: Buffer) => codeOf(await post(service, `${her.url}/images`, [file(bytes)], her.headers))
    t.equal(await refused(half(heic('tiles'))), 'image-undecodable')
    t.equal(await refused(av1), 'media-unsupported')
    t.equal((await register(service, her, [file(heic('tiles'))])).length, 1)

    const asked = [await scene(1), file(heic('10-bit')), file(half(heic('tiles')))]
    for (const [i, { matches }] of (await match(service, asked, platform.headers)).entries())
      t.match(matches, [{ grade: MATCHED, transform: 'original' }], `${i}`)
    t.equal(codeOf(await post(service, '/v1/match/images', [file(av1)], platform.headers)), 'media-unsupported')
    await withdraw(service, her)
  })

  await t.test('a picture that was rotated without EXIF matches with the transform that restores it', async (t) => {
    const her = await openCase(service.app)
    await register(service, her, [upright])
    const stored = await Promise.all(orientations.map((orientation) => orientedJpeg(SEED, orientation)))

    const found = await match(service, stored.map(withoutExif), platform.headers)

    const transforms = found.map(({ matches }) => matches[0]?.transform)
    t.equal(transforms[0], 'original')
    t.equal(new Set(transforms).size, 8, `eight different transforms: ${transforms.join(' ')}`)
    t.notOk(transforms.includes(undefined))
  })
})

function post({ app }: TestService, url: string, pictures: readonly Picture[], own: Record<string, string>) {
  const { payload, headers } = images(pictures)
  return app.inject({ method: 'POST', url, payload, headers: { ...headers, ...own } })
}

async function register(service: TestService, her: Awaited<ReturnType<typeof openCase>>, pictures: readonly Picture[]) {
  return Registered.parse((await post(service, `${her.url}/images`, pictures, her.headers)).json()).images
}

async function match(service: TestService, pictures: readonly Picture[], key: Record<string, string>) {
  return Found.parse((await post(service, '/v1/match/images', pictures, key)).json()).results
}

async function withdraw({ app }: TestService, her: Awaited<ReturnType<typeof openCase>>): Promise<void> {
  await app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
}

/** RGB pixels, upright, on white, decoded by the library without code of the service. */
async function asShown(picture: Picture): Promise<Picture> {
  const isReadBySharp = !/\.(bmp|jxl)$/.test(picture.name)
  const image = isReadBySharp
    ? sharp(picture.bytes, { autoOrient: true }).flatten({ background: 'white' }).toColourspace('srgb')
    : fromPixels(await decode(picture.bytes)) // test/workers/media compares these decoders with others
  return { name: 'shown.png', contentType: 'image/png', bytes: await image.png().toBuffer() }
}

/** Removes the APP1 segment, which contains the orientation. */
function withoutExif(picture: Picture): Picture {
  const at = picture.bytes.indexOf(Buffer.from('ffe1', 'hex'))
  if (at < 0 || at > 64) return picture
  const endsAt = at + 2 + picture.bytes.readUInt16BE(at + 2)
  return { ...picture, bytes: Buffer.concat([picture.bytes.subarray(0, at), picture.bytes.subarray(endsAt)]) }
}
