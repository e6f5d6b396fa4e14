// More actions of a submitter on the case page: renewing, a new PIN, a notice, the answer to a dispute.

import type { Page } from 'playwright-core'
import t from 'tap'
import { sharedSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { otherPin, tryPin } from '../helpers/requests.js'
import { keyFor } from '../helpers/service.js'
import { textOf } from '../helpers/steps.js'
import { ask, caseWithPicture, feedback, operator, platform } from '../helpers/trust.js'

const HOUR_MS = 3_600_000
let aheadMs = 0
const noticeContacts = ['helpers', 'without a key']
const shared = sharedSite(t, { now: () => Date.now() + aheadMs, site: { noticeContacts } })

async function open(page: Page, her: { readonly caseNumber: string; readonly pin: string }): Promise<void> {
  await page.fill('#case-number', her.caseNumber)
  await page.fill('#case-pin', her.pin)
  await page.click('#open')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
}

/** Whether the phone shows it without scrolling. */
async function isOnScreen(page: Page, selector: string): Promise<boolean> {
  const box = await page.locator(selector).boundingBox()
  const bar = await page.locator('.leave').boundingBox()
  return box !== null && bar !== null && box.y >= 0 && box.y + box.height <= bar.y
}

t.test('a submitter renews a case', { skip: withoutBrowser }, async (t) => {
  const site = await shared()
  const her = await caseWithPicture(site)
  const { page, faults } = await site.visit('/case')
  await open(page, her)
  t.match(await textOf(page, '#view-remind'), /^\w+ \d+, \d{4}$/, 'a date for the calendar')

  const expiresAtMs = async () =>
    Date.parse((await ask(site, 'GET', her.url, her.headers)).json<{ expiresAt: string }>().expiresAt)
  const beforeMs = await expiresAtMs()
  aheadMs += 12 * HOUR_MS
  for (let i = 0; i < 3; i++) await tryPin(site.app, her.caseNumber, otherPin(her.pin)) // wrong PINs of others do not prevent it
  await page.click('#renew-go')
  await page.locator('#renewed:not(:empty)').waitFor()
  t.match(await textOf(page, '#renewed'), /^Done\. It now lasts until \w+ \d+, \d{4}\./)
  t.ok((await expiresAtMs()) - beforeMs >= 12 * HOUR_MS, 'for the whole time again')
  await page.locator('#time-line').getByText('The time was renewed.').waitFor()
  aheadMs += 25 * HOUR_MS
  await page.click('#renew-go')
  await page.locator('#view-state', { hasText: 'The time is over' }).waitFor()
  t.notOk(await page.isVisible('#renew-go'), 'an expired case is shown as such')
  t.equal(await textOf(page, '#view-images'), '0')
  t.notOk(await page.isVisible('#registered'), 'and says of no picture that it is recognised')
  t.same(faults, [])
})

t.test('a submitter gets a new PIN, which is shown once and opens the case', { skip: withoutBrowser }, async (t) => {
  const site = await shared()
  const her = await caseWithPicture(site)
  const { page, faults } = await site.visit('/case')
  await open(page, { ...her, pin: her.recoveryCode })
  await page.click('#new-pin')
  await page.click('#pin-no')
  t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 201, 'nothing happens before the confirmation')
  await page.click('#new-pin')
  await page.click('#pin-yes')
  await page.waitForSelector('#pin-shown:not([hidden])')
  const pin = await textOf(page, '#pin-value')
  t.match(pin, /^\d{6}$/)
  t.notOk(await page.isVisible('#pin-yes'))
  t.match(await textOf(page, '#pin-both'), /the old PIN opens your case as well/)
  t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 201, 'it does')
  await page.click('#pin-done')
  await page.locator('#renewed', { hasText: 'Only what you have just written down opens your case now.' }).waitFor()
  t.equal(await textOf(page, '#pin-value'), '', 'it does not stay in the page')
  if (pin !== her.pin) t.equal((await tryPin(site.app, her.caseNumber, her.pin)).statusCode, 404)
  await page.click('#close')
  await open(page, { ...her, pin })
  t.same(faults, [])
})

