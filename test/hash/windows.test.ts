import fc from 'fast-check'
import t from 'tap'
import { MAX_WINDOWS } from '../../packages/hash/src/file-frames.js'
import { type FrameKernel, loadFrameKernelSync } from '../../packages/hash/src/frame-kernel.js'
import { measuredOf } from '../../packages/hash/src/measured.js'
import { cutOut, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { overlapOf, type Rectangle } from '../../packages/hash/src/rectangle.js'
import { isLong, windowedSize, windowsOf } from '../../packages/hash/src/windows.js'
import { scenePixels } from '../helpers/pictures.js'
import { runs } from '../helpers/runs.js'

const kernel = loadFrameKernelSync()
const blank = measuredOf({ data: new Uint8Array(64 * 64).fill(255), width: 64, height: 64, channels: 1 })
/** Finds no photographs, so that only squares remain. */
const blind: FrameKernel = { measure: (_, see) => see(blank) }

const ratio = fc.double({ min: 3, max: 100, noNaN: true })
const shortPx = fc.integer({ min: 64, max: 320 })

function blankPicture(short: number, times: number, isTall: boolean) {
  const long = Math.ceil(short * times)
  const [width, height] = isTall ? [short, long] : [long, short]
  return { data: new Uint8Array(width * height), width, height, channels: 1 } as const
}

t.test('a picture is long when one side is three times the other', async (t) => {
  t.ok(isLong(3) && isLong(1 / 3) && isLong(1 / 40) && isLong(1080 / 20_000))
  t.notOk(isLong(2.99) || isLong(9 / 19.5) || isLong(9 / 22) || isLong(1))
})

t.test('squares cover a picture at every offset', async () => {
  fc.assert(
    fc.property(shortPx, ratio, fc.boolean(), (short, times, isTall) => {
      const picture = blankPicture(short, times, isTall)
      const squares = windowsOf(picture, 'register', blind)
      const froms = squares.map(({ left, top }) => (isTall ? top : left))
      const restPx = Math.max(picture.width, picture.height) - short
      // Half of the distance between two squares, and half a pixel for each rounded border.
      const mostPx = Math.max(0.12 * short, restPx / (MAX_WINDOWS - 1)) / 2 + 1
      for (let offset = 0; offset <= restPx; offset++) {
        if (!froms.some((from) => Math.abs(from - offset) <= mostPx)) return false
      }
      return squares.length <= MAX_WINDOWS && squares.every((square) => isSquareIn(square, picture, short))
    }),
    { numRuns: runs(15) },
  )
})

function isSquareIn(
  { left, top, right, bottom }: Rectangle,
  { width, height }: { width: number; height: number },
  short: number,
) {
  const isWhole = [left, top, right, bottom].every(Number.isInteger)
  return (
    isWhole &&
    left >= 0 &&
    top >= 0 &&
    right <= width &&
    bottom <= height &&
    right - left === short &&
    bottom - top === short
  )
}

t.test('a picture that is not long, or too narrow, has no windows, and a query has no squares', async (t) => {
  for (const [width, height] of [
    [320, 900],
    [63, 6000],
    [1, 65_535],
    [65_535, 1],
    [1, 1],
  ] as const) {
    const picture = { data: new Uint8Array(width * height), width, height, channels: 1 } as const
    t.same(windowsOf(picture, 'register', blind), [], `${width} × ${height}`)
  }
  t.same(windowsOf(blankPicture(64, 20, true), 'query', blind), [])
  t.ok(windowsOf(blankPicture(64, 3, true), 'register', blind).length > 0)
})

t.test('windows are cut from at most 12 megapixels, in proportion and without enlargement', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: MAX_SIDE_PX }), fc.integer({ min: 1, max: MAX_SIDE_PX }), (width, height) => {
      const size = windowedSize({ width, height })
      const short = Math.min(size.width, size.height)
      const isInProportion =
        Math.abs(size.width / width - size.height / height) <= 0.6 / Math.min(width, height) || short === 1
      return (
        size.width <= width &&
        size.height <= height &&
        short >= 1 &&
        size.width * size.height <= 12_100_000 &&
        isInProportion
      )
    }),
  )
})

t.test('a part is copied unchanged', async (t) => {
  const data = Uint8Array.from({ length: 4 * 3 * 2 }, (_, i) => i)
  const picture = { data: data.subarray(0, 24), width: 4, height: 2, channels: 3 } as const
  t.same(cutOut(picture, { left: 1, top: 0, right: 3, bottom: 2 }), {
    data: Uint8Array.of(3, 4, 5, 6, 7, 8, 15, 16, 17, 18, 19, 20),
    width: 2,
    height: 2,
    channels: 3,
  })
})

const PLACES = [37, 431, 702, 1003, 1490, 1897, 2200, 2711] as const

