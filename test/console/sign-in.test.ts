// How long the console shows what a key opens: until it signs out, the key ends, or the tab is left.

import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite, withoutBrowser } from '../helpers/browser.js'
import { openPanel, signIn } from '../helpers/console.js'
import { keyFor } from '../helpers/service.js'
import { operator } from '../helpers/trust.js'

const DAY_MS = 86_400_000
const ANY_CALL = '**/v1/**'

/** Makes the device's clock wrong by what `setAhead` or a script says. */
const withOwnClock = (page: Page) =>
  page.addInitScript(() => {
    const right = Date.now.bind(Date)
    Date.now = () => right() + Number(Reflect.get(globalThis, 'aheadMs') ?? 0)
  })
const setAhead = (page: Page, ms: number) => page.evaluate((aheadMs) => Reflect.set(globalThis, 'aheadMs', aheadMs), ms)

t.test('signing in and out of the console', { skip: withoutBrowser }, async (t) => {
  const site = await startSite(t)
  const admin = await operator(site)
  const isSignedOut = (page: Page) => page.locator('#key').waitFor()

  async function signedIn(key = admin.key) {
    const visit = await site.visit('/console')
    await withOwnClock(visit.page)
    await visit.page.reload()
    await signIn(visit.page, key)
    await visit.page.locator('nav').waitFor()
    return visit
  }

  t.test(
    'a key that was revoked meanwhile signs out at the next answer, whatever asked, and nothing stays shown',
    async (t) => {
      const asks: Readonly<Record<string, (page: Page) => Promise<void>>> = {
        'another panel': (page) => page.getByRole('button', { name: 'Audit', exact: true }).click(),
        'a form': async (page) => {
          await page.fill('input[name="org"]', 'one-more')
          await page.check('input[value="match"]')
          await page.getByRole('button', { name: 'Create key' }).click()
        },
        'a button of a row': async (page) => {
          await page.getByRole('button', { name: 'Rotate' }).first().click()
          await page.getByRole('button', { name: 'Yes' }).click()
        },
      }
      for (const [name, ask] of Object.entries(asks)) {
        const ended = await keyFor(site, 'ended-operator', ['admin'], 'operator')
        const { page, context, faults } = await signedIn(ended.key)
        await openPanel(page, 'Keys')
        await page.getByRole('row', { name: ended.keyId }).waitFor()
        await site.app.inject({ method: 'DELETE', url: `/v1/keys/${ended.keyId}`, headers: admin.headers })
        await ask(page)
        await isSignedOut(page)
        t.match(await page.textContent('[role="status"]'), /^You were signed out: the service does not accept the key/, name)
        t.notMatch(await page.content(), /ended-operator|class="holder"/, name)
        t.same(faults, [], name)
        await context.close()
      }
    },
  )

  t.test('a suspended key signs out, and other refusals do not', async (t) => {
    const { page, context } = await signedIn()
    const answer = (status: number, code: string) =>
      page.route('**/v1/audit?*', (route) => route.fulfill({ status, json: { status, code, title: 'No.' } }), { times: 1 })
    await answer(403, 'scope-missing')
    await openPanel(page, 'Audit')
    await page.locator('.error', { hasText: 'No.' }).waitFor()
    await answer(403, 'key-suspended')
    await page.getByRole('button', { name: 'Try again' }).click()
    await isSignedOut(page)
    t.notOk(await page.isVisible('nav'))
    await context.close()
  })

  t.test('a late refusal of one key does not end the sign-in with another', async (t) => {
    const { page, context } = await signedIn()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/v1/audit?*', async (route) => {
      await held
      await route.fulfill({ status: 401, json: { status: 401, code: 'key-invalid', title: 'No.' } })
    })
    await page.getByRole('button', { name: 'Audit', exact: true }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signIn(page, admin.key)
    await page.locator('nav').waitFor()
    const late = page.waitForResponse((response) => response.url().includes('/v1/audit'))
    release()
    await (await late).finished()
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)))
    t.ok(await page.isVisible('nav'))
    await context.close()
  })

  t.test('an answer that is not of the service counts as none, and can be tried again', async (t) => {
    const foreign = [
      { status: 200, body: '' },
      { status: 204 },
      { status: 200, body: '"welcome"' },
      { status: 200, contentType: 'text/html', body: '<h1>Sign in to this network</h1>' },
    ]
    const { page, context, faults } = await site.visit('/console')
    const SAID = 'The service does not answer. Try again.'
    for (const answer of foreign) {
      await page.route(ANY_CALL, (route) => route.fulfill(answer), { times: 1 })
      await signIn(page, admin.key)
      await page.locator('#key-error', { hasText: SAID }).waitFor()
      await signIn(page, admin.key)
      await page.locator('nav').waitFor()
      await page.route(/\/v1\/keys(\?|$)/, (route) => route.fulfill(answer), { times: 1 }) // the first panel may still be loading
      await openPanel(page, 'Keys')
      await page.locator('main .error', { hasText: SAID }).waitFor()
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('row', { name: admin.keyId }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
    }
    t.same(faults, [])
    await context.close()
  })

  t.test(
    'Back and Forward change panels; after signing out, and in a page the browser kept, nothing is shown',
    async (t) => {
      const { page, context, faults } = await signedIn()
      const isAt = (panel: string) => page.locator('h1', { hasText: panel }).waitFor()
      await openPanel(page, 'Keys')
      await openPanel(page, 'Audit')
      await page.goBack()
      await isAt('Keys')
      await page.goForward()
      await isAt('Audit')
      await page.goBack()
      await page.goBack()
      await isAt('Overview')
      await page.goForward()
      await isAt('Keys')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.goBack()
      await isSignedOut(page)
      t.notOk(await page.isVisible('nav'))

      await signIn(page, admin.key)
      await isAt('Overview')
      const kept = await page.evaluate(async () => {
        dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
        await Promise.resolve()
        await Promise.resolve()
        return document.body.textContent
      })
      t.notMatch(kept, 'Signed in')
      t.match(await page.textContent('[role="status"]'), 'You were signed out.')
      t.same(faults, [])
      await context.close()
    },
  )

  t.test('a device that slept for 15 minutes is signed out when it wakes, at once or at the first click', async (t) => {
    for (const wake of ['visibilitychange', 'click']) {
      const { page, context } = await signedIn()
      await setAhead(page, 840_000)
      await page.keyboard.press('Shift')
      t.ok(await page.isVisible('nav'), 'after 14 minutes')
      await setAhead(page, 1_800_000) // timers stood still meanwhile
      if (wake === 'click') await page.getByRole('button', { name: 'Keys', exact: true }).dispatchEvent('pointerdown')
      else await page.evaluate(() => dispatchEvent(new Event('visibilitychange')))
      await page.waitForSelector('#key', { timeout: 5000 })
      t.pass(wake)
      await context.close()
    }
  })

  t.test('a key lasts as many days as were typed in, also when the clock of the device is wrong', async (t) => {
    for (const years of [1, -1]) {
      const visit = await site.visit('/console')
      await visit.page.addInitScript((ms) => Reflect.set(globalThis, 'aheadMs', ms), years * 365 * DAY_MS)
      await withOwnClock(visit.page)
      await visit.page.reload()
      await signIn(visit.page, admin.key)
      await openPanel(visit.page, 'Keys')
      const org = `clock-${years}`
      await visit.page.fill('input[name="org"]', org)
      await visit.page.check('input[value="match"]')
      await visit.page.fill('input[name="days"]', '30')
      await visit.page.getByRole('button', { name: 'Create key' }).click()
      await visit.page.locator('.secret').waitFor()
      const listed = await site.app.inject({ url: '/v1/keys', headers: admin.headers })
      const { keys } = listed.json<{ keys: readonly { org: string; expiresAt: string }[] }>()
      const expiresAt = keys.find((key) => key.org === org)?.expiresAt ?? ''
      t.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 30 * DAY_MS) < DAY_MS, `${years}: ${expiresAt}`)
      await visit.context.close()
    }
  })
})
