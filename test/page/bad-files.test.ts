import { join } from 'node:path'
import t from 'tap'
import { imagesOf, pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import {
  bombPng,
  emptyFile,
  letter,
  pdf,
  textNamedJpg,
  tooPlain,
  truncatedPng,
  withJpegComment,
} from '../helpers/hostile-pictures.js'
import { type Picture, scene } from '../helpers/pictures.js'
import { allRead, choose, type GivenFile, protectAll, textOf, toChoosing } from '../helpers/steps.js'
import { startWorkers } from '../helpers/workers.js'

function file({ name, contentType, bytes }: Picture): GivenFile {
  return { name, mimeType: contentType, buffer: bytes }
}

t.test(
  'each file that cannot be protected has its own message, and the others are protected',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page, faults } = await site.visit('/')
    await toChoosing(page)
    const good = await pictureFile(1)
    const [plain] = await tooPlain()
    const bad: readonly [Picture | undefined, RegExp][] = [
      [await textNamedJpg(), /is not a picture/],
      [await pdf(), /This is a document/],
      [await emptyFile(), /file is empty/],
      [await bombPng({ width: 10_000, height: 10_000 }), /too large to open/],
      [plain, /too plain/],
      [await letter(), /in a few flat colours/],
      [await truncatedPng(), /damaged or incomplete/],
    ]
    const files = bad.flatMap(([picture]) => (picture === undefined ? [] : [file(picture)]))
    await choose(page, [good, ...files, { ...good, name: 'the same.jpg' }])
    await allRead(page)

    const lines = await page.$$eval('#pictures .state', (states) => states.map(({ textContent }) => textContent))
    t.equal(lines[0], 'Ready')
    for (const [k, [picture, sentence]] of bad.entries()) t.match(lines[k + 1], sentence, picture?.name ?? 'a file')
    t.match(lines.at(-1), /chosen this already/)
    t.equal(await textOf(page, '#choose-go'), 'Continue with 1 picture')
    const opened = await protectAll(page)
    t.equal(await textOf(page, '#sent-text'), '1 of 8 pictures registered, 7 not. The reason is next to each one.')
    await page.setViewportSize({ width: 360, height: 740 })
    const told = await page.locator('#outcome-text').boundingBox()
    t.ok(told !== null && told.y + told.height < 740, 'also on the first screen of a telephone')
    t.equal(await textOf(page, '#outcome-text'), await textOf(page, '#sent-text'))
    await page.click('#reasons')
    t.match(await textOf(page, '#sent li:nth-child(2)'), /not a picture/, 'the message is repeated there')
    t.equal(await imagesOf(site, opened), 1)

    await page.click('#fix')
    await choose(page, [await pictureFile(2)])
    await allRead(page)
    t.same(await protectAll(page), opened, 'the screenshot is added to the same case')
    t.equal(await textOf(page, '#sent-text'), 'Done. Your picture is registered.')
    t.same(
      [await textOf(page, '#outcome-text'), await page.isVisible('#reasons')],
      ['Done. Your picture is registered.', false],
    )
    t.notOk(await page.isVisible('#fix'))
    t.equal(await imagesOf(site, opened), 2)
    t.same(faults, [])
  },
)

t.test('while nothing can be protected, that is said, and nothing is counted', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const status = () => textOf(page, '[role="status"]')
  const nothing = 'Nothing can be registered yet. The reason is next to each file.'
  const video = { name: 'VID_1', mimeType: '', buffer: Buffer.from('000000186674797069736f6d0000000069736f6d', 'hex') }
  for (const given of [file(await truncatedPng()), video]) {
    await choose(page, [given])
    await allRead(page)
    t.equal(await textOf(page, '#read-text'), nothing, given.name)
    t.equal(await status(), `Everything has been read. ${nothing}`)
    await page.click('#pictures button:text("Remove")')
    t.notMatch(await status(), /\d/, 'nothing is left to count')
  }

  const { page: other } = await site.visit('/')
  await other.route('**/assets/worker-*', () => {}) // it does not arrive
  await toChoosing(other)
  await choose(other, [await pictureFile(1)])
  await other.click('#stop')
  await allRead(other)
  t.equal(await textOf(other, '[role="status"]'), `Stopped. What was read stays. ${nothing}`, 'not all was read')
})

