import { readFileSync } from 'node:fs'
import t from 'tap'
import { pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import { openCase } from '../helpers/service.js'
import { allRead, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

t.test(
  'number and PIN can be printed without the chosen pictures, and saved under a name that reveals nothing',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page, faults } = await site.visit('/')
    await toChoosing(page)
    await choose(page, [await pictureFile(1, {}, 'secret-name.jpg')])
    await allRead(page)
    const { caseNumber, pin } = await protectAll(page)
    const code = await textOf(page, '#recovery-code')
    t.match(code, /^\d{4} \d{4} \d{4} \d{4}$/)
    t.match(await textOf(page, '.warn-text'), /Nobody can tell you this case number, this PIN or this code again/)

    await page.evaluate(() => {
      globalThis.print = () => document.body.setAttribute('data-printed', '')
    })
    await page.click('#print')
    t.equal(await page.locator('body[data-printed]').count(), 1)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    const colours = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body)
      return {
        backgroundColor,
        color,
        card: getComputedStyle(document.querySelector('.secret') ?? document.body).backgroundColor,
      }
    })
    t.same(
      colours,
      { backgroundColor: 'rgb(255, 255, 255)', color: 'rgb(29, 39, 51)', card: 'rgb(255, 255, 255)' },
      'dark on white, even on a dark screen',
    )
    // biome-ignore lint/performance/useDomNodeTextContent: what is not shown is not on the paper
    const paper = await page.innerText('body')
    t.match(paper, caseNumber)
    for (const shown of [pin, code, `Address to come back to: ${site.url}/case`]) t.match(paper, shown)
    for (const selector of ['#leave', 'header', 'footer', '#sending', '#print', '#save', '#copy', '#written', '#follow'])
      t.notOk(await page.isVisible(selector), `${selector} is not printed`)
    t.notMatch(paper, /secret-name|Leave this page/)

    await page.emulateMedia({ media: 'screen' })
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    t.equal(download.suggestedFilename(), 'note.txt')
    const note = readFileSync(await download.path(), 'utf8')
    for (const kept of [caseNumber, pin, code, `${site.url}/case`]) t.match(note, kept)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.click('#copy')
    await page.locator('#kept', { hasText: 'Copied. Anybody who uses this device can paste it.' }).waitFor()
    t.equal(await page.evaluate(() => navigator.clipboard.readText()), note)
    t.same(faults, [])
  },
)

t.test(
  'without a secure context number and PIN can still be copied, and a new PIN too',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const her = await openCase(site.app)
    const { page, faults } = await site.visit('/how-it-works')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.addInitScript(() => {
      const { clipboard } = navigator
      Reflect.set(window, 'readCopied', () => clipboard.readText())
      Object.defineProperty(navigator, 'clipboard', { value: undefined })
    })
    await page.goto(`${site.url}/case`)
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', her.recoveryCode)
    await page.click('#open')
    await page.click('#new-pin')
    t.notOk(await page.isVisible('#copy'), 'there is nothing to copy yet')
    await page.click('#pin-yes')
    await page.waitForSelector('#pin-shown:not([hidden])')
    await page.click('#copy')
    await page.locator('#kept', { hasText: 'Copied. Anybody who uses this device can paste it.' }).waitFor()
    const copied = await page.evaluate(() => (Reflect.get(window, 'readCopied') as () => Promise<string>)())
    for (const kept of [her.caseNumber, await textOf(page, '#pin-value'), await textOf(page, '#code-value')])
      t.match(copied, kept)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')])
    t.equal(readFileSync(await download.path(), 'utf8'), copied)
    t.same(faults, [])
  },
)

t.test('a right-to-left language mirrors the page', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/?lang=ar', { viewport: { width: 320, height: 640 } })
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  const place = await page.evaluate(() => {
    const line = document.querySelector('#pictures li')
    const name = document.querySelector('#pictures .name')
    if (line === null || name === null) throw new Error('there is no picture')
    const [outer, inner] = [line.getBoundingClientRect(), name.getBoundingClientRect()]
    return {
      mark: getComputedStyle(line).borderRightWidth,
      isAtRight: outer.right - inner.right < 30,
      overflowPx: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }
  })
  t.same(place, { mark: '4px', isAtRight: true, overflowPx: 0 })
})

t.test('no stylesheet uses left or right', async (t) => {
  for (const name of ['base', 'pictures', 'style']) {
    const css = readFileSync(new URL(`../../../page/${name}.css`, import.meta.url), 'utf8')
    t.notMatch(css.replaceAll(/\/\*[\s\S]*?\*\//g, ''), /\b(?:left|right)\b/, name)
  }
})
