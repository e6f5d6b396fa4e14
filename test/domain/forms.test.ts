// How near two forms have to be: with hashes made at given distances, and with drawn forms.

import t from 'tap'
import { formBits, formSurplusBits, type ShownView } from '../../packages/core/src/matching/forms.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { wholesSurplusOf } from '../../src/services/matching/graded.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { randomFrom, scenePixels } from '../helpers/pictures.js'
import { imageWith } from '../helpers/registered-image.js'

const hasher = loadImageHasherSync()
const NEVER = Number.NEGATIVE_INFINITY
const PIECES = ['left', 'right', 'top', 'bottom', 'left top', 'right top', 'left bottom', 'right bottom']

const of = (view: ShownView['view'], name: string, bits = 0): ShownView => ({
  type: 'pdq-area',
  view,
  hash: bitsFrom(hashNamed(name), bits),
})
const surplus = (asked: ShownView, registered: ShownView) => formSurplusBits([asked], [registered])

t.test('two forms have to be nearer in the same part than in different parts', async (t) => {
  t.equal(surplus(of('whole', 'a', 8), of('whole', 'a')), 0)
  t.equal(surplus(of('whole', 'a', 10), of('whole', 'a')), -2)
  t.equal(surplus(of('deframed', 'a', 4), of('deframed', 'a')), 0)
  t.equal(surplus(of('piece', 'a'), of('piece', 'a')), NEVER, 'every form of a kind has the same head')
  t.equal(surplus(of('tilted', 'a'), of('tilted', 'a')), NEVER)
  t.equal(surplus(of('deframed', 'a', 40), of('whole', 'a')), 0)
  t.equal(surplus(of('deframed', 'a', 18), of('crop', 'a')), 0, 'parts that show nearly the same')
  t.equal(surplus(of('deframed', 'a', 20), of('crop', 'a')), -2)
  t.equal(surplus(of('whole', 'a', 20), of('crop', 'a')), -2)
  t.equal(surplus(of('tilted', 'a', 40), of('whole', 'a')), 0)
  t.equal(surplus(of('tilted', 'a', 18), of('piece', 'a')), 0)
})

t.test('a part given as a hash that nobody vouches for counts as the part that it is compared with', async (t) => {
  const given = (view: ShownView['view'], name: string): ShownView => ({ ...of(view, name), isByHashes: true })
  for (const label of ['crop', 'tilted', 'deframed', 'piece'] as const) {
    t.equal(surplus(of('whole', 'a', 10), given(label, 'a')), -2, label)
    for (const view of ['crop', 'tilted', 'piece'] as const) t.equal(surplus(of(view, 'a'), given(label, 'a')), NEVER, label)
    t.equal(formBits({ asked: 'deframed', registered: label, isByHashes: true }), 4)
  }
  t.equal(surplus(of('deframed', 'a', 20), given('whole', 'a')), -2, 'it may have left out its frame')
  t.equal(surplus(of('whole', 'a', 8), given('whole', 'a')), 0)
})

t.test('a part of a form that shows a photograph may be farther than another part of a form', async (t) => {
  const photograph = (bits: number): ShownView => ({ ...of('deframed', 'a', bits), isPicture: true })
  t.equal(surplus(photograph(30), of('deframed', 'a')), 1)
  t.equal(surplus(photograph(32), of('deframed', 'a')), -1)
  t.equal(surplus(photograph(40), of('whole', 'a')), 0)
  t.equal(surplus(photograph(18), of('crop', 'a')), 0, 'a crop may be one of a form')
  t.equal(surplus(photograph(20), of('crop', 'a')), -2)
})

t.test('a form with a frame has parts that are alike: what is in the frame, and what it was cut from', async (t) => {
  const framed = [of('deframed', 'card'), of('piece', 'quarter')]
  const bits = (asked: ShownView) => formSurplusBits([asked], [...framed, of('whole', 'all')])
  t.equal(bits(of('deframed', 'all', 18)), 0)
  t.equal(bits(of('deframed', 'all', 20)), -2)
  t.equal(bits(of('tilted', 'all', 40)), 0)
  t.equal(bits({ ...of('deframed', 'all', 40), isPicture: true }), 0, 'a picture in it is no form')
  t.equal(bits({ ...of('deframed', 'all', 42), isPicture: true }), -2)
  t.equal(formBits({ asked: 'deframed', registered: 'whole' }), 18, 'whether there is a frame is not known')
})

t.test(
  'a piece of what is in a frame decides a form, unless the registered one is cut to a shape: its pieces are of the same part',
  async (t) => {
    const asked = [of('whole', 'all'), of('deframed', 'inside'), of('piece', 'half', 26)]
    t.equal(formSurplusBits(asked, [of('whole', 'a'), of('piece', 'half'), of('crop', 'b')]), 0)
    t.ok(formSurplusBits(asked, [of('whole', 'a'), of('crop', 'b'), of('piece', 'half')]) < 0)
  },
)