t.test(
  'what is asked for by PIN waits, is shown and is stopped with the code; a pause works at once',
  { skip: withoutBrowser },
  async (t) => {
    const site = await shared()
    const her = await caseWithPicture(site)
    const { page, faults } = await site.visit('/case')
    await open(page, her)
    await page.click('#new-pin')
    await page.click('#pin-yes')
    await page.waitForSelector('#pin-shown:not([hidden])')
    t.match(await textOf(page, '#pin-from'), /^A new PIN and a new recovery code open this case from \w+ \d+, \d{4}\./)
    t.notOk(await page.isVisible('#pin-both'), 'both do not open it yet')
    t.notOk(await page.isVisible('#pin-done'), 'no button promises to end the old one')
    await page.evaluate(() =>
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: (text: string) => void Object.assign(window, { copied: text }) },
      }),
    )
    await page.click('#copy')
    const copied = await page.evaluate(() => String(Object.getOwnPropertyDescriptor(window, 'copied')?.value))
    t.match(copied, /open this case from \w+ \d+, \d{4}/, 'a copy says from when on it opens')
    await page.click('#pin-written')
    await page.locator('#wish-pin:not(:empty)').waitFor()
    await page.click('#withdraw')
    await page.click('#withdraw-yes')
    await page.locator('#wish-end', { hasText: 'will be taken back on' }).waitFor()
    const endsOn = /on (\w+ \d+, \d{4})/.exec(await textOf(page, '#wish-end'))?.[1]
    t.equal(await textOf(page, '#view-expires'), endsOn, 'until when it lasts now')
    t.notOk(await page.isVisible('#renew-go'), 'renewing would not change that')
    t.ok(
      await page.evaluate(() => (document.getElementById('wishes')?.getBoundingClientRect().top ?? 900) < 300),
      'it is seen first',
    )
    t.equal(await textOf(page, '#view-state'), 'Your pictures and videos are registered')

    await page.click('#pause')
    await page.locator('#paused', { hasText: 'Recognition is paused until' }).waitFor()
    t.match(await textOf(page, '#paused'), /If that was not you, somebody knows your PIN/)
    t.match(await textOf(page, '#each'), /Not recognised: recognition is paused/)
    t.not(await textOf(page, '#view-state'), 'Your pictures and videos are registered')
    await page.click('#resume')
    await page.locator('#pause').waitFor()
    t.equal(await textOf(page, '#paused'), '')

    await page.fill('#wishes-code', her.pin)
    await page.click('#wishes-stop')
    t.equal(await textOf(page, '#wishes-error'), 'The recovery code has sixteen digits.')
    await page.fill(
      '#wishes-code',
      her.recoveryCode.replace(/./, (digit) => String((Number(digit) + 1) % 10)),
    )
    await page.click('#wishes-stop')
    await page.locator('#wishes-error', { hasText: 'This is not the recovery code of this case.' }).waitFor()
    await page.locator('#time-line', { hasText: 'That was here, on this page.' }).waitFor()
    await page.fill('#wishes-code', her.recoveryCode)
    await page.click('#wishes-stop')
    await page.locator('#renewed', { hasText: 'somebody knows your PIN' }).waitFor()
    t.notOk(await page.isVisible('#wishes'))
    t.ok(await isOnScreen(page, '#renewed'), 'she reads it, and not only a screen reader')
    t.ok(await page.isVisible('#renew-go'))
    t.equal((await ask(site, 'GET', her.url, her.headers)).json<{ state: string }>().state, 'active')
    t.same(faults, [])
  },
)

