// A tab that the browser kills while pictures are read, or before they are sent.

import type { Page } from 'playwright-core'
import t from 'tap'
import { imagesOf, pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { until } from '../helpers/service.js'
import { allRead, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

const skip = withoutBrowser
const PHONE = { viewport: { width: 390, height: 844 } }
const HOUR_MS = 3_600_000

const keptIn = (page: Page) => page.evaluate(() => Object.entries(sessionStorage))

/** A visit in which three files were read: two pictures, and one of them again. */
async function withTwoRead(site: Site, locale = 'en') {
  const visit = await site.visit('/', { ...PHONE, locale })
  await toChoosing(visit.page)
  await choose(visit.page, [await pictureFile(1, {}, 'beach.jpg'), await pictureFile(2, {}, 'room.jpg')])
  await choose(visit.page, [await pictureFile(1, {}, 'copy.jpg')])
  await allRead(visit.page)
  return visit
}

/** Loads the page again in the same tab. A dialog that asks whether to leave is answered with yes. */
async function loadedAgain(page: Page): Promise<void> {
  page.once('dialog', (dialog) => void dialog.accept())
  await page.reload()
  await page.locator('#kept-offer').waitFor()
}

/**
 * Kills the renderer of the tab, as a phone does that has no memory left: no event of the page runs. Then loads the page in the same tab.
 * @returns evaluates an expression in the tab, which playwright itself does not touch any more.
 */
async function killed(page: Page): Promise<(expression: string) => Promise<unknown>> {
  const session = await page.context().newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  session.send('Page.crash').catch(() => {}) // is never answered
  await crashed
  await session.send('Page.navigate', { url: page.url() })
  return async (expression) => (await session.send('Runtime.evaluate', { expression, returnByValue: true })).result.value
}

t.test('what was read is there although the tab was killed in the moment', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await withTwoRead(site)
  const inTab = await killed(page)
  await until(async () => (await inTab(`document.querySelector('#kept-offer') !== null`)) === true)
  t.match(await inTab(`document.querySelector('#kept-offer').textContent`), /The fingerprints of 2 pictures or videos/)
  t.equal(await inTab('sessionStorage.length'), 2)
})

t.test('what was read is offered without names when the page loads again, and can be sent', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await withTwoRead(site)
  const kept = await keptIn(page)
  t.equal(kept.length, 2, 'not the copy')
  t.notMatch(JSON.stringify(kept), /beach|room|copy|jpg|details/)

  await loadedAgain(page)
  t.match(await textOf(page, '#kept-offer'), /The fingerprints of 2 pictures or videos are still here/)
  t.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'fits a phone')
  await page.click('#kept-go')
  await toChoosing(page)
  t.same(await page.locator('#pictures .name').allTextContents(), ['File 1', 'File 2'])
  await choose(page, [await pictureFile(2, {}, 'room.jpg'), await pictureFile(3)])
  await allRead(page)
  const lines = await page.locator('#pictures li').allTextContents()
  t.equal(lines.length, 4)
  t.equal((await keptIn(page)).length, 3)
  const secrets = await protectAll(page)
  t.equal(await imagesOf(site, secrets), 3, 'each once')
  await page.waitForFunction(() => sessionStorage.length === 0)
  t.equal(await page.locator('#kept-offer').count(), 0)
  t.same(faults, [])
})

t.test('it is deleted when she says so, removes it, leaves, is under 18, or after an hour', { skip }, async (t) => {
  const site = await usualSite()
  const { page, context } = await withTwoRead(site)
  await page.locator('#pictures button:visible', { hasText: 'Remove' }).first().click()
  await allRead(page)
  t.equal((await keptIn(page)).length, 2, 'the copy of the removed picture takes its place')

  page.on('dialog', (dialog) => void dialog.accept())
  await page.reload()
  await page.click('#kept-no')
  t.equal(await page.locator('#kept-offer').count(), 0)
  t.same(await keptIn(page), [])

  const again = async () => {
    await page.goto(site.url)
    await toChoosing(page)
    await choose(page, [await pictureFile(4)])
    await allRead(page)
    t.equal((await keptIn(page)).length, 1)
    await page.reload()
    await page.locator('#kept-offer').waitFor()
  }
  await again()
  await page.click('#minor')
  t.same(await keptIn(page), [], 'under 18')
  t.equal(await page.locator('#kept-offer').count(), 0)

  await again()
  await context.route('https://exit.example/', (route) => route.fulfill({ body: 'weather', contentType: 'text/html' }))
  await Promise.all([page.waitForURL('https://exit.example/'), page.click('#leave')])
  await page.goto(site.url)
  await page.locator('#adult').waitFor()
  t.same(await keptIn(page), [], 'the quick exit')

  await again()
  await page.clock.setFixedTime(Date.now() + HOUR_MS)
  await page.reload()
  await page.locator('#adult').waitFor()
  t.same(await keptIn(page), [], 'an hour later')
  t.equal(await page.locator('#kept-offer').count(), 0)
})

t.test('the offer is made in each language, and on the page of a case', { skip }, async (t) => {
  const site = await usualSite()
  for (const [locale, words] of [
    ['ms', /Cap jari 2 gambar atau video masih di sini/],
    ['zh-Hans', /2 个照片或视频的指纹还在这里/],
    ['ta', /2 படங்கள் அல்லது காணொளிகளின் கைரேகைகள்/],
  ] as const) {
    const { page, faults } = await withTwoRead(site, locale)
    await loadedAgain(page)
    t.match(await textOf(page, '#kept-offer'), words, locale)
    t.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${locale} fits a phone`)
    await page.goto(`${site.url}/case?lang=${locale}`)
    t.match(await textOf(page, '#kept-offer'), words, `${locale}, case`)
    t.same(faults, [])
  }
})
