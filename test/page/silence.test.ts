// Weeks without a match, and a platform that leaves a copy up: the time line says what that means and what she can do.

import type { Page } from 'playwright-core'
import t from 'tap'
import { startSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { openCase } from '../helpers/service.js'
import { textOf } from '../helpers/steps.js'
import { caseWithPicture, feedback, matchesOf, platform } from '../helpers/trust.js'

const skip = withoutBrowser
const DAY_MS = 86_400_000
const PHONE = { viewport: { width: 390, height: 844 } }

async function open(page: Page, her: { readonly caseNumber: string; readonly pin: string }): Promise<void> {
  await page.fill('#case-number', her.caseNumber)
  await page.fill('#case-pin', her.pin)
  await page.click('#open')
  await page.locator('#time-line li').first().waitFor()
}

/** Moves the page's clock, as if she came back so many days later. */
const daysLater = (page: Page, days: number) => page.clock.setFixedTime(Date.now() + days * DAY_MS)

t.test('after two weeks without a match the time line says that this is usual, and what to look at', { skip }, async (t) => {
  const site = await usualSite()
  const her = await caseWithPicture(site)
  const empty = await openCase(site.app)
  const { page, faults } = await site.visit('/case', PHONE)
  for (const [whose, days, isQuiet] of [
    [her, 13, false],
    [her, 15, true],
    [empty, 15, false],
  ] as const) {
    await daysLater(page, days)
    await open(page, whose)
    t.equal(await page.locator('#quiet').count(), isQuiet ? 1 : 0, `${days} days later`)
    if (isQuiet) {
      t.match(
        await page.locator('#time-line li').first().textContent(),
        /^No copy was found for two weeks or longer\. That is usual/,
      )
      t.match(
        await textOf(page, '#quiet'),
        /how well copies can be recognised, how many platforms look for them, and until when/,
      )
    }
    await page.click('#close')
  }
  for (const [locale, words] of [
    ['ms', /Tiada salinan ditemui selama dua minggu/],
    ['zh-Hans', /两个星期或更久没有发现副本/],
    ['ta', /இரண்டு வாரங்களோ/],
  ] as const) {
    const { page: theirs } = await site.visit('/case', { ...PHONE, locale })
    await daysLater(theirs, 15)
    await open(theirs, her)
    t.match(await textOf(theirs, '#quiet'), words, locale)
    t.ok(await theirs.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${locale} fits a phone`)
  }
  t.same(faults, [])
})

t.test('a match ends the silence, and a copy that was left up comes with what she can do', { skip }, async (t) => {
  const site = await startSite(t)
  const her = await caseWithPicture(site)
  const one = await platform(site, 'one')
  const { page, faults } = await site.visit('/case', PHONE)
  await daysLater(page, 15)
  await open(page, her)
  t.equal(await page.locator('#quiet').count(), 1)
  const matchedAtMs = Date.now()
  await matchesOf(site, one.headers, her.hash)
  await page.locator('#time-line', { hasText: 'A platform found a copy' }).waitFor()
  await page.clock.setFixedTime(matchedAtMs + DAY_MS)
  await feedback(site, one, her.hash, { verdict: 'not-blocked' })
  await page.locator('#time-line', { hasText: 'left it up' }).waitFor()
  await page.locator('#quiet').waitFor({ state: 'detached' })
  t.match(
    await page.locator('#time-line li', { hasText: 'left it up' }).textContent(),
    /You can report the copy to the platform yourself, or ask an organisation that helps\./,
  )
  t.same(faults, [])
})
