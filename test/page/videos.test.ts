// Videos on the page: hashed on the device as by the service, told apart from pictures, and refused with an alternative.

import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { hashVideo } from '../../packages/hash/src/hash-image.js'
import { distance, parseHash } from '../../packages/hash/src/hash256.js'
import { imagesOf, pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { allRead, choose, type GivenFile, protectAll, textOf, toChoosing } from '../helpers/steps.js'
import { ask, platform } from '../helpers/trust.js'
import {
  FAST_SOURCE,
  ffmpeg,
  framesOf,
  H264,
  makeClip,
  remuxed,
  startingLate,
  withFirstTrackDisabled,
} from '../helpers/videos.js'

const skip = withoutBrowser !== false ? withoutBrowser : ffmpeg === undefined && 'needs ffmpeg (apt-get install ffmpeg)'
const SIZE = { width: 160, height: 128 }
/** A zoom into a fractal: with structure everywhere. */
const SOURCE = `mandelbrot=s=${SIZE.width}x${SIZE.height}:r=8:start_scale=2:end_scale=0.5:end_pts=40`
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '400k']
/** Hashes this near count as the same. */
const MAX_BITS = 2
const MAX_PLAYED_BITS = 16

interface SentVideo {
  readonly durationMs: number
  readonly frames: readonly { readonly atMs: number; readonly signals: readonly { readonly hash: string }[] }[]
}

function clip(name: string, output: readonly string[]): Buffer {
  const made = makeClip({ name, source: SOURCE, output: ['-t', '2', ...output] })
  if (made === undefined) throw new Error('this ffmpeg lacks an encoder')
  return made
}

const fileOf = (name: string, buffer: Buffer): GivenFile => ({ name, mimeType: 'application/octet-stream', buffer })
const statesOf = (page: Page) =>
  page.$$eval('#pictures .state', (states) => states.map(({ textContent }) => textContent ?? ''))

/** As a browser without WebCodecs. */
async function withoutDecoder(page: Page): Promise<void> {
  await page.route('**/assets/worker-video-*', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: `delete globalThis.VideoDecoder;${await response.text()}` })
  })
}

/** Chooses files and protects them. @returns the videos that were sent. */
async function sentFrom(page: Page, files: readonly GivenFile[]) {
  const sent: SentVideo[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/hashes')) sent.push(...(request.postDataJSON().videos ?? []))
  })
  await toChoosing(page)
  await choose(page, files)
  await allRead(page)
  const said = { states: await statesOf(page), goOn: await textOf(page, '#choose-go') }
  return { sent, said, opened: await protectAll(page) }
}

/** Hashed here, from the grey frames of ffmpeg. */
async function hashedHere(file: Buffer, name: string, { width, height }: typeof SIZE): Promise<SentVideo> {
  const all = framesOf(file, name, width, height, 8).map((data) => ({ data, width, height, channels: 1 as const }))
  const frames = all.flatMap((pixels, i) =>
    i % 2 === 1 ? [] : { atMs: 125 * i, pixels, aspect: width / height, between: () => all[i - 1] },
  )
  return hashVideo(frames, { purpose: 'register' })
}

function bitsBetween(a = '', b = ''): number {
  const [own, other] = [parseHash(a), parseHash(b)]
  return own === undefined || other === undefined ? Number.POSITIVE_INFINITY : distance(own, other)
}

function checkSame(t: Test, sent: SentVideo | undefined, own: SentVideo, name: string): void {
  t.ok(own.frames.length > 0, name)
  t.same(
    sent?.frames.map(({ atMs }) => atMs),
    own.frames.map(({ atMs }) => atMs),
    `${name}: the same frames`,
  )
  const bits = own.frames.map(({ signals: [whole] }, i) => bitsBetween(whole?.hash, sent?.frames[i]?.signals[0]?.hash))
  t.ok(Math.max(...bits) <= MAX_BITS, `${name}: ${bits}`)
}

/** The case page tells two videos and a picture apart. */
async function checkCasePage(t: Test, site: Site, { caseNumber, pin }: { caseNumber: string; pin: string }): Promise<void> {
  const { page } = await site.visit('/case')
  await page.fill('#case-number', caseNumber)
  await page.fill('#case-pin', pin)
  await page.click('#open')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
  t.same(await page.locator('#sums li').allTextContents(), [
    '1 picture is registered, and changed copies can be recognised.',
    'Registered: 2 videos. Parts that are too dark, plain or blurred are not recognised.',
  ])
  const names = await page.locator('#each .name').allTextContents()
  t.match(names, [/^Picture 1, added on /, /^Video 1, added on /, /^Video 2, added on /])
}