t.test('hashes of different algorithms are not compared', async (t) => {
  t.equal(surplus({ ...of('whole', 'a'), type: 'pdq' }, of('crop', 'a')), NEVER)
})

t.test('a farther whole is enough if each of its pieces is near', async (t) => {
  const rows = [of('whole', 'whole'), ...PIECES.map((name) => of('piece', name))]
  const away = (wholeBits: number, piecesBits: readonly number[]) => [
    of('whole', 'whole', wholeBits),
    ...piecesBits.map((bits, i) => of('piece', PIECES[i] ?? '', bits)),
  ]
  t.equal(formSurplusBits(away(16, [20, 0, 0, 0, 0, 0, 0, 20]), rows), 0)
  t.equal(formSurplusBits(away(18, [0, 0, 0, 0, 0, 0, 0, 0]), rows), -2)
  t.equal(formSurplusBits(away(16, [0, 0, 0, 0, 0, 0, 0, 22]), rows), -2)
  t.equal(formSurplusBits(away(16, [0, 0, 0, 0]), rows), -8, 'four pieces are too few')
})

t.test('a farther deframed part is enough if its pieces are near', async (t) => {
  const rows = [of('whole', 'all'), of('deframed', 'inside'), ...PIECES.map((name) => of('piece', name))]
  const away = (bits: number, pieces: readonly string[]) => [
    of('whole', 'screenshot'),
    of('deframed', 'inside', bits),
    ...pieces.map((name) => of('piece', name, 16)),
  ]
  t.equal(formSurplusBits(away(12, ['left', 'right', 'top']), rows), 0)
  t.equal(formSurplusBits(away(12, ['left', 'elsewhere', 'top']), rows) < 0, true)
  t.equal(formSurplusBits(away(12, ['left', 'right']), rows), -8, 'two pieces are too few')
})

t.test('a piece inside a frame counts as a different part if the registered picture has no frame', async (t) => {
  const asked = [of('whole', 'screenshot'), of('deframed', 'inside'), of('piece', 'left', 26)]
  t.equal(formSurplusBits(asked, [of('whole', 'whole'), of('piece', 'left')]), 0)
  t.ok(formSurplusBits(asked, [of('whole', 'whole'), of('deframed', 'card'), of('piece', 'left')]) < 0)
})

t.test('near wholes are no copy where a piece is far: a gradient makes all cards of one design near', async (t) => {
  const rows = [of('whole', 'whole'), ...PIECES.map((name) => of('piece', name))]
  const away = (bits: number) => [
    of('whole', 'whole', 6),
    ...PIECES.map((name, i) => of('piece', name, i === 7 ? bits : 24)),
  ]
  t.equal(formSurplusBits(away(38), rows), 2)
  t.equal(formSurplusBits(away(42), rows), -2)
  t.equal(
    formSurplusBits(away(110), [of('whole', 'whole'), of('deframed', 'card'), ...rows.slice(1)]),
    2,
    'pieces of a frame',
  )
})

t.test('the pieces of a form without a row of its own whole may be those of what is in its frame', async (t) => {
  const pieces = PIECES.map((name) => of('piece', name))
  const asked = [of('whole', 'other'), of('deframed', 'inside'), of('piece', 'left')]
  t.equal(formSurplusBits(asked, [of('whole', 'whole'), ...pieces]), 26)
  t.ok(formSurplusBits(asked, pieces) < 0)
})

t.test('another picture in the frame of a registered one is for review only, and a copy of that is found', async (t) => {
  const replica = { catalogue: new Catalogue() }
  const matcher = bareMatcher({ replica })
  const registered = hasher.hash(framed(1), 'register').signals
  t.equal(registered.find(({ type, view }) => type === 'pdq-area' && view !== 'whole')?.view, 'deframed')
  const signals = registered.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash }]))
  replica.catalogue.put('00000000-0000-4000-8000-000000000001', imageWith(signals))
  const gradesOf = async (pixels: Pixels, thresholdBits?: number) => {
    const asked = [hasher.hash(pixels, 'query').signals]
    const [matches = []] = await matchesOf(matcher, asked, { orgId: 'org', banks: undefined, thresholdBits })
    return matches.map(({ grade }) => grade)
  }
  let others = 0
  for (const seed of [2, 3, 4, 5]) {
    others += (await gradesOf(framed(seed), 52)).length
    t.same(await gradesOf(framed(seed)), [], `${seed}`)
  }
  t.equal(others, 4, 'the frame makes them near')
  t.equal((await gradesOf(darker(framed(1)))).length, 1)
})

