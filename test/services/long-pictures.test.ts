// A long picture is found by its parts and finds them, but only as `near`: unrelated people have the same
// photographs.

import sharp from 'sharp'
import t from 'tap'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { hashImage } from '../../workers/media/hashes-of-file.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { longPicture, SCENE } from '../helpers/long-picture.js'
import { fromPixels, scenePixels } from '../helpers/pictures.js'
import { imageWith } from '../helpers/registered-image.js'

const LONG = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const OTHER = [11, 12, 13, 14, 15, 16, 17, 18, 19]

const photograph = (seed: number) => fromPixels(scenePixels(seed, SCENE)).jpeg({ quality: 80 }).toBuffer()
const screenshots = async (seeds: readonly number[]) => {
  const picture = await longPicture(seeds)
  const whole = await fromPixels(picture).jpeg({ quality: 85 }).toBuffer()
  const part = (top: number, height: number) =>
    sharp(whole).extract({ left: 0, top, width: 400, height }).resize(360).jpeg({ quality: 75 }).toBuffer()
  return { whole, part }
}

async function gradesOf(registered: Buffer, asked: readonly Buffer[]) {
  const replica = { catalogue: new Catalogue() }
  const { signals } = await hashImage(registered, 'register')
  replica.catalogue.put(
    '00000000-0000-4000-8000-000000000001',
    imageWith(signals.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash }]))),
  )
  const queries: Awaited<ReturnType<typeof hashImage>>[] = []
  for (const bytes of asked) queries.push(await hashImage(bytes, 'query'))
  const options = { orgId: 'org', banks: undefined, thresholdBits: undefined } as const
  const answers = await matchesOf(bareMatcher({ replica }), queries, options)
  return answers.map((matches) => matches.map(({ grade }) => grade).join())
}

t.test('a registered long picture is found as a whole and by its parts', async (t) => {
  const { whole, part } = await screenshots(LONG)
  const [copy = '', ...parts] = await gradesOf(whole, [
    await sharp(whole).resize(300).jpeg({ quality: 70 }).toBuffer(),
    await part(113, 870),
    await part(1501, 870),
    await part(2990, 870),
    await part(1777, 2200),
    ...(await Promise.all(LONG.map(photograph))),
  ])
  t.match(copy, /^(exact|strong)$/)
  t.same(
    parts,
    Array.from({ length: 4 + LONG.length }, () => 'near'),
  )
})

t.test('a registered long picture is found by parts that show most of a photograph only', async (t) => {
  const { whole, part } = await screenshots(LONG)
  // Of 240 pixels of a scene the part shows 173 at its top, or at its bottom.
  const bottoms = await Promise.all([0, 3, 6].map((i) => part(37 + 437 * i + 67, 400)))
  const tops = await Promise.all([1, 4, 7].map((i) => part(37 + 437 * i + 173 - 400, 400)))
  t.same(await gradesOf(whole, [...bottoms, ...tops]), ['near', 'near', 'near', 'near', 'near', 'near'])
})

t.test('a screen of little but text is found by the small photograph on it, and by no other one', async (t) => {
  const { whole } = await screenshots(LONG)
  const [width, height] = [720, 1560]
  const isText = (x: number, y: number) => y > 480 && y % 40 < 16 && x > 40 && x < 300 + (y % 7) * 40 && x % 9 < 5
  const screen = async (seed: number) => {
    const page = Buffer.alloc(3 * width * height, 240)
    for (let i = 0; i < width * height; i++) if (isText(i % width, Math.floor(i / width))) page.fill(20, 3 * i, 3 * i + 3)
    // Cropped by a pixel on each side: too far for a part of a form, near enough for a photograph.
    const cut = { left: 1, top: 1, width: SCENE.width - 2, height: SCENE.height - 2 }
    const scene = await fromPixels(scenePixels(seed, SCENE)).extract(cut).resize(420, 315, { fit: 'fill' }).png().toBuffer()
    return sharp(page, { raw: { width, height, channels: 3 } })
      .composite([{ input: scene, left: 40, top: 100 }])
      .jpeg({ quality: 80 })
      .toBuffer()
  }
  const asked = [await screen(5), await screen(12)]
  for (const bytes of asked) t.ok((await hashImage(bytes, 'query')).isForm)
  t.same(await gradesOf(whole, asked), ['near', ''])
})

t.test('a long query finds a registered photograph and an overlapping long picture', async (t) => {
  const { whole, part } = await screenshots(LONG)
  for (const seed of [1, 5, 9]) t.same(await gradesOf(await photograph(seed), [whole]), ['near'], `scene ${seed}`)
  t.same(await gradesOf(await part(0, 2200), [await part(1400, 2500)]), ['near'])
})

t.test('a long picture does not match an unrelated one or its parts', async (t) => {
  const [one, other] = [await screenshots(LONG), await screenshots(OTHER)]
  const asked = [other.whole, await other.part(113, 870), await other.part(1501, 870), await photograph(11)]
  t.same(await gradesOf(one.whole, asked), ['', '', '', ''])
})