t.test(
  'a submitter gives notice, and is asked only for what the law requires, not for a name',
  { skip: withoutBrowser },
  async (t) => {
    const site = await shared()
    await keyFor(site, 'helpers', ['cases:write'], 'ngo')
    const her = await caseWithPicture(site)
    const { page, faults } = await site.visit('/case')
    await open(page, her)
    const kept = async () => (await ask(site, 'GET', `${her.url}/notice`, her.headers)).json<{ notice: object }>().notice
    const visible = () =>
      page.locator('[name="statement"]:visible').evaluateAll((all) => all.map((each) => each.getAttribute('value')))

    await page.click('#notice-open')
    await page.click('#notice-go')
    t.match(await textOf(page, '#notice-error'), /Choose a law/)
    await page.check('[value="my-onsa"]')
    t.same(await visible(), ['goodFaith', 'accurate'])
    t.notOk(await page.isVisible('#notice-contact'))
    await page.check('[value="us-tida"]')
    t.same(await visible(), ['goodFaith', 'withoutConsent', 'accurate', 'authorised'])
    await page.check('[value="goodFaith"]')
    await page.click('#notice-go')
    t.match(await textOf(page, '#notice-error'), /each of these sentences/)
    for (const box of await page.locator('[name="statement"]').all()) await box.check()
    await page.click('#notice-go')
    t.match(await textOf(page, '#notice-error'), /ask for an organisation/)
    t.equal(await kept(), null, 'nothing was sent so far')
    t.same(await page.locator('#notice-contact option').allTextContents(), ['Choose an organisation', ...noticeContacts])
    await page.selectOption('#notice-contact', 'without a key')
    t.equal(await textOf(page, '#notice-error'), '', 'what was repaired is no fault any more')
    await page.click('#notice-go')
    await page.getByText('This organisation can no longer be reached').waitFor()
    await page.selectOption('#notice-contact', 'helpers')
    await page.click('#notice-go')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    t.match(
      await textOf(page, '#notice-given'),
      /^Notice given on \w+ \d+, \d{4}: Malaysia: Online Safety Act 2025; United States: TAKE IT DOWN Act\.$|^Notice given on .*United States: TAKE IT DOWN Act; Malaysia/,
    )
    t.ok(await isOnScreen(page, '#notice-given'), 'it is seen, and not only heard')
    t.match(await kept(), { laws: ['us-tida', 'my-onsa'], actingAs: 'self', hasContact: true })

    await page.click('#notice-open')
    await page.check('[value="my-onsa"]')
    for (const value of ['goodFaith', 'accurate']) await page.check(`[value="${value}"]`)
    await page.check('[value="representative"]')
    await page.click('#notice-go')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    t.same(await kept(), { ...(await kept()), laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], hasContact: false })
    t.same(faults, [])
  },
)

t.test(
  'a submitter answers a dispute, and may change the answer until it is decided',
  { skip: withoutBrowser },
  async (t) => {
    const site = await shared()
    const her = await caseWithPicture(site)
    await feedback(site, await platform(site, 'platform'), her.hash, { verdict: 'disputed', reason: 'other' })
    const { headers } = await operator(site)
    const answer = async () =>
      (await ask(site, 'GET', `/v1/signals/${her.imageId}`, headers)).json<{ answer: string | null }>().answer
    const { page, faults } = await site.visit('/case')
    await open(page, her)
    await page.getByRole('button', { name: 'I added it by mistake' }).click()
    await page.getByText('You answered: I added it by mistake.').waitFor()
    t.notMatch(await textOf(page, '#each'), /Please answer/, 'nobody waits for an answer that was given')
    t.equal(await answer(), 'added-by-mistake')
    await page.getByRole('button', { name: 'It shows me, and I did not agree' }).click()
    await page.getByText('You answered: it shows me, and I did not agree.').waitFor()
    t.equal(await answer(), 'shows-me-without-consent')

    await ask(site, 'POST', `/v1/signals/${her.imageId}/dispute/decision`, headers, { outcome: 'rejected' })
    await page.locator('.answers').waitFor({ state: 'detached' })
    t.match(await textOf(page, '#each'), /Registered/)
    t.same(faults, [])
  },
)

t.test('where no organisation is listed, the page says which laws cannot be chosen', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const her = await caseWithPicture(site)
  const { page, faults } = await site.visit('/case')
  await open(page, her)
  await page.click('#notice-open')
  await page.check('[value="my-onsa"]')
  t.notOk(await page.isVisible('#contact-none'))
  await page.check('[value="us-tida"]')
  await page.locator('#contact-none', { hasText: 'No organisation offers that here yet: choose other laws.' }).waitFor()
  t.notOk(await page.isVisible('#notice-contact'))
  for (const box of await page.locator('[name="statement"]:visible').all()) await box.check()
  await page.click('#notice-go')
  t.match(await textOf(page, '#notice-error'), /ask for an organisation/)
  t.equal((await ask(site, 'GET', `${her.url}/notice`, her.headers)).json<{ notice: object }>().notice, null)
  t.same(faults, [])
})
