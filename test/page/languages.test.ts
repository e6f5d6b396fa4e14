// Changing the language at any step: the page keeps the step, what was chosen, and a number and PIN that are shown once.

import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { openCase } from '../helpers/service.js'
import { allRead, allSent, choose, textOf, toChoosing } from '../helpers/steps.js'

const skip = withoutBrowser

async function speak(page: Page, language: string): Promise<void> {
  await page.click('.languages summary')
  await page.click(`.languages a[lang="${language}"]`)
  await page.waitForSelector(`html[lang="${language}"]`)
}

/** Every sentence of the page, shown or not, and every name for screen readers. */
function sentences(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const without = 'script, style, #status, #notices, #number, #pin, #recovery-code, #view-number'
    const own = [...document.querySelectorAll('*')].filter((element) => element.closest(without) === null)
    return own.flatMap((element) => {
      const texts = [...element.childNodes].filter((node) => node instanceof Text).map((node) => node.textContent ?? '')
      const names = ['aria-label', 'data-empty', 'href'].map((name) => element.getAttribute(name) ?? '')
      return [...texts, ...names].map((text) => text.trim()).filter((text) => text !== '')
    })
  })
}

/** From the first page to the last question, with a picture that is protected and a file that is not. */
async function toCategory(page: Page): Promise<void> {
  await toChoosing(page)
  const text = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('a shopping list') }
  await choose(page, [await pictureFile(1), text])
  await allRead(page)
  await page.click('#choose-go:enabled')
  await page.check('[value="nude"]')
}

async function protectThem(page: Page): Promise<void> {
  await page.click('#protect')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
}

t.test('at each step of the first page the language changes and nothing is lost', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  const { page: plain } = await site.visit('/?lang=ms')
  await toCategory(page)
  await speak(page, 'ta')
  t.ok(await page.isVisible('#categories'), 'the step stays')
  t.ok(await page.isChecked('[value="nude"]'))
  await page.goBack()
  t.match(await textOf(page, '#choose-go'), /[஀-௿]/, 'chosen files stay')
  await page.goForward()
  await protectThem(page)
  const secrets = () => Promise.all(['#number', '#pin', '#recovery-code'].map((id) => textOf(page, id)))
  const shown = await secrets()
  t.match(shown[1], /^\d{6}$/)
  await page.check('#written')
  await speak(page, 'ms')
  t.same(await secrets(), shown)
  t.ok(await page.isChecked('#written'))
  await toCategory(plain)
  await protectThem(plain)
  t.same(await sentences(page), await sentences(plain), 'every sentence is in the new language, those of the script too')
  t.equal(await page.title(), await plain.title())
  t.match(page.url(), /\?lang=ms$/, 'reloading keeps the language')
  t.same(faults, [])
})

async function opened(site: Site, language: string, her: { caseNumber: string; recoveryCode: string }) {
  const visit = await site.visit(`/case?lang=${language}`)
  await visit.page.fill('#case-number', her.caseNumber)
  await visit.page.fill('#case-pin', her.recoveryCode)
  await visit.page.click('#open')
  await visit.page.waitForSelector('[data-step="view"]:not([hidden])')
  return visit
}

t.test('on the case page the language changes, and the case and a new PIN stay open', { skip }, async (t) => {
  const site = await usualSite()
  const her = await openCase(site.app)
  const { page, faults } = await opened(site, 'en', her)
  await speak(page, 'ta')
  await speak(page, 'zh-Hans')
  const { page: plain } = await opened(site, 'zh-Hans', her)
  t.ok(await page.isVisible('#view-number'))
  t.same(await sentences(page), await sentences(plain))
  await page.click('#new-pin')
  await page.click('#pin-yes')
  await page.waitForSelector('#pin-shown:not([hidden])')
  const pin = await textOf(page, '#pin-value')
  await speak(page, 'ms')
  t.equal(await textOf(page, '#pin-value'), pin)
  await page.click('#pin-done')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
  t.same(faults, [])
})

/** The groups of the recovery code, from left to right as they are seen. */
function seenGroups(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const text = document.querySelector('#recovery-code')?.firstChild
    if (!(text instanceof Text)) throw new Error('the code is not shown')
    const place = (from: number) => {
      const range = document.createRange()
      range.setStart(text, from)
      range.setEnd(text, from + 1)
      const { left, top } = range.getBoundingClientRect()
      return top * 10_000 + left
    }
    const groups = [...text.data.matchAll(/\d+/g)].map(({ 0: digits, index }) => ({ digits, at: place(index) }))
    return groups.sort((a, b) => a.at - b.at).map(({ digits }) => digits)
  })
}

t.test('in a language that runs from right to left, codes keep the order of their digits', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  await speak(page, 'ar')
  t.equal(await page.getAttribute('html', 'dir'), 'rtl')
  await toCategory(page)
  await protectThem(page)
  const [number, code] = await Promise.all(['#number', '#recovery-code'].map((id) => textOf(page, id)))
  t.same(await seenGroups(page), code?.split(' '))
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
  const note = readFileSync(await download.path(), 'utf8')
  for (const each of [number, code]) t.ok(note.includes(`\u2068${each}\u2069`), 'also in the saved note')

  await page.goto(`${site.url}/case?lang=ar`)
  await page.fill('#case-number', `\u2068${number}\u2069`)
  const arabic = (code ?? '').replaceAll(/\d/g, (digit) => String.fromCharCode(0x660 + Number(digit)))
  await page.fill('#case-pin', arabic)
  await page.click('#open')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
  t.same(faults, [])
})

t.test('without a connection the language stays, and so does what is shown', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  await page.context().setOffline(true)
  await page.click('.languages summary')
  await page.click('.languages a[lang="ms"]')
  await page.locator('#notices', { hasText: 'The language could not be changed just now' }).waitFor()
  t.ok(await page.isVisible('#choose-go'))
  await page.context().setOffline(false)
  await speak(page, 'ms')
  t.match(await textOf(page, '#notices'), 'Bahasa tidak dapat ditukar', 'also what was said before')
})
