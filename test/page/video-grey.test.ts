// How video frames are selected, reduced and rotated on the page.

import t from 'tap'
import { orientationOf } from '../../page/video/frame-grey.js'
import { createGreyReducer } from '../../page/video/grey-reducer.js'
import { isShownBetween, timesShown } from '../../page/video/shown-times.js'
import { ffmpeg, framesOf, makeClip } from '../helpers/videos.js'

t.test('a frame is wanted for each quarter of a second in which it is shown', async (t) => {
  t.same(timesShown(0, 1000), [0, 250, 500, 750])
  t.same(timesShown(1, 250), [], 'it ends when the next one begins')
  t.same(timesShown(250, 251), [250])
  t.same(timesShown(240, 501), [250, 500])
  t.same(timesShown(-500, 10), [0], 'frames hidden by an edit list are not shown')
  t.same(timesShown(-500, -1), [])
})

t.test(
  'a frame is kept for the case that two wanted frames differ if it is shown halfway between their times',
  async (t) => {
    const shown: readonly (readonly [number, number])[] = [
      [125, 126],
      [124, 126],
      [375, 400],
      [0, 1000],
    ]
    for (const [fromMs, toMs] of shown) t.equal(isShownBetween(fromMs, toMs), true, `${fromMs} to ${toMs}`)
    const others: readonly (readonly [number, number])[] = [
      [0, 125],
      [126, 375],
      [-200, 100],
      [-200, -100],
      [250, 250],
    ]
    for (const [fromMs, toMs] of others) t.equal(isShownBetween(fromMs, toMs), false, `${fromMs} to ${toMs}`)
  },
)

t.test('the levels of a file are stretched to black and white, and values beyond are clipped', async (t) => {
  const reduce = createGreyReducer({ width: 4, height: 1 }, { width: 4, height: 1 })
  const limited = { black: 16, white: 235 }
  t.same([...reduce({ data: Uint8Array.of(9, 16, 235, 255), offset: 0, stride: 4 }, limited)], [0, 0, 255, 255])
  const tenBits = { black: 64, white: 940 }
  t.same([...reduce({ data: Uint16Array.of(64, 502, 940, 1023), offset: 0, stride: 4 }, tenBits)], [0, 128, 255, 255])
  t.same([...reduce({ data: Uint8Array.of(7, 0, 1, 2, 3), offset: 1, stride: 9 }, { black: 0, white: 255 })], [0, 1, 2, 3])
})

t.test('a flat frame stays flat at each size', async (t) => {
  const sides = [1, 2, 3, 7, 64, 129]
  for (const from of sides) {
    for (const to of sides) {
      const reduce = createGreyReducer({ width: from, height: 2 }, { width: to, height: 3 })
      const grey = reduce({ data: new Uint8Array(from * 2).fill(99), offset: 0, stride: from }, { black: 0, white: 255 })
      t.ok(grey.length === to * 3 && grey.every((value) => value === 99), `${from} to ${to}`)
    }
  }
})

t.test('frames are scaled as ffmpeg scales them', { skip: ffmpeg === undefined && 'there is no ffmpeg' }, async (t) => {
  const full = { width: 96, height: 64 }
  const source = `mandelbrot=s=96x64:r=4`
  const clip =
    makeClip({ name: 'a.mkv', source, output: ['-t', '0.25', '-c:v', 'ffv1', '-pix_fmt', 'gray'] }) ?? Buffer.alloc(0)
  const [plain] = framesOf(clip, 'a.mkv', full.width, full.height)
  for (const target of [full, { width: 41, height: 37 }, { width: 160, height: 128 }]) {
    const [shown] = framesOf(clip, 'a.mkv', target.width, target.height)
    const plane = { data: plain ?? new Uint8Array(), offset: 0, stride: full.width }
    const own = createGreyReducer(full, target)(plane, { black: 0, white: 255 })
    const most = Math.max(...own.map((value, i) => Math.abs(value - (shown?.[i] ?? 0))))
    t.ok(shown !== undefined && most <= 1, `${target.width} × ${target.height}: ${most} levels`)
  }
})

t.test('a rotation followed by mirroring is one of the eight EXIF orientations', async (t) => {
  t.same(
    [0, 90, 180, 270].map((rotation) => [orientationOf(rotation, false), orientationOf(rotation, true)]),
    [
      [1, 2],
      [6, 5],
      [3, 4],
      [8, 7],
    ],
  )
})
