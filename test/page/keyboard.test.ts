import t from 'tap'
import { pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import { allRead, allSent, choose, textOf, toChoosing } from '../helpers/steps.js'

t.test('every step works by keyboard, and moves the focus to its heading', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName)
  const tabTo = async (id: string) => {
    for (let presses = 0; presses < 40 && (await focused()) !== id; presses++) await page.keyboard.press('Tab')
    t.equal(await focused(), id, `${id} is reached`)
  }
  await tabTo('adult')
  await page.keyboard.press('Enter')
  t.equal(await focused(), 'H1')
  await tabTo('agree')
  await page.keyboard.press('Space')
  await tabTo('consent-go')
  await page.keyboard.press('Enter')
  t.equal(await focused(), 'H1')
  await tabTo('files')
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  await tabTo('choose-go')
  await page.keyboard.press('Enter')
  await tabTo('protect')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  t.equal(await focused(), 'H1')
  await tabTo('written')
  await page.keyboard.press('Space')
  t.ok(await page.isChecked('#written'))
})

t.test('screen readers are told when reading ends and when sending ends', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1), await pictureFile(2)])
  await allRead(page)
  t.equal(await textOf(page, '[role="status"]'), 'Everything has been read. 2 pictures can be registered')
  await page.click('#choose-go')
  await page.click('#protect')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  t.equal(await textOf(page, '[role="status"]'), 'Done. 2 pictures are registered.')
})