/** Scenes of 240 × 180 on a plain background of 320 pixels, along the longer side. */
function longPicture(isTall: boolean, froms: readonly number[] = PLACES) {
  const lengthPx = (froms.at(-1) ?? 0) + 289
  const [width, height] = isTall ? [320, lengthPx] : [lengthPx, 320]
  const data = new Uint8Array(3 * width * height).fill(238)
  const places = froms.map((at, i): Rectangle => {
    const aside = 20 + 5 * (i % 8)
    const [left, top] = isTall ? [aside, at] : [at, aside]
    const { data: scene } = scenePixels(i + 1, { width: 240, height: 180 })
    for (let y = 0; y < 180; y++) data.set(scene.subarray(3 * 240 * y, 3 * 240 * (y + 1)), 3 * ((top + y) * width + left))
    return { left, top, right: left + 240, bottom: top + 180 }
  })
  return { picture: { data, width, height, channels: 3 } as const, places }
}

for (const isTall of [true, false]) {
  const { picture, places } = longPicture(isTall)
  for (const purpose of ['register', 'query'] as const) {
    t.test(`${purpose}: photographs in a ${isTall ? 'tall' : 'wide'} picture are windows wherever they are`, async (t) => {
      const windows = windowsOf(picture, purpose, kernel)
      for (const place of places) {
        const best = Math.max(...windows.map((window) => overlapOf(window, place)))
        t.ok(best > 0.93, `${place.left}, ${place.top}: ${best}`)
      }
      t.ok(windows.length <= (purpose === 'query' ? 48 : MAX_WINDOWS))
      for (const { left, top, right, bottom } of windows) {
        const [across, down] = [right - left, bottom - top]
        t.ok(left >= 0 && top >= 0 && right <= picture.width && bottom <= picture.height && across > 0 && down > 0)
        t.ok(across * down >= 0.12 * 320 ** 2 && Math.max(across / down, down / across) <= 2.5, 'neither small nor a bar')
      }
    })
  }
}

t.test('both ends of each registered photograph of a tall picture are windows, at most 120 with all others', async (t) => {
  const { picture, places } = longPicture(true)
  const windows = windowsOf(picture, 'register', kernel)
  t.ok(windows.length <= MAX_WINDOWS)
  for (const place of places) {
    const ends = [
      { ...place, bottom: place.top + 120 },
      { ...place, top: place.bottom - 120 },
    ]
    for (const end of ends)
      t.ok(
        windows.some((window) => overlapOf(window, end) > 0.93),
        `${end.top}`,
      )
  }
})

t.test('of many photographs the likeliest become windows, whole, along the entire picture', async (t) => {
  const froms = Array.from({ length: 40 }, (_, i) => 30 + 331 * i)
  const { picture, places } = longPicture(true, froms)
  const windows = windowsOf(picture, 'query', kernel)
  const found = places.filter((place) => windows.some((window) => overlapOf(window, place) > 0.93))
  t.ok(found.length >= 38, `${found.length} of 40`)
})

t.test('a photograph that a slice cuts is no partial window', async (t) => {
  const [width, height] = [320, 6000]
  const data = new Uint8Array(3 * width * height).fill(238)
  const { data: tall } = scenePixels(3, { width: 280, height: 460 })
  const tops = [300, 1250, 2200, 3150, 4100, 5050]
  for (const top of tops) {
    for (let y = 0; y < 460; y++) data.set(tall.subarray(3 * 280 * y, 3 * 280 * (y + 1)), 3 * ((top + y) * width + 20))
  }
  const windows = windowsOf({ data, width, height, channels: 3 }, 'query', kernel)
  for (const top of tops) {
    const place = { left: 20, top, right: 300, bottom: top + 460 }
    t.ok(windows.some((window) => overlapOf(window, place) > 0.93))
    const cut = windows.filter((window) => {
      const isAsWide = Math.abs(window.left - 20) <= 2 && Math.abs(window.right - 300) <= 2
      return isAsWide && overlapOf(window, place) > 0.3 && overlapOf(window, place) < 0.85
    })
    t.same(cut, [], `${top}`)
  }
})

t.test('slices are overwritten after use', async (t) => {
  const seen: Uint8Array[] = []
  const watching: FrameKernel = {
    measure(pixels, see) {
      seen.push(Uint8Array.from(pixels.data), pixels.data as Uint8Array)
      return kernel.measure(pixels, see)
    },
  }
  windowsOf(longPicture(true).picture, 'query', watching)
  t.ok(seen.length > 2)
  for (const [i, data] of seen.entries())
    t.equal(
      data.some((byte) => byte !== 0),
      i % 2 === 0,
    )
})

t.test('the longest pictures are searched in few slices', async (t) => {
  let slices = 0
  const counting: FrameKernel = {
    measure(pixels, see) {
      slices++
      return blind.measure(pixels, see)
    },
  }
  windowsOf({ data: new Uint8Array(64 * MAX_SIDE_PX), width: 64, height: MAX_SIDE_PX, channels: 1 }, 'register', counting)
  t.equal(slices, 60)
})
