// Each answer with a number, a PIN or a token is lost once on its way to the page: the submitter ends with a PIN that was
// shown and that works.

import type { Page, Route } from 'playwright-core'
import t from 'tap'
import { imagesOf, pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import { redisOf, tryPin } from '../helpers/requests.js'
import { openCase } from '../helpers/service.js'
import { allRead, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

/** Loses the first answers to these requests, which the service has processed. @returns how many requests were made. */
async function losing(page: Page, path: string, method: string, answers = 1): Promise<() => number> {
  let asked = 0
  await page.route(path, async (route: Route) => {
    if (route.request().method() !== method || asked++ >= answers) return route.fallback()
    await route.fetch()
    await route.abort('connectionreset')
  })
  return () => asked
}

t.test(
  'when the answer to a new case is lost, the same number and PIN are sent again',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const redis = await redisOf(t, site)
    const cases = async () => (await redis.keys('{tabir}:case:*:events')).length
    const before = await cases()
    const { page, faults } = await site.visit('/')
    await toChoosing(page)
    await choose(page, [await pictureFile(1)])
    await allRead(page)
    const asked = await losing(page, '**/v1/cases', 'POST')
    const opened = await protectAll(page)
    t.equal(asked(), 2)
    t.equal(await imagesOf(site, opened), 1)
    t.equal((await cases()) - before, 1, 'no second case is left')
    t.same(faults, [])
  },
)

t.test('when answers to the case page are lost, it continues by itself as it says', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const her = await openCase(site.app)
  const { page, faults } = await site.visit('/case')
  const visit = async (pin: string) => {
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', pin)
    await page.click('#open')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
  }
  const tokens = await losing(page, '**/tokens', 'POST')
  const files = await losing(page, '**/export', 'GET')
  await visit(her.recoveryCode)
  t.same([tokens(), files()], [2, 2])
  t.equal(await textOf(page, '#enter-error'), '', 'no message once it has continued')

  const pins = await losing(page, '**/pin', 'POST', 2)
  await page.click('#new-pin')
  await page.click('#pin-yes')
  await page.locator('#pin-error', { hasText: 'Nothing is lost: this continues by itself.' }).waitFor()
  t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 201, 'the submitter is not locked out meanwhile')
  await page.waitForSelector('#pin-shown:not([hidden])')
  t.equal(pins(), 3)
  const pin = await textOf(page, '#pin-value')
  const uses = await losing(page, '**/tokens', 'POST')
  await page.click('#pin-done')
  await page.locator('#renewed', { hasText: 'Only what you have just written down opens your case now.' }).waitFor()
  t.equal(uses(), 2)
  t.equal(await textOf(page, '#pin-value'), '')
  if (pin !== her.pin) t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 404, 'as it says')
  await page.locator('#time-line').getByText('A wrong PIN or code was typed in').waitFor()
  t.equal(await page.locator('#time-line li').count(), 4, 'the page continues with the new token')
  await page.click('#close')
  await visit(pin)
  t.same(faults, [])
})

t.test(
  'the old PIN still works if the page is left before the new one is shown, or another one was requested',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const her = await openCase(site.app)
    const { page, faults } = await site.visit('/case')
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', her.recoveryCode)
    await page.click('#open')
    await page.click('#new-pin')
    await losing(page, '**/pin', 'POST', Number.POSITIVE_INFINITY) // an answer would remove the button that is clicked next
    await page.click('#pin-yes')
    await page.locator('#pin-error', { hasText: 'Nothing is lost' }).waitFor()
    await page.click('#pin-no')
    await page.unroute('**/pin')
    t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 201)

    await page.click('#new-pin')
    await page.click('#pin-yes')
    await page.waitForSelector('#pin-shown:not([hidden])')
    const shown = await textOf(page, '#pin-value')
    const inAnotherTab = { method: 'POST', url: `${her.url}/pin`, headers: her.headers } as const
    let other = shown
    while (other === shown) other = (await site.app.inject(inAnotherTab)).json<{ pin: string }>().pin
    await page.click('#pin-done')
    await page.locator('#pin-error', { hasText: 'This PIN does not open your case' }).waitFor()
    t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 201, 'as it says')
    await page.click('#pin-yes')
    await page.waitForSelector('#pin-shown:not([hidden])')
    const last = await textOf(page, '#pin-value')
    await page.click('#pin-done')
    await page.locator('#renewed', { hasText: 'Only what you have just written down' }).waitFor()
    t.equal((await tryPin(site.app, her.caseNumber, last)).statusCode, 201)
    t.same(faults, [])
  },
)