t.test('videos and pictures are chosen together, hashed as by the service, and found', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  const [mp4, webm] = [clip('a.mp4', H264), clip('b.webm', VP8)]
  const files = [fileOf('a.mp4', mp4), await pictureFile(1), fileOf('b.webm', webm)]
  const { sent, said, opened } = await sentFrom(page, files)

  t.same(said.states, Array(3).fill('Ready'))
  t.equal(said.goOn, 'Continue with 1 picture and 2 videos')
  t.equal(await textOf(page, '#sent-text'), 'Done. Registered: 1 picture and 2 videos.')
  t.equal(await imagesOf(site, opened), 3)
  t.equal(sent.length, 2)
  await checkCasePage(t, site, opened)
  for (const [k, [name, file]] of Object.entries({ 'a.mp4': mp4, 'b.webm': webm }).entries()) {
    checkSame(t, sent[k], await hashedHere(file, name, SIZE), name)
    t.equal(sent[k]?.durationMs, 2000)
  }
  const { headers } = await platform(site, 'videos')
  const [, , third] = sent[1]?.frames ?? []
  const query = { signals: [{ type: 'pdq', hash: third?.signals[0]?.hash }] }
  const answer = await ask(site, 'POST', '/v1/match', headers, { queries: [query] })
  t.match(answer.json(), { results: [{ matches: [{ atMs: 0 }] }] })
  t.same(faults, [])
})

t.test(
  'frames between two that differ much are registered as by the service, also where the page plays the video',
  {
    skip,
  },
  async (t) => {
    const site = await usualSite()
    const fast = makeClip({ source: FAST_SOURCE }) ?? Buffer.alloc(0)
    const own = await hashedHere(fast, 'fast.mp4', { width: 192, height: 144 })
    t.ok(own.frames.some(({ atMs }) => atMs % 250 !== 0))
    for (const isPlayed of [false, true]) {
      const { page } = await site.visit('/')
      if (isPlayed) await withoutDecoder(page)
      const { sent } = await sentFrom(page, [fileOf('fast.mp4', fast)])
      if (!isPlayed) checkSame(t, sent[0], own, 'decoded')
      else
        for (const [i, { atMs, signals }] of own.frames.entries()) {
          t.equal(sent[0]?.frames[i]?.atMs, atMs)
          t.ok(bitsBetween(sent[0]?.frames[i]?.signals[0]?.hash, signals[0]?.hash) <= MAX_PLAYED_BITS, `played, ${atMs}`)
        }
    }
  },
)

t.test('a picture that begins after the sound counts from the beginning, however short it is', { skip }, async (t) => {
  const site = await usualSite()
  const short = clip('short.mp4', [...H264, '-frames:v', '2', '-r', '30'])
  const { page } = await site.visit('/')
  const { sent } = await sentFrom(page, [fileOf('late.mkv', startingLate(short, 0.02) ?? Buffer.alloc(0))])
  checkSame(t, sent[0], await hashedHere(short, 'short.mp4', SIZE), 'late')
})

t.test('a rotated video is hashed upright, also where the page plays it instead of decoding it', { skip }, async (t) => {
  const site = await usualSite()
  const turned = remuxed(clip('a.mp4', H264), 'turned.mp4', { input: ['-display_rotation', '90'] }) ?? Buffer.alloc(0)
  const own = await hashedHere(turned, 'turned.mp4', { width: SIZE.height, height: SIZE.width })
  for (const isPlayed of [false, true]) {
    const { page } = await site.visit('/')
    if (isPlayed) await withoutDecoder(page)
    const { sent } = await sentFrom(page, [fileOf('turned.mp4', turned)])
    if (!isPlayed) checkSame(t, sent[0], own, 'decoded')
    // By its colours and an interpolated size it has another hash, but a near one.
    else
      t.ok(bitsBetween(sent[0]?.frames[0]?.signals[0]?.hash, own.frames[0]?.signals[0]?.hash) <= MAX_PLAYED_BITS, 'played')
    t.equal(await textOf(page, '#sent-text'), 'Done. Registered: 1 video.')
  }
})

