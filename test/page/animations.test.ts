// The worker draws the frames that Chromium displays.

import type { Page } from 'playwright-core'
import t from 'tap'
import { createCanvas } from '../../workers/media/animations/canvas.js'
import { drawableOf } from '../../workers/media/animations/drawable.js'
import { apngOf, type DrawnFrame, framePicture, gifOf, webpOf } from '../helpers/animations.js'
import { launchChromium, withoutBrowser } from '../helpers/chromium.js'

interface Shown {
  readonly width: number
  readonly height: number
  readonly rgba: Buffer
}

const SIZE = { width: 64, height: 48 }
const SMALL = { width: 20, height: 16 }
const hole = (x: number, y: number): number => (((x >> 2) + (y >> 2)) % 3 === 0 ? 0 : 255)
const soft = (x: number): number => (x * 12) % 256

t.test('every frame is drawn as Chromium displays it', { skip: withoutBrowser }, async (t) => {
  const browser = await launchChromium()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '' }))
  await page.goto('https://localhost/') // decoders are only offered to secure pages

  for (const { name, format, file } of await files()) {
    const found = drawableOf(file, format, false)
    if (found === undefined) throw new Error(`${name} is an animation`)
    const { width, height, frames } = found.animation
    const displayed = await framesInChromium(page, file, `image/${format}`)
    t.equal(displayed.length, frames.length, name)
    const canvas = createCanvas(width, height)
    for (const [index, frame] of frames.entries()) {
      const pixels = await found.pixelsOf(index)
      canvas.draw(frame, pixels)
      const shown = displayed[index]
      t.match(shown, { width, height }, name)
      const levels = difference(canvas.data, shown?.rgba ?? Buffer.alloc(0))
      t.ok(levels <= 3, `${name}, frame ${index}: ${levels} levels`) // rounding, where half-transparent frames overlap
    }
  }
})

async function files() {
  const disposals = ['clear', 'keep', 'restore', 'restore', 'clear', 'keep'] as const
  const sequence = (alpha: typeof hole, isSource: boolean): DrawnFrame[] => [
    { picture: framePicture(1, SIZE), delayMs: 500 },
    ...disposals.map((disposal, k) => ({
      picture: framePicture(10 + k, SMALL, alpha),
      left: 4 + 8 * k,
      top: 2 + 6 * k,
      delayMs: 100,
      disposal,
      isSource,
    })),
    { picture: framePicture(99, SMALL, alpha), left: 30, top: 20, delayMs: 100 },
  ]
  const small = sequence(hole, false).slice(2)
  const inWebp = (frames: readonly DrawnFrame[]) =>
    frames.map((frame) => (frame.disposal === 'restore' ? { ...frame, disposal: 'keep' as const } : frame))
  const over = sequence(soft, false)
  const source = sequence(soft, true)
  return [
    { name: 'GIF', format: 'gif', file: await gifOf(SIZE, sequence(hole, false)) },
    { name: 'GIF, a first frame smaller than the canvas', format: 'gif', file: await gifOf(SIZE, small) },
    { name: 'GIF, a first frame larger than the canvas', format: 'gif', file: await gifOf(SMALL, sequence(hole, false)) },
    { name: 'APNG, blended', format: 'png', file: await apngOf(SIZE, over) },
    { name: 'APNG, replaced', format: 'png', file: await apngOf(SIZE, source) },
    { name: 'APNG, hidden', format: 'png', file: await apngOf(SIZE, small, { hidden: framePicture(5, SIZE) }) },
    { name: 'WebP, blended', format: 'webp', file: await webpOf(SIZE, inWebp(over)) },
    { name: 'WebP, replaced', format: 'webp', file: await webpOf(SIZE, inWebp(source)) },
    { name: 'WebP, a first frame smaller than the canvas', format: 'webp', file: await webpOf(SIZE, inWebp(small)) },
  ] as const
}

/** Multiplied by alpha, since the colours of transparent pixels are not displayed. */
function difference(a: Uint8Array, b: Uint8Array): number {
  let most = a.length === b.length ? 0 : 255
  for (let k = 0; k < a.length; k++) {
    const [alphaA, alphaB] = [a[k | 3] ?? 0, b[k | 3] ?? 0]
    const isAlpha = (k & 3) === 3
    const levels = isAlpha ? alphaA - alphaB : ((a[k] ?? 0) * alphaA - (b[k] ?? 0) * alphaB) / 255
    most = Math.max(most, Math.abs(levels))
  }
  return most
}

async function framesInChromium(page: Page, file: Buffer, type: string): Promise<Shown[]> {
  const found = await page.evaluate(
    async ({ base64, type }) => {
      const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const decoder = new ImageDecoder({ data, type })
      await decoder.tracks.ready
      await decoder.completed
      const frames: { width: number; height: number; base64: string }[] = []
      for (let frameIndex = 0; frameIndex < (decoder.tracks.selectedTrack?.frameCount ?? 0); frameIndex++) {
        const { image } = await decoder.decode({ frameIndex })
        const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight)
        const context = canvas.getContext('2d')
        context?.drawImage(image, 0, 0)
        image.close()
        const { width, height } = canvas
        const pixels = context?.getImageData(0, 0, width, height).data ?? []
        frames.push({ width, height, base64: btoa(Array.from(pixels, (byte) => String.fromCharCode(byte)).join('')) })
      }
      return frames
    },
    { base64: file.toString('base64'), type },
  )
  return found.map(({ width, height, base64 }) => ({ width, height, rgba: Buffer.from(base64, 'base64') }))
}
