import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import t from 'tap'
import { MAX_PIN_GUESSES } from '../../src/domain/cases/case.js'
import { pictureFile, type Site, usualSite, withoutBrowser } from '../helpers/browser.js'
import { otherPin, post, redisOf, tryPin } from '../helpers/requests.js'
import { codeOf, keyFor, openCase, randomHashText } from '../helpers/service.js'
import { allRead, allSent, choose, textOf } from '../helpers/steps.js'
import { ask, caseWithPicture, feedback, operator, platform } from '../helpers/trust.js'

/** What a button saves on the submitter's device. */
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

t.test('the case page opens with number and PIN', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()

  t.test('a submitter views the case, adds pictures and withdraws everything', async (t) => {
    const her = await filledCase(site)
    const { page, context, faults } = await site.visit('/case')

    await page.fill('#case-number', her.caseNumber.toLowerCase().replaceAll('-', ' '))
    await page.fill('#case-pin', her.recoveryCode.replaceAll(/\d{4}/g, '$& ')) // ends the case at once
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    t.equal(await textOf(page, '#view-number'), her.caseNumber)
    t.equal(await textOf(page, '#view-images'), '1')
    t.equal(await textOf(page, '#view-state'), 'Your pictures and videos are registered')
    t.equal(await textOf(page, '#view-category'), 'No category chosen')
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

    let endWait = () => {}
    const late = new Promise<void>((resolve) => {
      endWait = resolve
    })
    await page.click('#withdraw')
    await page.click('#withdraw-no')
    t.equal(await textOf(page, '#view-images'), '3', 'nothing happens before the confirmation')
    await page.click('#withdraw')
    await page.route('**/v1/cases/**', async (route) => {
      await late
      await route.continue()
    })
    await page.click('#withdraw-no')
    await page.click('#withdraw')
    const response = page.waitForResponse((one) => one.request().method() === 'GET')
    endWait()
    await (await response).finished()
    await page.unroute('**/v1/cases/**')
    t.notOk(await page.isHidden('#withdraw-yes'), 'an answer from before does not close the question')
    await page.click('#withdraw-yes')
    await page.waitForSelector('#withdrawn-row:not([hidden])')
    t.match(await textOf(page, '[role="status"]'), /^Everything is taken back\. We recognise nothing of it any more\./)
    t.equal(await textOf(page, '#view-images'), '0')
    t.notOk(await page.isVisible('#withdraw'))
    t.match(await textOf(page, '#paused'), /^Everything is taken back\. .* Platforms that fetched our list may recognise it/)
    const receipt = await savedBy(page, '#save-receipt')
    t.equal(receipt.name, 'note.json', 'a file name that reveals nothing')
    const answered = await site.app.inject({ url: `${her.url}/receipt`, headers: her.headers })
    t.same(JSON.parse(receipt.text), answered.json(), 'as it was signed')
    t.match((await site.app.inject({ url: her.url, headers: her.headers })).json(), { state: 'withdrawn', images: 0 })
    t.same(await context.cookies(), [])
    t.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0, 'no token is kept')
    t.same(faults, [])
  })

  t.test('the case page shows what happens to the pictures, at once and in words, and exports it', async (t) => {
    const her = await caseWithPicture(site)
    const weak = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 60 }] }] }
    await site.app.inject({ method: 'POST', url: `${her.url}/hashes`, headers: her.headers, payload: weak })
    const { page, faults } = await site.visit('/case')
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', otherPin(her.pin))
    await page.click('#open')
    await page.locator('#enter-error', { hasText: 'It does not open' }).waitFor()
    await page.fill('#case-pin', her.pin)
    await page.click('#open')
    await page.waitForSelector('[data-step="view"]:not([hidden])')

    t.same(await page.locator('#sums li').allTextContents(), [
      '1 picture is registered, and changed copies can be recognised.',
      '1 picture is registered, but screenshots of it may be missed. A sharper or larger version, if there is one, would be recognised better.',
    ])
    t.same(await page.locator('#time-line li span').allTextContents(), [
      'A wrong PIN or code was typed in for your case, 1 time on this day. That was here, on this page.',
      '1 picture or video was added.',
      '1 picture or video was added.',
      'You opened this case.',
    ])
    const one = await platform(site, 'platform')
    await feedback(site, one, her.hash, { verdict: 'blocked' })
    await page
      .locator('#time-line')
      .getByText('A platform blocked a copy. Platforms that have blocked one so far: 1\u2060–\u20602.')
      .waitFor()
    await feedback(site, one, her.hash, { verdict: 'disputed', reason: 'other' })
    await page.locator('#sums .disputed').waitFor()
    const { headers } = await operator(site)
    await ask(site, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, headers, { outcome: 'upheld' })
    await page.locator('#sums .silent').waitFor()
    t.equal(await textOf(page, '#view-images'), '1', 'an invalidated picture does not count as protected')
    t.equal(await textOf(page, '#view-state'), '1 of 2 can be recognised, 1 cannot. The reason is below.')
    await page
      .locator('#time-line')
      .getByText(/A platform blocked a copy\. .* The platform changed this later\./)
      .waitFor()

    await page.selectOption('#report-language', 'ms')
    const report = await savedBy(page, '[data-report="pdf"]')
    t.match(report, { name: 'note.pdf', text: /^%PDF-/ })
    t.match(JSON.parse((await savedBy(page, '[data-report="json"]')).text), {
      type: 'tabir-report',
      caseNumber: her.caseNumber,
    })
    const byPin = JSON.parse((await savedBy(page, '#save-all')).text)
    t.match(byPin, { case: { caseNumber: her.caseNumber }, receipt: null, heldHashes: undefined })
    await page.locator('#papers-said', { hasText: /without the fingerprints .* recovery code/ }).waitFor()
    await page.click('#close')
    const { page: later } = await site.visit('/case')
    await later.fill('#case-number', her.caseNumber)
    await later.fill('#case-pin', her.recoveryCode)
    await later.click('#open')
    await later.waitForSelector('[data-step="view"]:not([hidden])')
    const byCode = JSON.parse((await savedBy(later, '#save-all')).text)
    t.match(byCode, { case: { caseNumber: her.caseNumber }, heldHashes: { videos: [] } })
    const held = byCode.heldHashes.images.map((image: { signals: { hash: string }[] }) => image.signals[0]?.hash)
    t.ok(held.includes(her.hash), 'the recovery code gives the hashes, too')
    t.same(faults, [])
  })

  t.test('after too many wrong PINs only the recovery code opens the case, which shows what happened', async (t) => {
    const her = await filledCase(site)
    const redis = await redisOf(t, site)
    await tryPin(site.app, her.caseNumber, otherPin(her.pin))
    for (const key of await redis.keys('{tabir}:case:*'))
      if (/:case:[^:]+$/.test(key) && (await redis.hexists(key, 'pinGuesses')))
        await redis.hset(key, 'pinGuesses', MAX_PIN_GUESSES - 1)
    await tryPin(site.app, her.caseNumber, otherPin(her.pin))

    const { page, faults } = await site.visit('/case')
    await page.fill('#case-number', her.caseNumber)
    await page.fill('#case-pin', her.pin)
    await page.click('#open')
    await page.locator('#enter-error', { hasText: 'type the recovery code in its place' }).waitFor()
    t.equal(await page.inputValue('#case-number'), her.caseNumber, 'the input stays')
    await page.fill('#case-pin', her.recoveryCode.replaceAll(/\d{4}/g, '$& '))
    await page.click('#open')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    const [failed, blocked] = await page.locator('#time-line li span').allTextContents()
    t.match(failed, /^A wrong PIN or code was typed in for your case, 3 times on this day\./)
    t.match(blocked, /no PIN opens your case any more\. The recovery code does\./)

    await page.click('#new-pin')
    await page.click('#pin-yes')
    await page.waitForSelector('#pin-shown:not([hidden])')
    t.notOk(await page.isVisible('#pin-row'), 'no PIN is shown that would not open the case')
    t.notOk(await page.isVisible('#pin-both'), 'nor is said that an old one opens it')
    t.match(await textOf(page, '#pin-from'), /no PIN opens your case any more\. .* Write it down: it is shown once\.$/)
    const code = await textOf(page, '#code-value')
    t.match(code, /^\d{4} \d{4} \d{4} \d{4}$/)
    await page.click('#pin-done')
    await page.locator('#renewed', { hasText: 'Only what you have just written down opens your case now.' }).waitFor()
    t.equal(await textOf(page, '#code-value'), '', 'it does not stay in the page')
    t.equal((await tryPin(site.app, her.caseNumber, her.recoveryCode)).statusCode, 404)
    t.equal((await tryPin(site.app, her.caseNumber, code.replaceAll(' ', ''))).statusCode, 201)
    t.same(faults, [])
  })

  t.test('an organisation that may read the case is named, and one button ends its right', async (t) => {
    const ngo = await keyFor(site, 'Helpline', ['cases:write'])
    const consent = { kind: 'in-person', on: '2026-01-31' }
    const { caseNumber } = (await post(site.app, '/v1/assisted-cases', { adult: true, consent }, ngo.headers)).json()
    const handover = await post(site.app, `/v1/cases/${caseNumber}/handover`, { keepReading: true }, ngo.headers)
    const { page, faults } = await site.visit('/case')
    await page.fill('#case-number', caseNumber)
    await page.fill('#case-pin', handover.json().pin)
    await page.click('#open')
    await page.waitForSelector('#reader:not([hidden])')
    t.match(await textOf(page, '#reader-who'), /^Helpline opened this for you\. Since \w+ \d+, \d{4} it can see this page/)
    let asked = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/reading-right')) asked++
    })
    await page.click('#reader-end')
    await page.waitForSelector('#reader', { state: 'hidden' })
    await page.locator('#time-line', { hasText: 'can no longer read this' }).waitFor()
    await page.locator('#reader-end:enabled').waitFor({ state: 'attached' })
    t.equal(asked, 1, 'the answer is understood, so the request is not repeated')
    t.equal((await site.app.inject({ url: `/v1/cases/${caseNumber}`, headers: ngo.headers })).statusCode, 404)
    t.same(faults, [])
  })

  t.test('a malformed number or PIN is reported at once, without a request', async (t) => {
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

  t.test('a case that was withdrawn elsewhere takes no more pictures and says so', async (t) => {
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
    t.match(await textOf(page, '#net'), /has ended, so nothing is registered/)
  })
})
