// What axe-core has against a page, and a walk through every state of every page.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { allRead, allSent, choose, type GivenFile, pictureFile, type Site, textOf } from './browser.js'
import { flat } from './hostile-pictures.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** What WCAG 2.2 AA has against the page as it stands. */
export async function faultsOf(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  return page.evaluate(async (values) => {
    const run: (
      context: Document,
      options: object,
    ) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> = Reflect.get(
      Reflect.get(globalThis, 'axe'),
      'run',
    )
    const { violations } = await run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  }, RULES)
}

async function chosenFiles(): Promise<GivenFile[]> {
  const plain = await flat()
  return [
    await pictureFile(1),
    { name: 'plain.png', mimeType: 'image/png', buffer: plain.bytes },
    { name: 'list.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('a shopping list') },
    { name: 'IMG_1.heic', mimeType: 'image/heic', buffer: Buffer.from('00000018667479706865696300000000', 'hex') },
  ]
}

/** Goes through every state of every page, and looks at each. */
export async function walk(t: Test, site: Site, language: string, options: Parameters<Site['visit']>[1]): Promise<void> {
  const { page, context, faults } = await site.visit(`/?lang=${language}`, options)
  const look = async (state: string) => {
    t.same(await faultsOf(page), [], `${language}: ${state}`)
    const overflowPx = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    t.equal(overflowPx, 0, `${language}: ${state}: nothing has to be scrolled sideways`)
  }
  await look('start')
  await page.click('#minor')
  await look('under 18')
  await page.goto(`${site.url}/?lang=${language}`)
  await page.click('#adult')
  await look('consent')
  await page.check('#agree')
  await page.click('#consent-go')
  await look('choose')
  await choose(page, await chosenFiles())
  await allRead(page)
  await look('chosen')
  await page.click('#upload-no')
  await page.click('#choose-go')
  await look('category')
  await page.click('#protect')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  await look('result')
  const [number, pin] = [await textOf(page, '#number'), await textOf(page, '#pin')]
  await page.check('#written')
  await page.goto(`${site.url}/case?lang=${language}`)
  await page.fill('#case-number', 'x')
  await page.click('#open')
  await look('case, with a mistake')
  await page.fill('#case-number', number)
  await page.fill('#case-pin', pin)
  await page.click('#open')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
  await look('case')
  await page.click('#new-pin')
  await look('another PIN')
  await page.click('#pin-yes')
  await page.waitForSelector('#pin-shown:not([hidden])')
  await look('the new PIN')
  await page.click('#pin-done')
  await page.click('#notice-open')
  await page.check('[value="us-tida"]')
  await page.click('#notice-go')
  await look('notice, with something missing')
  await page.click('#notice-no')
  await page.click('#withdraw')
  await look('withdraw')
  await page.click('#withdraw-yes')
  await page.waitForSelector('#withdrawn-row:not([hidden])')
  await look('withdrawn')
  await page.goto(`${site.url}/how-it-works?lang=${language}`)
  await look('how it works')
  t.same(faults, [])
  await context.close()
}
