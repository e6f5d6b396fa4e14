// The page shows of an image what the service holds.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { imagesOf, pictureFile, type Site, startSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { scene } from '../helpers/pictures.js'
import { RETENTION_MS } from '../helpers/service.js'
import { allRead, allSent, choose, type GivenFile, protectAll, textOf, toChoosing } from '../helpers/steps.js'
import { ask, operator, platform } from '../helpers/trust.js'

const skip = withoutBrowser
const DAY_MS = 86_400_000
const linesOf = (page: Page, list: string) =>
  page.$$eval(`${list} .state`, (states) => states.map(({ textContent }) => textContent ?? ''))

/** Registers a picture, and opens its case in another window. */
async function openedCaseWith(site: Site, picture: GivenFile) {
  const { page } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [picture])
  await allRead(page)
  const { caseNumber, pin } = await protectAll(page)
  const { page: later } = await site.visit('/case')
  await later.fill('#case-number', caseNumber)
  await later.fill('#case-pin', pin)
  await later.click('#open')
  return { later, caseNumber, pin }
}

t.test('a held image is not shown as protected', { skip }, async (t) => {
  const site = await usualSite()
  const boss = await operator(site)
  const { later, caseNumber, pin } = await openedCaseWith(site, await pictureFile(61))
  const { token } = (await ask(site, 'POST', `/v1/cases/${caseNumber}/tokens`, {}, { pin })).json<{ token: string }>()
  const file = await ask(site, 'GET', `/v1/cases/${caseNumber}/export`, { authorization: `Bearer ${token}` })
  const [imageId] = file.json<{ images: { imageId: string }[] }>().images.map((image) => image.imageId)
  await ask(site, 'POST', `/v1/signals/${imageId}/quarantine`, boss.headers)
  const addThem = async (seeds: readonly number[]) => {
    await later.click('#add')
    await choose(later, await Promise.all(seeds.map((seed) => pictureFile(seed))))
    await allRead(later)
    await later.click('#choose-go:enabled')
    await later.click('#protect')
    await allSent(later)
  }
  await addThem([61, 62])
  const lines = await linesOf(later, '#sent')
  t.match(lines, [/A decision is needed first/, /^Registered/])
  t.match(await textOf(later, '#sent-text'), /1 of 2 pictures registered, 1 not/)

  // A second round of adding warns as the first did.
  await later.click('#added-done')
  await later.click('#add')
  await choose(later, [await pictureFile(63)])
  await allRead(later)
  const asked = later.waitForEvent('dialog')
  const going = later.evaluate(() => {
    location.href = '/how-it-works'
  })
  const dialog = await asked
  t.equal(dialog.type(), 'beforeunload')
  await dialog.dismiss()
  await going.catch(() => {})
})

t.test('a deleted file and a request blocked by a proxy do not stop other files', { skip }, async (t) => {
  const site = await usualSite()
  const folder = mkdtempSync(join(tmpdir(), 'tabir-page-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const gone = join(folder, 'gone.tif')
  const tiff = (await scene(64, { format: 'tiff' })).bytes
  writeFileSync(gone, tiff)
  const { page } = await site.visit('/')
  await toChoosing(page)
  await page.setInputFiles('#files', gone)
  await choose(page, [await pictureFile(65)])
  await allRead(page)
  await page.click('#upload-yes')
  rmSync(gone)
  let blocked = 0
  await page.route('**/hashes', (route) =>
    blocked++ === 0 ? route.fulfill({ status: 403, body: '<html>no</html>' }) : route.continue(),
  )
  const opened = await protectAll(page)
  t.match(await linesOf(page, '#sent'), [/cannot be opened any more/, /registered/i])
  t.equal(await imagesOf(site, opened), 1)
})

t.test('of two equal files the second is read again when the first is removed', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const file = await pictureFile(66)
  await choose(page, [file, { ...file, name: 'copy.jpg' }])
  await allRead(page)
  t.match(await linesOf(page, '#pictures'), [/Ready/, /chosen this already/])
  await page.locator('#pictures li').first().locator('button').last().click()
  await allRead(page)
  await page.waitForSelector('#pictures li[data-state="good"]')
  t.match(await linesOf(page, '#pictures'), [/Ready/])
})

t.test('an image removed while it is read does not make another one a duplicate', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  // The messages of the first worker are held back until they are released.
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 })
    const held: (() => void)[] = []
    const listen = Worker.prototype.addEventListener
    let first: Worker | undefined
    Worker.prototype.addEventListener = function (type: string, listener: unknown) {
      first ??= this
      const isHeld = type === 'message' && first === this
      const tell = (event: Event) => (listener as (event: Event) => void)(event)
      listen.call(this, type, isHeld ? (event: Event) => held.push(() => tell(event)) : tell)
    }
    Reflect.set(window, 'releaseHeld', () => held.splice(0).forEach((tell) => void tell()))
    Reflect.set(window, 'heldCount', () => held.length)
  })
  await page.goto(`${site.url}/`)
  await toChoosing(page)
  const file = await pictureFile(67)
  await choose(page, [file, { ...file, name: 'copy.jpg' }])
  await page.waitForSelector('#pictures li:last-child[data-state="good"]')
  await page.waitForFunction(() => (Reflect.get(window, 'heldCount') as () => number)() > 1)
  await page.locator('#pictures li').first().locator('button').last().click()
  await page.evaluate(() => (Reflect.get(window, 'releaseHeld') as () => void)())
  await allRead(page)
  t.match(await linesOf(page, '#pictures'), [/Ready/])
})

