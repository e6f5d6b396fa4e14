import type { Route } from 'playwright-core'
import t from 'tap'
import { imagesOf, pictureFile, startSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { startService } from '../helpers/service.js'
import { allRead, allSent, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'
import { caseWithPicture, feedback, platform } from '../helpers/trust.js'

t.test('a lost connection loses nothing, and the page continues when it is back', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page, context } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  await context.setOffline(true)
  await choose(page, [await pictureFile(2)])
  await allRead(page)
  t.equal(await page.locator('#pictures li[data-state="good"]').count(), 2, 'reading needs no connection')

  await page.click('#choose-go')
  await page.click('#protect')
  await page.waitForSelector('#open-held:not([hidden])')
  t.match(await textOf(page, '#open-net'), /no connection\. Nothing is lost/)
  await context.setOffline(false)
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  t.equal(await textOf(page, '#sent-text'), 'Done. 2 pictures are registered.')
})

t.test('a lost answer does not duplicate the pictures', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1), await pictureFile(2)])
  await allRead(page)
  let lost = 0
  await page.route('**/hashes', async (route) => {
    if (lost++ > 0) return route.continue()
    await route.fetch() // the server has it
    await route.abort('connectionreset') // the page does not know
  })

  const opened = await protectAll(page)

  t.equal(lost, 2, 'sent again with the same key')
  t.equal(await imagesOf(site, opened), 2)
})

t.test('a restart of the server in between only delays the page', { skip: withoutBrowser }, async (t) => {
  const site = await startSite(t)
  const { page } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1), await pictureFile(2)])
  await allRead(page)
  let mayArrive = false
  await page.route('**/hashes', (route) => (mayArrive ? route.continue() : route.abort('connectionrefused')))
  await page.click('#choose-go')
  await page.click('#protect')
  await page.waitForSelector('#net:not([hidden])')
  t.match(await textOf(page, '#net'), /does not answer at the moment\. Nothing is lost/)
  t.match(await textOf(page, '#number'), /^TBR/, 'number and PIN are shown already')

  const { port } = new URL(site.url)
  const second = await startService(t, { redis: site.redis })
  await site.app.close()
  mayArrive = true
  await second.app.listen({ host: '127.0.0.1', port: Number(port) })
  // The page retries by itself too and removes the button, so a click may find that it is done.
  await page.locator('#retry').evaluate((button: HTMLButtonElement) => button.click())
  await allSent(page)

  t.equal(await textOf(page, '#sent-text'), 'Done. 2 pictures are registered.')
})

t.test('a clock that is set back while the page waits does not make it wait longer', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/how-it-works')
  await page.addInitScript(() => {
    const right = Date.now.bind(Date)
    Date.now = () => right() - ('setBack' in globalThis ? 86_400_000 : 0)
  })
  await page.goto(site.url)
  await toChoosing(page)
  const inTwoRequests = Array.from({ length: 21 }, (_, k) => pictureFile(k, { width: 160, height: 120 }))
  await choose(page, await Promise.all(inTwoRequests))
  await allRead(page)
  await page.route('**/hashes', (route) => route.abort('connectionrefused'), { times: 1 })
  await page.click('#choose-go')
  await page.click('#protect')
  await page.waitForSelector('#net:not([hidden])')
  await page.evaluate(() => Reflect.set(globalThis, 'setBack', true))
  await t.resolves(page.locator('#sent-text', { hasText: 'Done. 21 pictures are registered.' }).waitFor({ timeout: 30_000 }))
})

t.test('two tabs detect each other and say that each makes its own number', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page, context } = await site.visit('/')
  t.equal(await textOf(page, '#notices'), '')
  const other = await context.newPage()
  await other.goto(site.url)
  for (const tab of [page, other]) {
    await tab.waitForSelector('#notices p')
    t.match(await textOf(tab, '#notices'), /open in another tab/)
  }
})

t.test(
  'leaving from the first step asks for confirmation, and staying loses nothing',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page } = await site.visit('/how-it-works')
    await page.goto(site.url)
    await toChoosing(page)
    await choose(page, [await pictureFile(1)])
    await allRead(page)
    for (const step of ['consent', 'start']) {
      await page.goBack()
      await page.waitForSelector(`[data-step="${step}"]:not([hidden])`)
    }
    const asked = page.waitForEvent('dialog')
    const going = page.evaluate(() => history.back())
    const dialog = await asked
    t.equal(dialog.type(), 'beforeunload')
    await dialog.dismiss()
    await going

    await page.waitForSelector('#notices p')
    t.match(await textOf(page, '#notices'), /still here, and nothing is lost/)
    await toChoosing(page)
    t.equal(await page.locator('#pictures li').count(), 1)
    const { caseNumber } = await protectAll(page)
    t.match(caseNumber, /^TBR/)
  },
)

t.test('a lost answer on the case page is reported there, and the message is true', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const her = await caseWithPicture(site)
  const { page } = await site.visit('/case')
  /** Handles only the next of these requests. */
  const once = (path: string, answer: (route: Route) => Promise<void>) => page.route(path, answer, { times: 1 })
  const portal = (route: Route) => route.fulfill({ contentType: 'text/html', body: '<h1>Sign in</h1>' })
  const lost = (route: Route) => route.abort('connectionreset')
  const forbidden = (route: Route) => route.fulfill({ status: 403, body: '<h1>No</h1>' })
  /** Handles all of these requests until the connection is restored and the page is notified. */
  const bad = async (path: string, answer: (route: Route) => Promise<void>) => {
    await page.route(path, answer)
    return async () => {
      await page.unroute(path)
      await page.evaluate(() => dispatchEvent(new Event('online')))
    }
  }
  const goesOn = () =>
    page.waitForFunction(() => document.getElementById('withdraw-error')?.textContent?.includes('by itself'))
  await page.fill('#case-number', her.caseNumber)
  await page.fill('#case-pin', her.recoveryCode)

  const signedIn = await bad('**/export', portal)
  await page.click('#open')
  await page.getByText('does not answer at the moment. Nothing is lost: this continues by itself').waitFor()
  await signedIn()
  await page.waitForSelector('[data-step="view"]:not([hidden])')

  await once('**/export', forbidden) // reading the case has no button: it is requested again
  await feedback(site, await platform(site, 'doubter'), her.hash, { verdict: 'disputed', reason: 'other' })
  await page.waitForSelector('#sums .disputed')
  await once('**/answer', forbidden)
  await page.locator('#each button').first().click()
  await page.waitForSelector('#answer-error:not(:empty)')
  await page.locator('#each button:enabled').first().click()
  await page.waitForSelector('#each .answers .hint')

  await page.click('#withdraw')
  const withdrawable = await bad(`**/${her.caseNumber}`, lost)
  const readable = await bad('**/export', lost)
  await page.click('#withdraw-yes')
  await goesOn()
  await withdrawable()
  await page.getByText('Everything is taken back').waitFor()
  await goesOn()
  await readable()
  await page.waitForSelector('#withdrawn-row:not([hidden])')
  t.equal(await textOf(page, '#view-state'), 'Taken back')
})
