import fc from 'fast-check'
import t from 'tap'
import {
  chooseFrames,
  createFrameMerger,
  MAX_CHOSEN_FRAMES,
  MAX_FRAMES,
  MAX_IMAGE_SIGNALS,
  shownMs,
} from '../../packages/hash/src/file-frames.js'
import { type ImageSignals, loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { hashNamed } from '../helpers/hashes.js'
import { scenePixels } from '../helpers/pictures.js'

type Looks = Pick<ImageSignals, 'isSimple' | 'isForm' | 'isObject'>
const NO_LOOKS: Looks = { isSimple: false, isForm: false, isObject: false }
const hasher = loadImageHasherSync()
const blank = { data: new Uint8Array(200 * 200 * 3).fill(255), width: 200, height: 200, channels: 3 } as const
const picture = (seed: number) => ({ ...scenePixels(seed), channels: 3 }) as const

t.test('each frame is chosen at most once, the longest shown first, within the limit', async (t) => {
  t.same(chooseFrames([]), [])
  t.same(chooseFrames([40]), [0])
  t.same(chooseFrames([20, 1000]), [1, 0])
  t.equal(chooseFrames([20, 20, 5000, 20])[0], 2)
  t.equal(chooseFrames([0, 0, 0])[0], 0, 'without durations')
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 300 }), (durations) => {
      const chosen = chooseFrames(durations)
      const longest = Math.max(...durations)
      return (
        chosen.length <= MAX_CHOSEN_FRAMES &&
        chosen.length >= Math.min(2, durations.length) &&
        new Set(chosen).size === chosen.length &&
        chosen.every((index) => index >= 0 && index < durations.length) &&
        durations[chosen[0] ?? -1] === longest &&
        chosen.includes(0)
      )
    }),
  )
})

t.test('the frame at each quarter of the duration is chosen', async (t) => {
  const durations = Array.from({ length: 100 }, () => 10)
  for (const index of [0, 25, 50, 75, 99]) t.ok(chooseFrames(durations).includes(index), String(index))
})

for (const purpose of ['register', 'query'] as const) {
  const merged = (pictures: readonly Parameters<typeof hasher.hash>[0][], windows = 0) => {
    const merger = createFrameMerger(purpose)
    for (const [i, pixels] of pictures.entries()) {
      const extent = merger.extentOf(i >= pictures.length - windows)
      merger.add(hasher.hash(pixels, purpose, undefined, extent), extent)
    }
    return merger.result()
  }

  t.test(`${purpose}: a single frame is hashed like a picture`, async (t) => {
    t.same(merged([picture(1)]), hasher.hash(picture(1), purpose))
    t.equal(merged([]), undefined)
  })

  t.test(`${purpose}: a blank first frame hides nothing`, async (t) => {
    const alone = merged([picture(1)])
    t.same(merged([blank, picture(1)]), alone)
    t.same(merged([picture(1), blank]), { ...alone, isSimple: false })
    t.match(merged([blank, blank]), { quality: 0 }, 'nothing but blank frames')
  })

  t.test(`${purpose}: further frames add their whole view, and nothing twice`, async (t) => {
    const both = merged([picture(1), picture(2)])
    const first = merged([picture(1)])
    t.same(both?.signals.slice(0, first?.signals.length), first?.signals, 'the main frame comes first')
    const second = hasher.hash(picture(2), purpose)
    for (const type of ['pdq', 'pdq-area']) {
      const whole = (signals: typeof second.signals | undefined) =>
        signals?.filter((signal) => signal.type === type && signal.view === 'whole').map(({ hashes }) => hashes[0]?.join())
      t.same(whole(both?.signals), [...(whole(first?.signals) ?? []), ...(whole(second.signals) ?? [])])
    }
    t.same(merged([picture(1), picture(1), picture(1)])?.signals, first?.signals)
  })

  t.test(`${purpose}: a window counts as a part of the picture, and the signals are bounded`, async (t) => {
    const added = merged([picture(1), picture(2)], 1)?.signals.slice(merged([picture(1)])?.signals.length)
    t.match(added, [{ type: 'pdq-area', view: purpose === 'register' ? 'deframed' : 'crop' }])
    t.equal(added?.length, 1)
    const many = Array.from({ length: 40 }, (_, i) => picture(i + 1))
    t.ok((merged(many, 39)?.signals.length ?? 0) <= MAX_IMAGE_SIGNALS)
    const wholes = merged(many.slice(0, 30))?.signals.filter(({ type, view }) => type === 'pdq' && view === 'whole')
    t.ok((wholes?.length ?? 0) <= MAX_FRAMES)
  })
}

t.test('the looks of a file are those of its pictures that gave hashes', async (t) => {
  const looks = (...shown: readonly (Partial<Looks> & { readonly isSamePicture?: true; readonly isPlain?: true })[]) => {
    const merger = createFrameMerger('query')
    for (const [i, { isSamePicture, isPlain, ...its }] of shown.entries()) {
      const signals = [{ type: 'pdq', view: 'whole', quality: isPlain ? 0 : 100, hashes: [hashNamed(String(i))] }] as const
      const found = { ...NO_LOOKS, ...its, quality: signals[0].quality, signals, blockTotals: undefined }
      merger.add(found, merger.extentOf(false), isSamePicture)
    }
    const { isSimple, isForm, isObject } = merger.result() ?? NO_LOOKS
    return Object.entries({ isSimple, isForm, isObject }).flatMap(([name, value]) => (value ? [name] : []))
  }
  const [sign, form, object] = [{ isSimple: true }, { isForm: true }, { isObject: true }]
  const again = { isSamePicture: true } as const
  t.same(looks(object, { ...again }), ['isObject'], 'an object that cannot be seen on black')
  t.same(looks({}, { ...object, ...again }), ['isObject'], 'or on white')
  t.same(looks(form, again), ['isForm'], 'a form that is none on black')
  t.same(looks(sign, again), ['isSimple'])
  t.same(looks({}, { ...form, ...again }, { ...sign, ...again }), [])
  t.same(looks({ isPlain: true }, { ...form, ...again }), ['isForm'], 'white text')
  t.same(looks(object, object), ['isObject'])
  t.same(looks(object, form), ['isForm', 'isObject'], 'both rules hold')
  t.same(looks(object, {}), [], 'a photograph beside it')
  t.same(looks(object, again, {}), [])
  t.same(looks(object, { isPlain: true }), ['isObject'], 'a blank frame gives no hashes')
  t.same(looks(object, { isPlain: true }, { ...again }), [], 'a photograph that cannot be seen on white')
})

t.test('durations of up to 10 ms are displayed as 100 ms', async (t) => {
  t.same([0, 1, 10, 10.9, 11, 20, 3000].map(shownMs), [100, 100, 100, 100, 11, 20, 3000])
})
