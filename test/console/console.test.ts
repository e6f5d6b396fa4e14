import t from 'tap'
import { imageReference } from '../../packages/core/src/ids.js'
import { startSite, withoutBrowser } from '../helpers/browser.js'
import { looksRight, openPanel, PHONE, signIn } from '../helpers/console.js'
import { keyFor, randomHashText, until } from '../helpers/service.js'
import { ask, caseWithPicture, caseWithVideo, feedback, matchesOf, operator, platform } from '../helpers/trust.js'
import { startEndpoint } from '../helpers/webhooks.js'
import { startMessenger } from '../helpers/workers.js'

const DARK = { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } as const

/** Internal ids of pictures, organisations and cases. */
const IDS_OF_STORE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|[0-9a-f]{32}/

t.test('the console', { skip: withoutBrowser }, async (t) => {
  const endpoint = await startEndpoint(t)
  const webhookOrigins = new Set([endpoint.origin])
  const site = await startSite(t, { webhookOrigins })
  const admin = await operator(site)
  const { key } = admin

  t.test('an invalid key is refused with a message, and a valid one is not stored or kept in the page', async (t) => {
    const { page, context, faults } = await site.visit('/console', PHONE)
    await looksRight(t, page, 'signed out')
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await signIn(page, 'tbr_test_nothing')
    await page.locator('#key-error:not(:empty)').waitFor()
    t.same(asked, ['/v1/keys/own'], 'one request for an invalid key')
    t.match(await page.textContent('#key-error'), /^This key is not valid here\. Check that it is complete/)
    t.equal(await page.inputValue('#key'), 'tbr_test_nothing', 'the input stays for correction')
    await looksRight(t, page, 'refused')

    await signIn(page, key)
    await page.locator('nav').waitFor()
    t.same(await context.cookies(), [])
    t.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0)
    t.notMatch(await page.content(), key, 'the key does not stay in the page')
    await page.reload()
    await page.locator('#key').waitFor()
    t.equal(await page.inputValue('#key'), '', 'after a reload the key must be entered again')
    t.same(faults, [])
    await context.close()
  })

  t.test('after signing out the keyboard is in the field for the key', async (t) => {
    const { page, context } = await site.visit('/console')
    await signIn(page, key)
    // The console focuses its heading soon after it is shown, and the field soon after that is.
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1')
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await page.keyboard.press('Enter')
    await t.resolves(page.waitForFunction(() => document.activeElement?.id === 'key'))
    await context.close()
  })

  t.test('a key shows the panels of its scopes only', async (t) => {
    const writer = await keyFor(site, 'ngo', ['signals:write'], 'ngo')
    const { page, context } = await site.visit('/console')
    await signIn(page, writer.key)
    await page.locator('nav').waitFor()
    t.same(await page.locator('nav li').allTextContents(), ['Banks', 'Import', 'Add pictures and videos'])
    t.equal(await page.textContent('.holder'), 'Signed in: ngo (ngo)')
    await page.fill('input[name="name"]', 'first-bank')
    await page.keyboard.press('Enter')
    await page.getByRole('cell', { name: 'first-bank' }).waitFor()
    await context.close()
  })

  t.test('a dispute is decided only after a confirmation', async (t) => {
    const disputed = await caseWithPicture(site)
    const one = await platform(site, 'platform')
    await feedback(site, one, disputed.hash, { verdict: 'disputed', reason: 'harmless-content' })
    const frame = { atMs: 0, signals: [{ type: 'pdq', hash: disputed.hash, quality: 90 }] }
    const video = { durationMs: 250, frames: [frame] }
    await ask(site, 'POST', '/v1/match', one.headers, { queries: [{ video }, { video }] })
    await site.services.settled()
    const { page, context, faults } = await site.visit('/console', DARK)
    await signIn(page, key)
    await looksRight(t, page, 'overview')
    await openPanel(page, 'All traffic')
    await looksRight(t, page, 'traffic')
    t.match(await page.locator('.bars li', { hasText: 'disputed' }).textContent(), /1/)
    t.same(
      (await page.locator('.figures div').allTextContents()).slice(0, 3),
      ['Pictures and videos asked about3', 'Found3', 'Share found100%'],
      'one picture and two videos',
    )
    await openPanel(page, 'Overdue')
    await page.getByText('No deadline has passed.').waitFor()
    const film = await caseWithVideo(site)
    const ofFilm = `/v1/signals/${film.imageId}/dispute`
    const asOperator = { authorization: `Bearer ${key}` }
    await ask(site, 'POST', ofFilm, asOperator, { reason: 'other' })
    await openPanel(page, 'Disputes')
    const row = page.getByRole('row', { name: imageReference(disputed.imageId) })
    t.match(await row.textContent(), /picture.*harmless content/)
    const filmRow = page.getByRole('row', { name: imageReference(film.imageId) })
    t.match(await filmRow.textContent(), /video, 6 s.*other/)
    await ask(site, 'POST', `${ofFilm}/decision`, asOperator, { outcome: 'rejected' })
    t.notMatch(await page.content(), disputed.imageId, 'no internal id in the page')
    t.equal(await row.getByRole('button', { name: 'Keep protecting' }).count(), 1)
    await looksRight(t, page, 'disputes')

    await row.getByRole('button', { name: 'Remove protection' }).click()
    t.equal((await matchesOf(site, one.headers, disputed.hash)).length, 1, 'nothing happens before the confirmation')
    await row.getByRole('button', { name: 'No' }).click()
    await row.getByRole('button', { name: 'Remove protection' }).click()
    await row.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('No dispute waits for a decision.').waitFor()
    t.same(await matchesOf(site, one.headers, disputed.hash), [], 'invalidated')
    t.equal(await page.locator('main > .error').count(), 0)
    t.same(faults, [])
    await context.close()
  })

  t.test(
    'what was decided in another tab is not decided again, and the page says so until something else is done',
    async (t) => {
      const [first, second] = [await caseWithPicture(site), await caseWithPicture(site)]
      const asOperator = { authorization: `Bearer ${key}` }
      for (const { imageId } of [first, second])
        await ask(site, 'POST', `/v1/signals/${imageId}/dispute`, asOperator, { reason: 'other' })
      const { page, context, faults } = await site.visit('/console', DARK)
      await signIn(page, key)
      await openPanel(page, 'Disputes')
      const decide = async (imageId: string, button: string) => {
        const row = page.getByRole('row', { name: imageReference(imageId) })
        await row.getByRole('button', { name: button }).click()
        await row.getByRole('button', { name: 'Yes' }).click()
        await row.waitFor({ state: 'detached' })
      }
      const elsewhere = `/v1/signals/${first.imageId}/dispute/decision`
      await ask(site, 'POST', elsewhere, asOperator, { outcome: 'rejected' })
      await decide(first.imageId, 'Remove protection')
      const refusal = page.locator('main > .error')
      await refusal.waitFor()
      t.match(await refusal.textContent(), /^Remove protection: There is no open dispute/)
      t.ok(await refusal.evaluate((element) => element === document.activeElement), 'the keyboard is there')
      await looksRight(t, page, 'refused')
      await decide(second.imageId, 'Keep protecting')
      await refusal.waitFor({ state: 'detached' })
      t.same(faults, [])
      await context.close()
    },
  )

  t.test('an NGO lists what it can attest, attests it and finds its case by number', async (t) => {
    const helper = await keyFor(site, 'helper', ['cases:write', 'feedback'], 'ngo')
    const hers = await caseWithPicture(site)
    const notice = { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self', contact: 'helper' }
    await site.app.inject({ method: 'PUT', url: `${hers.url}/notice`, headers: hers.headers, payload: notice })
    const one = await platform(site, 'platform')
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, helper.key)
    await openPanel(page, 'To attest')
    const row = page.getByRole('row', { name: imageReference(hers.imageId) })
    t.notMatch(await page.content(), new RegExp(`${hers.imageId}|[0-9a-f]{32}`), 'no internal id in the page')
    await row.getByRole('button', { name: 'Attest' }).click()
    await looksRight(t, page, 'to attest')
    await row.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('No picture or video waits for your attestation.').waitFor()

    const consent = { kind: 'in-person', on: '2026-01-31' }
    const assisted = await ask(site, 'POST', '/v1/assisted-cases', helper.headers, { adult: true, consent })
    const { caseNumber } = assisted.json<{ caseNumber: string }>()
    const images = [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }]
    await ask(site, 'POST', `/v1/cases/${caseNumber}/hashes`, helper.headers, { images })
    await page.getByRole('button', { name: 'Reload' }).click()
    await page.getByRole('row', { name: 'you opened it' }).waitFor()
    await page.fill('input[name="number"]', hers.url.split('/').at(-1) ?? '')
    await page.keyboard.press('Enter')
    await page.getByText('You opened no case with this number.').waitFor()
    await page.fill('input[name="number"]', caseNumber.toLowerCase())
    await page.keyboard.press('Enter')
    await page.getByRole('row', { name: caseNumber }).waitFor()
    await looksRight(t, page, 'marked with its number')
    t.match(await matchesOf(site, one.headers, hers.hash), [{ tier: 'ngo-attested' }])
    t.same(faults, [])
    await context.close()
  })

  t.test('a late answer does not replace a newer one', async (t) => {
    const { page, context } = await site.visit('/console')
    const entry = (number: number) => ({
      number,
      at: '2026-01-05T00:00:00.000Z',
      act: 'key.created',
      by: 'operator',
      about: {},
    })
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let asked = 0
    await page.route('**/v1/audit?limit=500*', async (route) => {
      const isOlder = route.request().url().includes('before=')
      asked++
      if (asked === 2) await held
      await route.fulfill({ json: { entries: isOlder ? [entry(7)] : [entry(9), entry(8)] } }).catch(() => {})
    })
    await signIn(page, key)
    await openPanel(page, 'Audit')
    await page.getByRole('cell', { name: '9', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Reload' }).first().click()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByRole('cell', { name: '7', exact: true }).waitFor()
    const late = page.waitForResponse((response) => !response.url().includes('before='))
    release()
    await (await late).finished()
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)))
    t.equal(await page.getByRole('cell', { name: '9', exact: true }).count(), 0)
    await context.close()
  })

  t.test('a key is created, shown once and revoked, and both acts are in the audit log', async (t) => {
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, key)
    await openPanel(page, 'Keys')
    await page.fill('input[name="org"]', 'new-platform')
    await page.check('input[value="match"]')
    await page.fill('input[name="days"]', '-1')
    await page.locator('form', { has: page.locator('input[name="days"]') }).evaluate((form: HTMLFormElement) => {
      form.noValidate = true // like a browser that does not validate numbers
    })
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.locator('form .error').waitFor()
    t.equal(await page.locator('.secret').count(), 0, 'an expired date does not create a key without expiry')
    await page.fill('input[name="days"]', '')
    await page.getByRole('button', { name: 'Create key' }).click()
    const made = (await page.locator('.secret').textContent()) ?? ''
    const asked = async () => {
      const headers = { authorization: `Bearer ${made}` }
      return (await site.app.inject({ url: '/v1/insights/days/own', headers })).statusCode
    }
    await until(async () => (await asked()) === 200)
    await looksRight(t, page, 'keys')
    const row = page.getByRole('row', { name: 'new-platform' })
    await row.getByRole('button', { name: 'End' }).click()
    await row.getByRole('button', { name: 'Yes' }).click()
    await row.waitFor({ state: 'detached' })
    t.equal(await asked(), 401)

    await openPanel(page, 'Audit')
    const told = page.getByRole('row', { name: 'key.revoked' })
    await until(async () => {
      if ((await told.count()) > 0) return true
      await openPanel(page, 'Keys')
      await openPanel(page, 'Audit')
      await page.locator('table, .error').first().waitFor()
      return false
    })
    t.match(await told.textContent(), `key:${admin.keyId}`)
    t.match(await page.locator('table').textContent(), /orgId [0-9A-F]{8}/)
    t.notMatch(await page.content(), IDS_OF_STORE, 'no internal id in the page')
    await looksRight(t, page, 'audit')
    await openPanel(page, 'Watch')
    await page.getByRole('row', { name: 'case:' }).waitFor()
    t.notMatch(await page.content(), IDS_OF_STORE, 'no internal id in this panel either')
    await looksRight(t, page, 'watch')
    t.same(faults, [])
    await context.close()
  })

  t.test('messages of a webhook are listed, and one is sent again', async (t) => {
    const told = await keyFor(site, 'told', ['webhooks'])
    await startMessenger(t, site.redis, webhookOrigins)
    const payload = { url: endpoint.url, events: ['case.updated'] }
    await site.app.inject({ method: 'POST', url: '/v1/webhooks', headers: told.headers, payload })
    const { page, context, faults } = await site.visit('/console', DARK)
    await signIn(page, told.key)
    await page.getByRole('button', { name: 'Test' }).click()
    await page.getByRole('button', { name: 'Yes' }).click()
    await page.getByRole('button', { name: 'Test' }).waitFor()
    await page.getByRole('button', { name: 'Messages' }).click()
    const line = page.getByRole('region', { name: 'Messages of this webhook' }).getByRole('row', { name: 'webhook.ping' })
    await until(async () => {
      if ((await line.count()) > 0) return true
      await page.getByRole('button', { name: 'Reload' }).click()
      return false
    })
    await looksRight(t, page, 'webhooks')
    await line.getByRole('button', { name: 'Send again' }).click()
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/replay')),
      line.getByRole('button', { name: 'Yes' }).click(),
    ])
    t.equal(answer.status(), 202)
    await line.getByRole('button', { name: 'Send again' }).waitFor()
    t.same(faults, [])
    await context.close()
  })
})
