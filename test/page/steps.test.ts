// Moving between the steps of a page: Back, Forward, Escape, and leaving.

import type { Page } from 'playwright-core'
import t from 'tap'
import { imagesOf, pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { openCase } from '../helpers/service.js'
import { allRead, allSent, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

const skip = withoutBrowser
const isShown = (page: Page, step: string) => page.waitForSelector(`[data-step="${step}"]:not([hidden])`)
const EXIT = 'https://exit.example/'
const withExit = (page: Page) =>
  page.context().route(EXIT, (route) => route.fulfill({ body: 'weather', contentType: 'text/html' }))

t.test('Back goes one step back, Forward one step on, and nothing is lost', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  await page.click('#choose-go')
  await page.check('[value="nude"]')
  await page.goBack()
  await isShown(page, 'choose')
  t.equal(await page.locator('#pictures li[data-state="good"]').count(), 1, 'the picture is still there')
  await page.goBack()
  await isShown(page, 'consent')
  t.ok(await page.isChecked('#agree'))
  await page.goForward()
  await isShown(page, 'choose')
  await page.goForward()
  await isShown(page, 'category')
  t.ok(await page.isChecked('[value="nude"]'))
  await page.click('#back')
  await page.goBack()
  await isShown(page, 'consent')
  await page.click('#consent-go')
  const { caseNumber, pin } = await protectAll(page)

  await page.goBack()
  await page.locator('#notices', { hasText: 'nothing is lost' }).waitFor()
  t.ok(await page.isVisible('#number'), 'number and PIN stay, and no second number is drawn')
  t.same([await textOf(page, '#number'), await textOf(page, '#pin')], [caseNumber, pin])
  t.equal(await imagesOf(site, { caseNumber, pin }), 1)
  t.same(faults, [])
})

t.test('Forward from the hotlines does not lead into the form, and Back leads to the question', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/how-it-works')
  await page.goto(site.url)
  await page.click('#adult')
  await page.goBack()
  await page.click('#minor')
  await page.goForward()
  await isShown(page, 'minor')
  await page.goBack()
  await isShown(page, 'start')
  t.ok(await page.isVisible('#minor'), 'the question can be answered again')
  t.same(faults, [])
})

async function opened(site: Site) {
  const her = await openCase(site.app)
  const { page, faults } = await site.visit('/case')
  await withExit(page)
  await page.fill('#case-number', her.caseNumber)
  await page.fill('#case-pin', her.recoveryCode)
  await page.click('#open')
  await isShown(page, 'view')
  return { page, faults, her }
}

t.test('on the case page Back goes from a form to the case, and from the case to number and PIN', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults, her } = await opened(site)
  for (const [button, step] of [
    ['#withdraw', 'withdraw'],
    ['#notice-open', 'notice'],
    ['#new-pin', 'new-pin'],
    ['#add', 'choose'],
  ] as const) {
    await page.click(button)
    await isShown(page, step)
    await page.goBack()
    await isShown(page, 'view')
  }
  await page.click('#add')
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  await page.click('#choose-go')
  await page.click('#protect')
  await allSent(page)
  await page.goBack()
  await isShown(page, 'view')
  await page.locator('#view-images', { hasText: '1' }).waitFor()
  await page.goBack()
  await isShown(page, 'enter')
  await page.goForward()
  await isShown(page, 'enter')
  t.equal(await page.inputValue('#case-pin'), '', 'the case does not open again without the PIN')
  t.equal(await imagesOf(site, her), 1)
  t.same(faults, [])
})

t.test(
  'while number and PIN are shown, Escape leaves at the third press and the button at the first',
  { skip },
  async (t) => {
    const site = await usualSite()
    const { page } = await site.visit('/')
    await withExit(page)
    await toChoosing(page)
    await choose(page, [await pictureFile(1)])
    await allRead(page)
    await protectAll(page)
    t.equal(await textOf(page, '#leave-hint'), 'Esc does the same, pressed three times.')
    await page.keyboard.press('Escape')
    t.equal(await textOf(page, '#leave-hint'), 'Press Esc 2 more times to leave.')
    await page.keyboard.press('Escape')
    t.equal(await textOf(page, '[role="status"]'), 'Press Esc once more to leave.')
    await page.keyboard.press('Tab')
    await page.keyboard.down('Escape')
    for (let repeats = 0; repeats < 5; repeats++) await page.keyboard.down('Escape')
    await page.keyboard.up('Escape')
    t.equal(await textOf(page, '#leave-hint'), 'Press Esc 2 more times to leave.', 'a key that is held counts once')
    await page.keyboard.press('Escape')
    await Promise.all([page.waitForURL(EXIT), page.keyboard.press('Escape')])

    const { page: another } = await opened(site)
    await another.click('#new-pin')
    await another.click('#pin-yes')
    await another.waitForSelector('#pin-shown:not([hidden])')
    await another.keyboard.press('Escape')
    t.ok(await another.isVisible('#pin-value'))
    await another.click('#pin-done')
    await isShown(another, 'view')
    t.equal(await textOf(another, '#leave-hint'), 'The Esc key does the same.')
    await Promise.all([another.waitForURL(EXIT), another.keyboard.press('Escape')])
  },
)

t.test('after leaving, Forward never leads back to a step', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await withExit(page)
  await toChoosing(page)
  await page.goBack() // so that Forward has a step to go to
  await isShown(page, 'consent')
  await Promise.all([page.waitForURL(EXIT), page.click('#leave')])
  const entries = await page.evaluate(() => history.length)
  // The page must not leave by showing a step for a moment first.
  await page.addInitScript(() => Reflect.set(History.prototype, 'go', () => {}))
  for (let at = 1; at < entries; at++) {
    await page.goForward().catch(() => {})
    await page.waitForURL(EXIT)
    t.match(await page.textContent('body'), 'weather')
  }
})
