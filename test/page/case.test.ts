import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { otherPin } from '../helpers/requests.js'
import { codeOf, openCase, randomHashText } from '../helpers/service.js'
import { allRead, allSent, choose, textOf } from '../helpers/steps.js'
import { ask, caseWithPicture, feedback, operator, platform } from '../helpers/trust.js'

/** What a button saves on her device. */
async function savedBy(page: Page, selector: string): Promise<{ readonly name: string; readonly text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(selector)])
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'latin1') }
}

async function filledCase({ app }: Site) {
  const her = await openCase(app)
  const payload = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 80 }] }] }
  await app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload })
  return her
}

t.test('her page, by number and PIN', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()

  t.test('submitter looks, adds pictures and takes everything back', async (t) => {
    const her = await filledCase(site)
    const { page, context, faults } = await site.visit('/case')

    await page.fill('#case-number', her.caseNumber.toLowerCase().replaceAll('-', ' '))
    await page.fill('#case-pin', `${her.pin.slice(0, 3)} ${her.pin.slice(3)}`)
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    t.equal(await textOf(page, '#view-number'), her.caseNumber)
    t.equal(await textOf(page, '#view-images'), '1')
    t.equal(await textOf(page, '#view-state'), 'Your pictures are protected')
    t.equal(await textOf(page, '#view-category'), 'not said')
    t.match(await textOf(page, '#view-expires'), /^\w+ \d+, \d{4}$/)
    t.equal(await page.inputValue('#case-pin'), '', 'the PIN does not stay in the page')

    await page.click('#add')
    await choose(page, [await pictureFile(1), await pictureFile(2)])
    await allRead(page)
    await page.click('#choose-go')
    await page.check('input[value="nude"]')
    await page.click('#protect')
    await allSent(page)
    await page.click('#added-done')
    await page.waitForFunction(() => document.getElementById('view-images')?.textContent === '3')

    await page.click('#withdraw')
    await page.click('#withdraw-no')
    t.equal(await textOf(page, '#view-images'), '3', 'nothing happens before she says yes')
    await page.click('#withdraw')
    await page.click('#withdraw-yes')
    await page.waitForSelector('#withdrawn-row:not([hidden])')
    t.equal(await textOf(page, '[role="status"]'), 'Everything is taken back. These pictures are not recognised any more.')
    t.equal(await textOf(page, '#view-images'), '0')
    t.notOk(await page.isVisible('#withdraw'))
    const receipt = await savedBy(page, '#save-receipt')
    t.equal(receipt.name, 'note.json', 'a name that tells nothing')
    const answered = await site.app.inject({ url: `${her.url}/receipt`, headers: her.headers })
    t.same(JSON.parse(receipt.text), answered.json(), 'as it was signed')
    t.match((await site.app.inject({ url: her.url, headers: her.headers })).json(), { state: 'withdrawn', images: 0 })
    t.same(await context.cookies(), [])
    t.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0, 'no token is kept')
    t.same(faults, [])
  })

  t.test('what becomes of her pictures is told at once, in words, and can be taken along', async (t) => {
    const her = await caseWithPicture(site)
    const weak = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 60 }] }] }
    await site.app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload: weak })
    const { page, faults } = await site.visit('/case')
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', her.pin)
    await page.click('#open')
    await page.waitForSelector('[data-step="view"]:not([hidden])')

    t.same(await page.locator('#sums li').allTextContents(), [
      '1 picture is well protected.',
      '1 picture is protected, but screenshots of it may be missed. A sharper or larger version, if there is one, would be protected better.',
    ])
    t.same(await page.locator('#time-line li span').allTextContents(), [
      '1 picture was added.',
      '1 picture was added.',
      'You got your number.',
    ])
    const one = await platform(site, 'platform')
    await feedback(site, one, her.hash, { verdict: 'blocked' })
    await page.locator('#time-line').getByText('A copy was stopped. Platforms that have stopped one so far: 1–2.').waitFor()
    await feedback(site, one, her.hash, { verdict: 'disputed', reason: 'other' })
    await page.locator('#sums .disputed').waitFor()
    const { headers } = await operator(site)
    await ask(site, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, headers, { outcome: 'upheld' })
    await page.locator('#sums .silent').waitFor()
    t.equal(await textOf(page, '#view-images'), '1', 'what was judged false does not count as protected')

    const report = await savedBy(page, '[data-report="pdf"][data-language="ms"]')
    t.match(report, { name: 'note.pdf', text: /^%PDF-/ })
    t.match(JSON.parse((await savedBy(page, '[data-report="json"]')).text), {
      type: 'tabir-report',
      caseNumber: her.caseNumber,
    })
    t.match(JSON.parse((await savedBy(page, '#save-all')).text), { case: { caseNumber: her.caseNumber }, receipt: null })
    await page.click('#close')
    t.same(faults, [])
  })

  t.test('a PIN that is wrong ten times locks the number for an hour, and loses nothing', async (t) => {
    const her = await filledCase(site)
    const { page } = await site.visit('/case')
    const tryPin = async (pin: string) => {
      await page.fill('#case-number', her.caseNumber)
      await page.fill('#case-pin', pin)
      const answered = page.waitForResponse((response) => response.url().endsWith('/tokens'))
      await page.click('#open')
      await answered
      await page.waitForSelector('#open:enabled')
      return textOf(page, '#enter-error')
    }
    for (let tries = 0; tries < 10; tries++) t.match(await tryPin(otherPin(her.pin)), /do not belong together/)

    t.match(await tryPin(her.pin), /the number is locked until \d+:\d\d.*Your pictures stay protected\./)
    t.equal(await page.inputValue('#case-number'), her.caseNumber, 'what was typed stays')
    t.match((await site.app.inject({ url: her.url, headers: her.headers })).json(), { state: 'active', images: 1 })
  })

  t.test('what cannot be a number or a PIN is said at once, and not asked of the server', async (t) => {
    const { page } = await site.visit('/case')
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))

    await page.fill('#case-number', 'TBR-12')
    await page.click('#open')
    t.match(await textOf(page, '#enter-error'), /begins with TBR/)
    await page.fill('#case-number', 'TBR-0000-0000-0000')
    await page.fill('#case-pin', '12ab')
    await page.click('#open')
    t.match(await textOf(page, '#enter-error'), /six digits/)
    t.same(
      asked.filter((url) => url.includes('/v1/')),
      [],
    )
  })

  t.test('a case that was taken back elsewhere takes no more pictures, and she is told so', async (t) => {
    const her = await filledCase(site)
    const { page } = await site.visit('/case')
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', her.pin)
    await page.click('#open')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    await page.click('#add')
    await choose(page, [await pictureFile(1)])
    await allRead(page)
    const withdrawn = await site.app.inject({ method: 'DELETE', url: her.url, headers: her.headers })
    t.equal(codeOf(withdrawn), undefined)

    await page.click('#choose-go')
    await page.click('#protect')
    await page.waitForSelector('#net:not([hidden])')
    t.match(await textOf(page, '#net'), /takes no more pictures/)
  })
})