t.test('a video that cannot be read is counted as one, whatever its name', { skip: withoutBrowser }, async (t) => {
  const { page } = await (await usualSite()).visit('/')
  await toChoosing(page)
  const video = { name: 'VID_1', mimeType: '', buffer: Buffer.from('000000186674797069736f6d0000000069736f6d', 'hex') }
  await choose(page, [await pictureFile(1), video])
  await allRead(page)
  t.match(await textOf(page, '#pictures li:nth-child(2) .state'), /This video is damaged/)
  await protectAll(page)
  t.equal(await textOf(page, '#sent-text'), '1 of 2 registered, 1 not. Look below for the reason.')
})

t.test('names that begin alike can be told apart on a telephone', { skip: withoutBrowser }, async (t) => {
  const { page } = await (await usualSite()).visit('/', { viewport: { width: 320, height: 600 } })
  await toChoosing(page)
  const long = `${'name'.repeat(60)}.jpg`
  const names = [1, 2].map((k) => `WhatsApp Image 2026-01-31 at 18.28.33 (${k}).jpeg`)
  await choose(page, await Promise.all([...names, long].map((name, k) => pictureFile(k, {}, name))))
  await allRead(page)
  const shown = await page.$$eval('#pictures .name', (all) =>
    all.map((name) => ({ isWhole: name.scrollHeight <= name.clientHeight && name.scrollWidth <= name.clientWidth })),
  )
  t.same(shown, [{ isWhole: true }, { isWhole: true }, { isWhole: false }])
  t.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no name makes the page wider')
})

t.test('500 pictures are read one after the other, with an estimate of the time', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const { bytes } = await scene(1, { width: 160, height: 120 })
  const files = Array.from({ length: 500 }, (_, k) => ({
    name: `${k}.jpg`,
    mimeType: 'image/jpeg',
    buffer: withJpegComment(bytes, String(k)),
  }))
  await choose(page, files)
  t.match(
    await textOf(page, '#choosing-notes'),
    /That is 500 files\..*about 9 minutes, and videos take longer\. You can stop at any time/,
  )

  await page.click('#stop')
  await allRead(page)
  const read = await page.locator('#pictures li[data-state="good"]').count()
  t.ok(read < 500, 'the rest was not read')
  t.equal(await textOf(page, '#choosing-notes'), '', 'the estimate is over')
  const above = async (selector: string) => (await page.locator(selector).boundingBox())?.y ?? Number.NaN
  t.ok((await above('#choose-go')) < (await above('#pictures')), 'the button that goes on is not below 500 lines')
  t.equal(await textOf(page, '[role="status"]').then((text) => text !== ''), true)
  const again = page.locator('#pictures li[data-state="busy"] button:not([hidden])')
  await again.first().click()
  await page.waitForFunction((before) => document.querySelectorAll('#pictures li[data-state="good"]').length > before, read)
})

t.test('a file that the browser cannot open is sent with consent, without its name', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  await startWorkers(t, site.redis)
  const { page } = await site.visit('/')
  const bodies: string[] = []
  await page.route('**/images', async (route) => {
    bodies.push(route.request().postDataBuffer()?.toString('latin1') ?? '')
    await route.continue()
  })
  await toChoosing(page)
  const jxl = {
    name: 'secret-name.jxl',
    mimeType: 'image/jxl',
    buffer: Buffer.from('ff0a0000000000000000000000000000', 'hex'),
  }
  await choose(page, [jxl])
  await allRead(page)
  t.match(await textOf(page, '#pictures .state'), /is damaged or incomplete/)
  t.notOk(await page.isVisible('#upload'), 'a file that the server cannot read either is not offered for sending')
  await choose(page, [await pictureFile(1, { format: 'tiff' }, 'secret-name.tif')])
  await allRead(page)
  t.ok(await page.isVisible('#upload'), 'it asks first')
  t.ok(await page.isDisabled('#choose-go'))
  t.same(bodies, [])

  await page.click('#upload-yes')
  const opened = await protectAll(page)

  const lines = await page.$$eval('#sent .state', (states) => states.map(({ textContent }) => textContent))
  t.match(lines[0], /is damaged or incomplete/)
  t.equal(lines[1], 'Registered')
  t.equal(await imagesOf(site, opened), 1)
  t.ok(bodies.length >= 1, 'sent again while no worker is free')
  for (const body of bodies) {
    t.match(body, /name="image"; filename="image"/)
    t.notMatch(body, /secret-name/)
  }
})

