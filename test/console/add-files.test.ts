// Pictures and videos that are added to a bank in the console: hashed on the device, and only their hashes leave it.

import type { BrowserContext, Page, Request } from 'playwright-core'
import t, { type Test } from 'tap'
import { pictureFile, sharedSite, withoutBrowser } from '../helpers/browser.js'
import { looksRight, openPanel, PHONE, signIn } from '../helpers/console.js'
import { flat } from '../helpers/hostile-pictures.js'
import { keyFor } from '../helpers/service.js'
import type { GivenFile } from '../helpers/steps.js'
import { ask, platform } from '../helpers/trust.js'
import { ffmpeg, H264, makeClip } from '../helpers/videos.js'

const skip = withoutBrowser !== false ? withoutBrowser : ffmpeg === undefined && 'needs ffmpeg (apt-get install ffmpeg)'
const DARK = { viewport: { width: 1200, height: 800 }, colorScheme: 'dark' } as const
const SIZE = { width: 320, height: 240 }
const PANEL = 'Add pictures and videos'
const SOURCE = 'mandelbrot=s=160x128:r=8:start_scale=2:end_scale=0.5:end_pts=40'

interface Signal {
  readonly type: string
  readonly hash: string
}
interface Sent {
  readonly images?: readonly { readonly signals: readonly Signal[]; readonly ref?: string }[]
  readonly videos?: readonly { readonly frames: readonly { readonly signals: readonly Signal[] }[] }[]
}

const site = sharedSite(t, {})

/** The panel, for an NGO with a bank. Counts the workers that were not ended. */
async function opened(org: string, options: Parameters<Awaited<ReturnType<typeof site>>['visit']>[1]) {
  const { visit, app } = await site()
  const { key, headers } = await keyFor(await site(), org, ['signals:write'], 'ngo')
  await app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: `of-${org}` } })
  const { page, context, faults } = await visit('/console', options)
  await page.evaluate(() => {
    Reflect.set(globalThis, 'working', 0)
    const add = (n: number) => Reflect.set(globalThis, 'working', Reflect.get(globalThis, 'working') + n)
    globalThis.Worker = class extends Worker {
      constructor(script: string | URL, options?: WorkerOptions) {
        super(script, options)
        add(1)
      }
      override terminate() {
        super.terminate()
        add(-1)
      }
    }
  })
  await signIn(page, key)
  await openPanel(page, PANEL)
  await page.locator('input[name="file"]').waitFor()
  return { page, context, faults, sent: requestsOf(context) }
}

function requestsOf(context: BrowserContext): Request[] {
  const sent: Request[] = []
  context.on('request', (request) => sent.push(request))
  return sent
}

const working = (page: Page) => page.evaluate(() => Number(Reflect.get(globalThis, 'working')))
const statesOf = (page: Page) => page.locator('tbody td:last-child').allTextContents()

async function add(page: Page, files: GivenFile[]): Promise<void> {
  await page.setInputFiles('input[name="file"]', files)
  await page.getByRole('button', { name: 'Hash and add' }).click()
}

const done = (page: Page, text: string) => page.getByText(`Done: ${text}`, { exact: true }).waitFor()

async function video(name = 'private-video.mp4'): Promise<GivenFile> {
  const buffer = makeClip({ name: 'a.mp4', source: SOURCE, output: ['-t', '1', ...H264] })
  if (buffer === undefined) throw new Error('this ffmpeg lacks an encoder')
  return { name, mimeType: 'video/mp4', buffer }
}

/** Requests have hashes in JSON, and nothing of a file, neither its bytes nor its name. */
function checkOnlyHashes(t: Test, sent: readonly Request[], files: readonly GivenFile[]): Sent[] {
  const posted = sent.filter((request) => request.method() !== 'GET')
  for (const request of posted) {
    t.match(request.url(), /\/v1\/banks\/of-adder\/signals$/)
    t.equal(request.headers()['content-type'], 'application/json')
    const text = request.postData() ?? ''
    t.match(text, /^[\x20-\x7e]+$/, 'no bytes')
    t.notMatch(text, /private|multipart|base64/)
    const strings = [...text.matchAll(/"([^"]*)"/g)].map(([, each = '']) => each)
    t.same(
      strings.filter((each) => each.length > 20 && !/^[0-9a-f]{64}$/.test(each)),
      [],
      'nothing is longer than a name, but hashes',
    )
    for (const { buffer } of files) {
      const piece = buffer.subarray(buffer.length / 2, buffer.length / 2 + 24)
      for (const encoding of ['latin1', 'hex', 'base64'] as const)
        t.notOk(text.includes(piece.toString(encoding).replace(/=+$/, '')), encoding)
    }
  }
  return posted.map((request) => request.postDataJSON())
}

