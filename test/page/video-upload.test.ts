// A video that the browser cannot decode can be sent to a service that can, and is then protected like one hashed on the device.

import type { Page } from 'playwright-core'
import t from 'tap'
import { keepHeartbeat } from '../../workers/heartbeat.js'
import { imagesOf, sharedSite, withoutBrowser } from '../helpers/browser.js'
import { redisOf } from '../helpers/requests.js'
import { until } from '../helpers/service.js'
import { allRead, choose, type GivenFile, protectAll, textOf, toChoosing } from '../helpers/steps.js'
import { ffmpeg, H264, makeClip, remuxed } from '../helpers/videos.js'
import { startWorkers } from '../helpers/workers.js'

const HEVC = ['-t', '2', '-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x265-params', 'log-level=none']
const SOURCE = 'mandelbrot=s=160x128:r=8:start_scale=2:end_scale=0.5:end_pts=40'
const hevc = ffmpeg === undefined ? undefined : makeClip({ source: SOURCE, output: HEVC })
const skip = withoutBrowser !== false ? withoutBrowser : hevc === undefined && 'needs an ffmpeg that writes HEVC'

const fileOf = (name: string, buffer: Buffer): GivenFile => ({ name, mimeType: 'video/mp4', buffer })
const statesOf = (page: Page) =>
  page.$$eval('#pictures .state', (states) => states.map(({ textContent }) => textContent ?? ''))

const site = sharedSite(t, {})

/** Chooses files in a browser without a decoder for HEVC. */
async function choosing(page: Page, files: readonly GivenFile[]): Promise<void> {
  await page.addInitScript(() => {
    Object.defineProperty(HTMLMediaElement.prototype, 'src', {
      set(this: HTMLMediaElement) {
        setTimeout(() => this.dispatchEvent(new Event('error')))
      },
    })
  })
  await page.route('**/assets/worker-video-*', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: `delete globalThis.VideoDecoder;${await response.text()}` })
  })
  await page.reload()
  await toChoosing(page)
  await choose(page, files)
  await allRead(page)
}

t.test('a video that this browser cannot decode is sent after consent, and protected', { skip }, async (t) => {
  const { redis } = await site()
  await startWorkers(t, redis)
  const { page } = await (await site()).visit('/')
  const sent: string[] = []
  page.on('request', (request) => sent.push(new URL(request.url()).pathname))
  await choosing(page, [fileOf('a.mp4', hevc ?? Buffer.alloc(0))])
  t.same(await statesOf(page), ['This browser cannot open it'])
  t.match(await textOf(page, '#read-text'), /^Nothing can be registered yet\./)
  t.equal(await textOf(page, '#upload-title'), 'Some files cannot be opened here')
  await page.click('#upload-yes')
  t.match(await statesOf(page), [/^Will be sent to the server/])
  t.equal(await textOf(page, '#choose-go'), 'Continue with 1 video')
  t.notOk(
    sent.some((path) => path.endsWith('/videos')),
    'nothing is sent before consent',
  )
  const opened = await protectAll(page)
  t.equal(await textOf(page, '#sent-text'), 'Done. Registered: 1 video.')
  t.equal(sent.filter((path) => path.endsWith('/videos')).length, 1)
  t.equal(await imagesOf(await site(), opened), 1)
})

t.test('the page offers to send a video if the browser would show another part of it', { skip }, async (t) => {
  const { redis } = await site()
  await startWorkers(t, redis)
  const { page } = await (await site()).visit('/')
  const whole = makeClip({ source: SOURCE, output: ['-t', '1', ...H264] }) ?? Buffer.alloc(0)
  const output = ['-bsf:v', 'h264_metadata=crop_left=32:crop_top=32']
  await toChoosing(page)
  await choose(page, [fileOf('a.mp4', remuxed(whole, 'a.mp4', { output }) ?? Buffer.alloc(0))])
  await allRead(page)
  t.same(await statesOf(page), ['This browser cannot open it'])
  t.equal(await textOf(page, '#upload-title'), 'Some files cannot be opened here')
})

t.test('of a sent video that is dark for a part, the part that is protected is said', { skip }, async (t) => {
  const { redis } = await site()
  await startWorkers(t, redis)
  const { page } = await (await site()).visit('/')
  const source = `${SOURCE},trim=duration=2[a];color=black:s=160x128:r=8:d=2[b];[a][b]concat`
  const [, , ...output] = HEVC
  await choosing(page, [fileOf('a.mp4', makeClip({ source, output }) ?? Buffer.alloc(0))])
  await page.click('#upload-yes')
  await protectAll(page)
  t.match(await textOf(page, '#sent .state'), /^Registered, for \d\d% of its length/)
})

t.test('a video that the service refuses is shown as one, with what to do instead', { skip }, async (t) => {
  const refusals = [
    [501, 'video-unavailable', /This browser cannot read this video.*take a screenshot/],
    [415, 'media-unsupported', /This browser cannot read this video.*take a screenshot/],
    [422, 'quality-too-low', /Nothing in this video can be recognised/],
  ] as const
  const { page } = await (await site()).visit('/')
  await choosing(page, [fileOf('a.mp4', hevc ?? Buffer.alloc(0))])
  for (const [status, code, said] of refusals) {
    await page.route('**/videos', (route) =>
      route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ code }) }),
    )
    await page.click('#upload-yes')
    await protectAll(page)
    t.match(await textOf(page, '#sent'), said, code)
    t.notMatch(await textOf(page, '#sent'), /this picture/i, code)
    await page.unroute('**/videos')
    await page.click('#fix')
    await choose(page, [fileOf('a.mp4', hevc ?? Buffer.alloc(0))])
    await allRead(page)
  }
})

t.test('sending is not offered for a video that the service cannot decode', { skip }, async (t) => {
  const { page: other } = await (await site()).visit('/')
  await choosing(other, [fileOf('old.mp4', makeClip({ output: ['-t', '1', '-c:v', 'mpeg4'] }) ?? Buffer.alloc(0))])
  t.match(await statesOf(other), [/This browser cannot read this video/])
  t.notOk(await other.isVisible('#upload'), 'another codec')
  const { visit, url, ...service } = await site()
  const redis = await redisOf(t, service)
  const beats = keepHeartbeat({ redis, intervalMs: 1000, isFit: () => true, lacking: ['ffmpeg'] })
  t.teardown(() => beats.close())
  await until(async () => !(await (await fetch(url)).text()).includes('maxVideoBytes'))
  const { page } = await visit('/')
  await choosing(page, [fileOf('a.mp4', makeClip({ output: H264 }) ?? Buffer.alloc(0))])
  t.match(await statesOf(page), [/This browser cannot read this video/])
  t.notOk(await page.isVisible('#upload'), 'without ffmpeg')
})
