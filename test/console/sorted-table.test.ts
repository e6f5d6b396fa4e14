import t from 'tap'
import { startSite, withoutBrowser } from '../helpers/browser.js'
import { openPanel, signIn } from '../helpers/console.js'
import { until } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'

/** [px] Within its margins. */
const A4 = { width: 680, height: 1000 }

t.test(
  'with letters of twice the size, also on a telephone, nothing is scrolled sideways and each button can be pressed',
  { skip: withoutBrowser },
  async (t) => {
    const site = await startSite(t)
    const { key, headers } = await operator(site)
    const { imageId } = await caseWithPicture(site)
    await ask(site, 'POST', `/v1/signals/${imageId}/dispute`, headers, { reason: 'other' })
    for (const width of [320, 1280]) {
      const { page, context, faults } = await site.visit('/console', { viewport: { width, height: 700 } }, 'large')
      t.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), '32px')
      await signIn(page, key)
      await page.locator('nav').waitFor()
      for (const panel of await page.locator('nav li').allTextContents()) {
        await openPanel(page, panel)
        await page.waitForFunction(() => !document.body.textContent?.includes('Loading'))
        const overflowPx = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
        t.equal(overflowPx, 0, `${width}: ${panel}`)
        for (const button of await page.locator('.actions > button').all()) await button.click({ trial: true })
      }
      t.same(faults, [])
      await context.close()
    }
  },
)

t.test('on paper a table is whole, dark on white, and without what can be pressed', { skip: withoutBrowser }, async (t) => {
  const site = await startSite(t)
  const { key, headers } = await operator(site)
  const { imageId } = await caseWithPicture(site)
  await ask(site, 'POST', `/v1/signals/${imageId}/dispute`, headers, { reason: 'not-the-person-shown' })
  // An act is in the log a moment later, and a panel that was opened before that stays empty.
  const audited = async () => (await ask(site, 'GET', '/v1/audit', headers)).json<{ entries: object[] }>().entries
  await until(async () => (await audited()).length > 0)
  const { page, context } = await site.visit('/console', { viewport: A4, colorScheme: 'dark' })
  await signIn(page, key)
  await page.locator('nav').waitFor()
  for (const panel of ['Disputes', 'Keys', 'Audit', 'Banks']) {
    await openPanel(page, panel)
    await page.locator('table').first().waitFor()
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const paper = await page.evaluate(() => ({
      cut: [...document.querySelectorAll('table, th, td')].filter(
        (part) => part.checkVisibility() && part.getBoundingClientRect().right > document.documentElement.clientWidth,
      ).length,
      pressed: [...document.querySelectorAll('button:not(.sort), form, nav')].filter((part) => part.checkVisibility())
        .length,
      ink: getComputedStyle(document.querySelector('td') ?? document.body).color,
      table: getComputedStyle(document.querySelector('table') ?? document.body).backgroundColor,
    }))
    t.same(paper, { cut: 0, pressed: 0, ink: 'rgb(29, 39, 51)', table: 'rgb(255, 255, 255)' }, panel)
    await page.emulateMedia({ media: 'screen' })
  }
  await context.close()
})