t.test('another picture on the same table is for review only: the wholes are near, and no smaller part is', async (t) => {
  const replica = { catalogue: new Catalogue() }
  const matcher = bareMatcher({ replica })
  const signal = (view: ShownView['view'], name: string, bits = 0) => ({ ...of(view, name, bits), quality: 100 })
  replica.catalogue.put(
    '00000000-0000-4000-8000-000000000001',
    imageWith([signal('whole', 'all'), ...['wide', 'left'].map((name) => signal('crop', name))]),
  )
  const gradesOf = async (leftBits: number, thresholdBits?: number) => {
    const pieces = PIECES.map((name) =>
      name === 'left' ? signal('piece', name, leftBits) : signal('piece', `other ${name}`),
    )
    const asked = [signal('whole', 'all', 36), ...pieces].map(({ hash, ...rest }) => ({ ...rest, hashes: [hash, hash] }))
    const [matches = []] = await matchesOf(matcher, [asked], { orgId: 'org', banks: undefined, thresholdBits })
    return matches.map(({ grade }) => grade)
  }
  t.same(await gradesOf(70), [])
  t.same(await gradesOf(70, 52), ['review'])
  t.same(await gradesOf(56), ['near'])
})

t.test('a registered frame of a video has few parts, so near wholes are enough', async (t) => {
  const agreement = {
    surplusBits: -40,
    piecesSurplusBits: -40,
    evenSurplusBits: Number.POSITIVE_INFINITY,
    partial: undefined,
    isPartialClose: false,
    withinFrameBits: undefined,
    insideBits: -9,
  }
  t.equal(wholesSurplusOf(agreement, undefined), -9)
  t.equal(wholesSurplusOf(agreement, 0), undefined, 'at the first moment of a video')
  t.equal(wholesSurplusOf({ ...agreement, withinFrameBits: -3 }, 4000), -3, 'the frame around it counts')
})

/** A small pale scene on a white card, on another scene. */
function framed(seed: number) {
  const [width, height, side] = [500, 550, 160]
  const data = Uint8Array.from(scenePixels(99, { width, height }).data)
  const scene = scenePixels(seed, { width: side, height: side }).data
  for (let y = 0; y < 270; y++) {
    for (let x = 0; x < 200; x++) {
      const [column, row] = [x - 20, y - 20]
      const isInside = column >= 0 && column < side && row >= 0 && row < side
      for (let channel = 0; channel < 3; channel++)
        data[3 * ((45 + y) * width + 150 + x) + channel] = isInside
          ? Math.round(150 + 0.5 * ((scene[3 * (row * side + column) + channel] ?? 0) - 128))
          : 250
    }
  }
  return { data, width, height, channels: 3 as const }
}

t.test('copies of a filled-in form match, and another form of its kind is for review only', async (t) => {
  const replica = { catalogue: new Catalogue() }
  const matcher = bareMatcher({ replica })
  const registered = hasher.hash(form(1), 'register').signals
  const signals = registered.flatMap(({ hashes: [hash], ...rest }) => (hash === undefined ? [] : [{ ...rest, hash }]))
  replica.catalogue.put('00000000-0000-4000-8000-000000000001', imageWith(signals))
  const gradesOf = async (pixels: Pixels, thresholdBits?: number) => {
    const asked = hasher.hash(pixels, 'query')
    t.equal(asked.isForm, true)
    const [matches = []] = await matchesOf(matcher, [asked], { orgId: 'org', banks: undefined, thresholdBits })
    return matches.map(({ grade }) => grade)
  }
  t.same(await gradesOf(form(2)), [], 'a match for review is not reported by default')
  t.same(await gradesOf(form(2), 52), ['review'])
  t.match((await gradesOf(darker(form(1)))).join(), /^(exact|strong)$/)
})

const SIZE = { width: 480, height: 640 }

/** A head and lines of random words: two forms have the same head, and lines in the same places. */
function form(seed: number) {
  const { width, height } = SIZE
  const data = new Uint8Array(3 * width * height).fill(250)
  const fill = (left: number, top: number, wide: number, high: number, level: number) => {
    for (let y = top; y < top + high; y++)
      data.fill(level, 3 * (y * width + left), 3 * (y * width + Math.min(width, left + wide)))
  }
  const random = randomFrom(seed)
  fill(0, 0, width, 110, 60)
  fill(40, 30, 50, 50, 220)
  fill(110, 40, 260, 30, 235)
  for (let line = 0; line < 9; line++) {
    const top = 150 + 52 * line
    fill(40, top, 100 + 37 * (line % 5), 16, 90)
    for (let left = 340; left < 430; left += 14) if (random() < 0.6) fill(left, top, 10, 14, 30)
  }
  return { data, ...SIZE, channels: 3 as const }
}

function darker<P extends { readonly data: Uint8Array }>(pixels: P): P {
  return { ...pixels, data: pixels.data.map((level) => Math.round(0.8 * level)) }
}