t.test('a browser that alters canvas data is detected before anything is hashed', { skip }, async (t) => {
  const site = await usualSite()
  const { page, context } = await site.visit('/')
  await context.route(/worker.*\.js/, async (route) => {
    const response = await route.fetch()
    const change = `{ const P = OffscreenCanvasRenderingContext2D.prototype, read = P.getImageData
      P.getImageData = function (...a) { const image = read.apply(this, a); image.data[5] ^= 1; return image } }\n`
    await route.fulfill({ response, body: change + (await response.text()) })
  })
  await page.reload()
  await toChoosing(page)
  await choose(page, [await pictureFile(67)])
  await allRead(page)
  t.match(await textOf(page, '#altered'), /changes pictures while a page reads them/)
  t.ok(await page.isVisible('#altered'))
  t.match(await linesOf(page, '#pictures'), [/cannot open it/])
})

t.test(
  'what exceeds the room of a day is not shown as being sent, and fits the next day under the same number',
  { skip },
  async (t) => {
    let nowMs = Date.now()
    const site = await startSite(t, { trustLimits: { maxImagesPerNewCase: 2 }, now: () => nowMs })
    const { page } = await site.visit('/')
    await toChoosing(page)
    await choose(page, await Promise.all([71, 72, 73].map((seed) => pictureFile(seed))))
    await allRead(page)
    const opened = await protectAll(page)
    t.equal((await linesOf(page, '#sent')).filter((line) => line.includes('no room')).length, 1)
    t.match(await textOf(page, '#net'), /same case, from/)
    t.match(await textOf(page, '#outcome-text'), /2 of 3 pictures registered/)
    t.match(await textOf(page, '#asking'), /No platform takes part yet/)
    const ends = new Date(nowMs + RETENTION_MS)
    t.match(await textOf(page, '#ends'), new RegExp(`ends on .*${ends.getFullYear()}, and everything in it is deleted`))

    await platform(site, 'one')
    nowMs += DAY_MS / 2
    const { pin } = opened
    const url = `/v1/cases/${opened.caseNumber}`
    const { token } = (await ask(site, 'POST', `${url}/tokens`, {}, { pin })).json<{ token: string }>()
    await ask(site, 'POST', `${url}/renewals`, { authorization: `Bearer ${token}` })
    nowMs += DAY_MS / 2
    const { page: later } = await site.visit('/case')
    await later.fill('#case-number', opened.caseNumber)
    await later.fill('#case-pin', opened.pin)
    await later.click('#open')
    await later.waitForSelector('[data-step="view"]:not([hidden])')
    t.match(await textOf(later, '#view-asking'), /recognise copies now: 1\u2060–\u20602/)
    await later.click('#add')
    await choose(later, [await pictureFile(73)])
    await allRead(later)
    await later.click('#choose-go:enabled')
    await later.click('#protect')
    await allSent(later)
    t.equal(await imagesOf(site, opened), 3)
  },
)

t.test('whose picture is judged or refused as harmless asks for another decision on the page', { skip }, async (t) => {
  const site = await usualSite()
  const boss = await operator(site)
  const register = async () => {
    const { page } = await site.visit('/')
    await toChoosing(page)
    await choose(page, [await pictureFile(81)])
    await allRead(page)
    return { page, ...(await protectAll(page)) }
  }
  const { caseNumber, pin } = await register()
  const { token } = (await ask(site, 'POST', `/v1/cases/${caseNumber}/tokens`, {}, { pin })).json<{ token: string }>()
  const file = await ask(site, 'GET', `/v1/cases/${caseNumber}/export`, { authorization: `Bearer ${token}` })
  const imageId = file.json<{ images: { imageId: string }[] }>().images[0]?.imageId
  await ask(site, 'POST', `/v1/signals/${imageId}/dispute`, boss.headers, { reason: 'harmless-content' })
  await ask(site, 'POST', `/v1/signals/${imageId}/dispute/decision`, boss.headers, { outcome: 'upheld' })

  const again = await register()
  t.match(await linesOf(again.page, '#sent'), [/listed as harmless/])
  await again.page.click('#sent button')
  await again.page.getByText('The operator will decide again').first().waitFor()
  const { page } = await site.visit('/case')
  await page.fill('#case-number', caseNumber)
  await page.fill('#case-pin', pin)
  await page.click('#open')
  await page.getByText('Not recognised: a platform objected, and the operator agreed').waitFor()
  await page.click('#each button')
  await page.getByText('The operator will decide again').first().waitFor()
  const waiting = await ask(site, 'GET', '/v1/appeals', boss.headers)
  t.match(waiting.json(), { appeals: [{ signalId: imageId }] }, 'one appeal about one picture')
  await ask(site, 'POST', `/v1/appeals/${imageId}/decision`, boss.headers, { outcome: 'granted' })
})

t.test('a file tells which picture of the list it is, and nothing of it is sent but hashes', { skip }, async (t) => {
  const site = await usualSite()
  const [first, second] = [await pictureFile(71), await pictureFile(72)]
  const { later } = await openedCaseWith(site, first)
  await later.click('#each-open summary')
  const sent: string[] = []
  later.on('request', (request) => request.method() === 'POST' && sent.push(request.postData() ?? ''))
  const answerTo = async (file: GivenFile) => {
    await later.setInputFiles('#which-file', file)
    await later.waitForFunction(() => !/^$|being read/.test(document.querySelector('#which')?.textContent ?? ''))
    return textOf(later, '#which')
  }

  t.match(await answerTo(first), /^This is: Picture 1, added on /)
  t.match(await answerTo(second), /none of the pictures/)
  t.match(
    await answerTo({ name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('a list') }),
    /cannot read this file/,
  )
  t.ok(
    sent.every((body) => /^\{"hashes":\["[0-9a-f]{64}"\]\}$/.test(body)),
    'one hash each',
  )
  t.equal(sent.length, 2)
})