t.test(
  'once all is sent nothing is left of what was chosen, nor of an offer that had no answer',
  { skip: withoutBrowser },
  async (t) => {
    const { page } = await (await usualSite()).visit('/')
    await toChoosing(page)
    await choose(page, [await pictureFile(1), await pictureFile(2, { format: 'tiff' })])
    await allRead(page)
    t.ok(await page.isVisible('#upload'))
    await protectAll(page)
    t.equal(await textOf(page, '#sent-text'), '1 of 2 pictures registered, 1 not. The reason is next to it.')
    await page.click('#fix')
    t.equal(await page.locator('#pictures li').count(), 0)
    t.notOk(await page.isVisible('#upload'), 'there is nothing to send')
    t.equal(await textOf(page, '#choose-go'), 'Continue')
    t.ok(await page.isDisabled('#choose-go'), 'there is nothing to continue with')
  },
)

t.test('a browser without WebAssembly gets a message and the offer to send', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page, context } = await site.visit('/how-it-works')
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'))
  await page.goto(site.url)
  await toChoosing(page)
  t.ok(await page.isVisible('#unsupported'))
  const folder = t.testdir({ 'long.jpg': Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.alloc(21 << 20)]) })
  await page.setInputFiles('#files', join(folder, 'long.jpg'))
  await allRead(page)
  t.match(await textOf(page, '#pictures .state'), /too large to be sent/)
  const jp2 = { name: 'a.jp2', mimeType: 'image/jp2', buffer: Buffer.from('0000000c6a5020200d0a870a', 'hex') }
  await choose(page, [file(await textNamedJpg()), jp2])
  await allRead(page)
  t.match(await textOf(page, '#pictures li:nth-child(2) .state'), /is not a picture/)
  t.match(await textOf(page, '#pictures li:nth-child(3) .state'), /of this kind cannot be read here/)
  t.notOk(await page.isVisible('#upload'), 'none of them is offered for sending')
  await choose(page, [await pictureFile(1)])
  await page.waitForSelector('#upload:not([hidden])')
  await page.click('#upload-no')
  t.equal(await page.locator('#pictures li').count(), 3)
})

t.test(
  'a browser without memory for WebAssembly gets a message, loses nothing and continues once it has some',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page, faults } = await site.visit('/')
    // As browsers behave: first no memory to load, then none to grow, where the kernel traps; then there is enough.
    const scarce = `{
      const load = WebAssembly.instantiate
      let loads = 0
      WebAssembly.instantiate = async (...given) => {
        if (loads++ === 0) throw new RangeError('could not allocate memory')
        return load(...given)
      }
      let hashes = 0
      const set = Uint8Array.prototype.set
      Uint8Array.prototype.set = function (...given) {
        if (loads > 1 && hashes++ === 0) throw new WebAssembly.RuntimeError('unreachable')
        return set.apply(this, given)
      }
    }`
    await page.route('**/assets/worker-*', async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, body: scarce + (await response.text()) })
    })
    await toChoosing(page)
    await choose(page, [await pictureFile(1)])
    await allRead(page)
    for (const what of ['to load', 'to grow']) {
      t.match(await textOf(page, '#pictures .state'), /not enough memory.*Close other tabs and apps, then try again/, what)
      await page.click('#pictures button:has-text("Try again")')
      await allRead(page)
    }
    await page.waitForSelector('#pictures li[data-state="good"]')
    t.equal(await imagesOf(site, await protectAll(page)), 1)
    t.same(faults, [])
  },
)

t.test('a script that fails to load is reported and loaded again on request', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  await page.route('**/assets/worker-*', (route) => route.abort())
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  t.match(await textOf(page, '#pictures .state'), /could not be loaded/)
  await page.unroute('**/assets/worker-*')
  await page.click('#pictures button:has-text("Try again")')
  await page.waitForSelector('#pictures li[data-state="good"]')
})