/** The width at which the browser itself shows a file. */
function shownWidth(page: Page, file: Buffer, type: string): Promise<number> {
  return page.evaluate(
    async ([bytes, mime]) => {
      const video = document.createElement('video')
      const shown = new Promise<number>((resolve, reject) => {
        video.onloadeddata = () => resolve(video.videoWidth)
        video.onerror = () => reject(new Error(video.error?.message))
      })
      video.src = URL.createObjectURL(await (await fetch(`data:${mime};base64,${bytes}`)).blob())
      return shown
    },
    [file.toString('base64'), type] as const,
  )
}

t.test('of two films in one file the page hashes the one that the browser shows', { skip }, async (t) => {
  const site = await usualSite()
  const { page: plain } = await site.visit('/')
  await plain.goto('about:blank')
  const maps = ['-map', '0:v', '-map', '0:v', '-filter:v:1', 'negate,vflip,scale=640:512']
  const isSecondDefault = ['-disposition:v:0', '0', '-disposition:v:1', 'default']
  const files = {
    'both.mp4': clip('both.mp4', [...maps, ...H264, '-disposition:v:0', 'default', '-disposition:v:1', 'default']),
    'second.webm': clip('second.webm', [...maps, ...VP8, ...isSecondDefault]),
  }
  for (const [name, file] of Object.entries(files)) {
    t.equal(await shownWidth(plain, file, name.endsWith('webm') ? 'video/webm' : 'video/mp4'), SIZE.width, name)
    const { page } = await site.visit('/')
    const { sent } = await sentFrom(page, [fileOf(name, file)])
    checkSame(t, sent[0], await hashedHere(file, name, SIZE), name)
  }
  const hidden = withFirstTrackDisabled(files['second.webm'])
  t.equal(
    await shownWidth(plain, hidden, 'video/webm'),
    SIZE.width,
    'the browser shows a disabled track, as the service assumes',
  )
  const { page } = await site.visit('/')
  const { sent } = await sentFrom(page, [fileOf('hidden.webm', hidden)])
  checkSame(t, sent[0], await hashedHere(files['second.webm'], 'second.webm', SIZE), 'disabled')
})

t.test('a video that cannot be read is reported with an alternative, and not offered for sending', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const mp4 = clip('a.mp4', H264)
  await choose(page, [
    fileOf('of another codec.mp4', clip('old.mp4', ['-c:v', 'mpeg4'])),
    fileOf('of another container.avi', clip('old.avi', ['-c:v', 'mpeg4'])),
    fileOf('without an end.mp4', mp4.subarray(0, mp4.length / 2)),
    fileOf(
      'all at once.webm',
      remuxed(clip('a.webm', VP8), 'b.webm', { output: ['-bsf:v', 'setts=ts=0'] }) ?? Buffer.alloc(0),
    ),
    fileOf('dark.mp4', makeClip({ source: 'color=black:s=160x120:d=1' }) ?? Buffer.alloc(0)),
  ])
  await allRead(page)
  t.match(await statesOf(page), [
    /This browser cannot read this video.*take a screenshot/,
    /This is a video of a kind that cannot be read here/,
    /This video is damaged, incomplete or locked/,
    /This video is damaged, incomplete or locked/,
    /Nothing in this video can be recognised/,
  ])
  t.notOk(await page.isVisible('#upload'))
})

t.test('reading a video can be stopped and retried, and the page can be left at once', { skip }, async (t) => {
  const site = await usualSite()
  const { page, context } = await site.visit('/')
  await context.route('https://exit.example/', (route) => route.fulfill({ body: 'weather', contentType: 'text/html' }))
  await toChoosing(page)
  await page.route('**/assets/worker-video-*', () => {}) // it does not arrive
  await choose(page, [fileOf('a.mp4', clip('a.mp4', H264))])
  await page.getByText('Being read').waitFor()
  await page.click('#stop')
  t.same(await statesOf(page), ['Not read'])
  await page.click('#pictures li button:text("Try again")')
  await page.getByText('Being read').waitFor()
  await page.click('#pictures li button:text("Remove")')
  t.equal(await page.locator('#pictures li').count(), 0)
  await page.unroute('**/assets/worker-video-*')
  await choose(page, [fileOf('a.mp4', clip('a.mp4', H264))])
  await allRead(page)
  t.same(await statesOf(page), ['Ready'])
  await Promise.all([page.waitForURL('https://exit.example/'), page.click('#leave')])
})