t.test(
  'the console adds a picture and a video by their hashes, both are found, and unreadable files are refused with a reason',
  { skip },
  async (t) => {
    const { page, faults, sent } = await opened('adder', DARK)
    await looksRight(t, page, 'nothing chosen')
    const picture = await pictureFile(1, SIZE, 'private-picture.jpg')
    const damaged = { ...picture, name: 'private-half.jpg', buffer: picture.buffer.subarray(0, picture.buffer.length / 3) }
    const plain = { name: 'private-plain.png', mimeType: 'image/png', buffer: (await flat()).bytes }
    const old = makeClip({ name: 'a.mp4', source: SOURCE, output: ['-t', '1', '-c:v', 'mpeg4'] }) ?? Buffer.alloc(0)
    const unread = { name: 'private-old.mp4', mimeType: 'video/mp4', buffer: old }
    const tiff = await pictureFile(2, { ...SIZE, format: 'tiff' }, 'private.tiff')
    const files = [picture, await video(), damaged, plain, unread, tiff]
    await page.fill('input[name="ref"]', 'case 17')
    await add(page, files)
    await done(page, '2 of 6 added, 4 not')
    t.match(await statesOf(page), [
      /^Added$/,
      /^Added$/,
      /damaged or incomplete/,
      /too plain to be recognised/,
      /This browser cannot read this video.*take a screenshot/,
      /^This browser cannot open pictures of this kind\. Take a screenshot/,
    ])
    t.equal(await page.getByText('Send again').count(), 0)
    await looksRight(t, page, 'added')
    t.equal(await working(page), 0, 'no worker is left')

    const bodies = checkOnlyHashes(t, sent, files)
    t.equal(bodies.length, 2)
    const [image] = bodies.flatMap(({ images = [] }) => images)
    const [film] = bodies.flatMap(({ videos = [] }) => videos)
    t.equal(image?.ref, 'case 17')
    const { headers } = await platform(await site(), 'asker')
    const hashOf = (wanted: string) => image?.signals.find(({ type }) => type === wanted)?.hash
    const asked = ['pdq', 'sha256'].map((type) => ({ signals: [{ type, hash: hashOf(type) }] }))
    const queries = [...asked, { video: { frames: film?.frames } }]
    const answer = await ask(await site(), 'POST', '/v1/match', headers, { queries })
    const [near, exact] = ['near', 'exact'].map((grade) => ({ bank: 'of-adder', grade }))
    t.match(answer.json(), {
      results: [{ matches: [near] }, { matches: [exact] }, { matches: [{ bank: 'of-adder', segments: [{}] }] }],
    })
    t.same(faults, [])
  },
)

t.test(
  'the console repeats a request whose answer was lost, and sends again what was not refused for its content',
  { skip },
  async (t) => {
    const { page, faults } = await opened('again', PHONE)
    const files = await Promise.all([1, 2].map((seed) => pictureFile(seed, SIZE, `${'FB_IMG_'.repeat(20)}${seed}.jpg`)))
    let tries = 0
    await page.route('**/signals', async (route) => {
      tries++
      if (tries > 1) return route.continue()
      await route.fetch() // the service has it
      await route.abort('connectionreset') // and the console does not know
    })
    await add(page, files)
    await done(page, '2 of 2 added')
    t.equal(tries, 3)
    const state = await page.locator('tbody td:last-child').first().boundingBox()
    t.ok(state !== null && state.x + state.width <= PHONE.viewport.width, 'a long name leaves room for what became of it')

    await page.unroute('**/signals')
    const json = { title: 'The key does not have the scope.', status: 403 }
    await page.route('**/signals', (route) => route.fulfill({ status: 403, json }), { times: 1 })
    await add(page, files)
    await done(page, '0 of 2 added, 2 not')
    t.same(await statesOf(page), [json.title, json.title], 'one refusal is enough')
    await looksRight(t, page, 'unsent')
    await page.getByRole('button', { name: 'Send again' }).click()
    await done(page, '2 of 2 added')
    t.same(faults, [])
  },
)

t.test('Stop and signing out end all workers, and more than 1,000 files are refused', { skip }, async (t) => {
  const { page, faults, sent } = await opened('stopper', PHONE)
  await page.route('**/assets/worker-video-*', () => {}) // it does not arrive
  await add(page, [await video(), await pictureFile(1, SIZE)])
  await page.getByText('1 of 2 added', { exact: true }).waitFor()
  await page.getByText('Being read', { exact: true }).waitFor()
  t.equal(await working(page), 1)
  await page.getByRole('button', { name: 'Stop' }).click()
  await done(page, '1 of 2 added, 1 not')
  t.same(await statesOf(page), ['Not added: it was stopped', 'Added'])
  t.equal(await working(page), 0)

  const before = sent.length
  const names = Array.from({ length: 1001 }, (_, k) => ({ name: `${k}`, mimeType: 'image/png', buffer: Buffer.from('') }))
  await add(page, names)
  await page.getByText('Choose at most 1,000 files at a time. Nothing was read.').waitFor()
  await looksRight(t, page, 'too many')
  await add(page, [await video()])
  await page.getByText('Being read', { exact: true }).waitFor()
  t.equal(await page.getByText('Choose at most').count(), 0)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.locator('#key').waitFor()
  t.equal(await working(page), 0, 'the session took its workers with it')
  t.same(
    sent.slice(before).filter((request) => request.method() !== 'GET'),
    [],
  )
  t.same(faults, [])
})

t.test('a key without signals:write has no panel for files', { skip: withoutBrowser }, async (t) => {
  const viewer = await keyFor(await site(), 'viewer', ['match'], 'platform')
  const { page } = await (await site()).visit('/console')
  await signIn(page, viewer.key)
  await page.locator('nav').waitFor()
  t.same(await page.locator('nav li').allTextContents(), ['Your traffic'])
})
