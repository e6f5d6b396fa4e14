// One press from number and PIN into her case. What is handed on opens the case, so it stays nowhere.

import type { Page } from 'playwright-core'
import t from 'tap'
import { pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { allRead, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

const skip = withoutBrowser
const KEY = 'handed-on'

async function registered(site: Site, locale = 'en') {
  const visit = await site.visit('/', { viewport: { width: 390, height: 844 }, locale })
  await toChoosing(visit.page)
  await choose(visit.page, [await pictureFile(7)])
  await allRead(visit.page)
  return { ...visit, ...(await protectAll(visit.page)) }
}

const stored = (page: Page) => page.evaluate(() => [...Object.entries(sessionStorage), ...Object.entries(localStorage)])

t.test('one press opens her case in the same tab, and leaves nothing in it', { skip }, async (t) => {
  const site = await usualSite()
  for (const locale of ['en', 'ms', 'zh-Hans', 'ta']) {
    const { page, context, caseNumber, faults } = await registered(site, locale)
    await page.check('#written')
    await page.click('#follow')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    t.equal(await textOf(page, '#view-number'), caseNumber, locale)
    t.equal(context.pages().length, 1, 'no tab that the quick exit would miss')
    t.same(await stored(page), [])
    t.notMatch(page.url(), /#|token/)
    t.equal(await page.evaluate(() => window.name), '')

    // By PIN: taking everything back waits, and can be stopped with the code.
    await page.click('#withdraw')
    await page.click('#withdraw-yes')
    await page.locator('#wishes:not([hidden])').waitFor()
    await page.reload()
    await page.waitForSelector('#enter:not([hidden])')
    t.notOk(await page.isVisible('#facts'), 'number and PIN are asked for again')
    t.same(faults, [])
  }
})

t.test('where it cannot be handed on, number and PIN are asked for', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await registered(site)
  await page.check('#written')
  await page.route('**/tokens', (route) => route.abort())
  await page.click('#follow')
  await page.waitForSelector('#enter:not([hidden])')
  t.same(await stored(page), [])
})

t.test('what was handed on is gone when she stays, leaves, or comes to another page', { skip }, async (t) => {
  const site = await usualSite()
  const { page, context } = await registered(site)
  const asked = page.waitForEvent('dialog')
  const pressed = page.click('#follow') // without having written it down
  const dialog = await asked
  await dialog.dismiss()
  await pressed
  await page.waitForFunction(() => sessionStorage.length === 0)
  t.ok(await page.isVisible('#number'))

  const put = () => page.evaluate((key) => sessionStorage.setItem(key, '{"caseNumber":"n","token":"t"}'), KEY)
  await context.route('https://exit.example/', (route) => route.fulfill({ body: 'weather', contentType: 'text/html' }))
  await put()
  await Promise.all([page.waitForURL('https://exit.example/'), page.click('#leave')])
  await page.goto(`${site.url}/how-it-works`)
  t.same(await stored(page), [], 'the quick exit')

  for (const path of ['/', '/how-it-works', '/help', '/privacy']) {
    await put()
    await page.goto(`${site.url}${path}`)
    await page.locator('#unscripted').waitFor({ state: 'detached' })
    t.same(await stored(page), [], path)
  }
  await page.evaluate((key) => sessionStorage.setItem(key, '{"caseNumber":1}'), KEY)
  await page.goto(`${site.url}/case`)
  await page.waitForSelector('#enter:not([hidden])')
  t.same(await stored(page), [])
})
