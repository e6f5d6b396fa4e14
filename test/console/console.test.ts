import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { imageReference } from '../../src/domain/ids.js'
import { faultsOf } from '../helpers/axe.js'
import { startSite, withoutBrowser } from '../helpers/browser.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, randomHashText, until } from '../helpers/service.js'
import { ask, caseWithPicture, feedback, matchesOf, operator, platform } from '../helpers/trust.js'
import { startEndpoint } from '../helpers/webhooks.js'
import { startMessenger } from '../helpers/workers.js'

const PHONE = { viewport: { width: 320, height: 640 } }
const DARK = { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } as const

/** Of pictures, organisations and cases. */
const IDS_OF_STORE = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|[0-9a-f]{32}/

async function signIn(page: Page, key: string): Promise<void> {
  await page.fill('#key', key)
  await page.keyboard.press('Enter')
}

async function open(page: Page, panel: string): Promise<void> {
  await page.locator('nav').getByRole('button', { name: panel, exact: true }).click()
  await page.locator('h1', { hasText: panel }).waitFor()
}

async function looksRight(t: Test, page: Page, state: string): Promise<void> {
  await page.waitForFunction(() => !document.body.textContent?.includes('Loading'))
  t.same(await faultsOf(page), [], state)
  const overflowPx = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  t.equal(overflowPx, 0, `${state}: the page is not scrolled sideways`)
}

t.test('the console', { skip: withoutBrowser }, async (t) => {
  const endpoint = await startEndpoint(t)
  const webhookOrigins = new Set([endpoint.origin])
  const site = await startSite(t, { webhookOrigins })
  const admin = await operator(site)
  const { key } = admin

  t.test('a key that opens nothing is refused in words, and nothing is kept of one that opens', async (t) => {
    const { page, context, faults } = await site.visit('/console', PHONE)
    await looksRight(t, page, 'signed out')
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    await signIn(page, 'tbr_test_nothing')
    await page.locator('#key-error:not(:empty)').waitFor()
    t.same(asked, ['/v1/keys/own'], 'a wrong key is asked about once')
    t.match(await page.textContent('#key-error'), /^This key is not valid here\. Check that it is complete/)
    t.equal(await page.inputValue('#key'), 'tbr_test_nothing', 'what was typed stays, to be mended')
    await looksRight(t, page, 'refused')

    await signIn(page, key)
    await page.locator('nav').waitFor()
    t.same(await context.cookies(), [])
    t.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0)
    t.notMatch(await page.content(), key, 'the key does not stay in the page')
    await page.reload()
    await page.locator('#key').waitFor()
    t.equal(await page.inputValue('#key'), '', 'after a reload it has to be typed in again')
    t.same(faults, [])
    await context.close()
  })

  t.test('a key sees the panels of its scopes', async (t) => {
    const writer = await keyFor(site, 'ngo', ['signals:write'], 'ngo')
    const { page, context } = await site.visit('/console')
    await signIn(page, writer.key)
    await page.locator('nav').waitFor()
    t.same(await page.locator('nav li').allTextContents(), ['Banks', 'Import'])
    t.equal(await page.textContent('.holder'), 'Signed in: ngo (ngo)')
    await page.fill('input[name="name"]', 'first-bank')
    await page.keyboard.press('Enter')
    await page.getByRole('cell', { name: 'first-bank' }).waitFor()
    await context.close()
  })

  t.test('a dispute is decided by hand, and only after a second yes', async (t) => {
    const disputed = await caseWithPicture(site)
    const one = await platform(site, 'platform')
    await feedback(site, one, disputed.hash, { verdict: 'disputed', reason: 'harmless-content' })
    await site.services.settled()
    const { page, context, faults } = await site.visit('/console', DARK)
    await signIn(page, key)
    await looksRight(t, page, 'overview')
    await open(page, 'All traffic')
    await looksRight(t, page, 'traffic')
    t.match(await page.locator('.bars li', { hasText: 'disputed' }).textContent(), /1/)
    await open(page, 'Overdue')
    await page.getByText('No deadline has passed.').waitFor()
    await open(page, 'Disputes')
    const row = page.getByRole('row', { name: imageReference(disputed.imageId) })
    t.match(await row.textContent(), /harmless content/)
    t.notMatch(await page.content(), disputed.imageId, 'ids of the store are nowhere')
    t.equal(await row.getByRole('button', { name: 'Keep protecting' }).count(), 1)
    await looksRight(t, page, 'disputes')

    await row.getByRole('button', { name: 'Remove protection' }).click()
    t.equal((await matchesOf(site, one.headers, disputed.hash)).length, 1, 'nothing happens before yes')
    await row.getByRole('button', { name: 'No' }).click()
    await row.getByRole('button', { name: 'Remove protection' }).click()
    await row.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('No dispute waits for a decision.').waitFor()
    t.same(await matchesOf(site, one.headers, disputed.hash), [], 'invalidated')
    t.same(faults, [])
    await context.close()
  })

  t.test('an NGO sees what it might vouch for, and vouches', async (t) => {
    const helper = await keyFor(site, 'helper', ['cases:write', 'feedback'], 'ngo')
    const hers = await caseWithPicture(site)
    const notice = { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self', contact: 'helper' }
    await site.app.inject({ method: 'PUT', url: `${hers.url}/notice`, headers: hers.headers, payload: notice })
    const one = await platform(site, 'platform')
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, helper.key)
    await open(page, 'To vouch for')
    const row = page.getByRole('row', { name: imageReference(hers.imageId) })
    t.notMatch(await page.content(), new RegExp(`${hers.imageId}|[0-9a-f]{32}`), 'ids of the store are nowhere')
    await row.getByRole('button', { name: 'Vouch for it' }).click()
    await looksRight(t, page, 'to vouch for')
    await row.getByRole('button', { name: 'Yes' }).click()
    await page.getByText('Nothing waits for you to vouch for it.').waitFor()

    const consent = { kind: 'in-person', on: '2026-01-31' }
    const assisted = await ask(site, 'POST', '/v1/assisted-cases', helper.headers, { adult: true, consent })
    const { caseNumber } = assisted.json<{ caseNumber: string }>()
    const images = [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }]
    await ask(site, 'POST', `/v1/cases/${caseNumber}/hashes`, helper.headers, { images })
    await page.getByRole('button', { name: 'Look again' }).click()
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

  t.test('a table sorts by any column, by keyboard, and is saved without formulas', async (t) => {
    for (const name of ['a-bank', 'b-bank']) {
      const payload = { name }
      await site.app.inject({ method: 'POST', url: '/v1/banks', headers: admin.headers, payload })
    }
    const { page, context } = await site.visit('/console', PHONE)
    await signIn(page, key)
    await open(page, 'Banks')
    await looksRight(t, page, 'banks')
    await page.getByRole('button', { name: 'Bank', exact: true }).focus()
    await page.keyboard.press('Enter')
    const up = await page.locator('tbody tr td:first-child').allTextContents()
    t.equal(await page.locator('th').first().getAttribute('aria-sort'), 'ascending')
    await page.keyboard.press('Enter')
    t.same(await page.locator('tbody tr td:first-child').allTextContents(), up.toReversed())

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as CSV' }).click(),
    ])
    const saved = readFileSync(await download.path(), 'utf8')
    t.match(saved, /^"Bank","For","Yours"/)
    t.match(saved, '"a-bank"')
    await context.close()
  })

  t.test('a file goes into a bank, and what was refused is named by its lines', async (t) => {
    const partner = await keyFor(site, 'partner', ['signals:write'], 'ngo')
    await site.app.inject({ method: 'POST', url: '/v1/banks', headers: partner.headers, payload: { name: 'of-partner' } })
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, partner.key)
    await open(page, 'Import')
    await page.getByText('No file has been imported into this bank').waitFor()
    const good = Array.from({ length: 1200 }, () => randomHashText())
    const lines = [...good.slice(0, 2), '', 'no hash', 'none either', ...good.slice(2)]
    const file = { name: 'hashes.txt', mimeType: 'text/plain', buffer: gzipSync(lines.join('\r\n')) }
    await page.setInputFiles('input[type="file"]', file)
    let lost = 0
    await page.route('**/imports', async (route) => {
      if (route.request().method() === 'GET' || lost > 0) return route.continue()
      lost++
      await route.fetch() // the service has it
      await route.abort('connectionreset') // and the console does not know
    })
    await page.getByRole('button', { name: 'Import it' }).click()
    await page.getByText('Done', { exact: true }).waitFor()
    t.equal(lost, 1, 'an answer that was lost is asked for again')
    t.match(await page.locator('.figures').textContent(), /Accepted1,200Removed0Rejected2/)
    const refused = page.getByRole('table', { name: 'Rejected lines' })
    t.match(await refused.locator('tbody').textContent(), /^4–5/, 'counted as an editor counts')
    const before = page.getByRole('table', { name: 'Files of the last 30 days' })
    await before.getByRole('row', { name: 'done' }).waitFor()
    t.equal(await before.locator('tbody tr').count(), 1, 'it was one file all along')
    await looksRight(t, page, 'import')

    await page.setInputFiles('input[type="file"]', file)
    await page.unroute('**/imports')
    await page.route('**/imports', (route) => (route.request().method() === 'GET' ? route.continue() : undefined))
    await page.getByRole('button', { name: 'Import it' }).click()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped', { exact: true }).waitFor()
    t.same(faults, [])
    await context.close()
  })

  t.test('what is no list of hashes is refused before anything of it is sent', async (t) => {
    const partner = await keyFor(site, 'dropper', ['signals:write'], 'ngo')
    await site.app.inject({ method: 'POST', url: '/v1/banks', headers: partner.headers, payload: { name: 'of-dropper' } })
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, partner.key)
    await open(page, 'Import')
    await page.getByText('No file has been imported into this bank').waitFor()
    for (const column of ['signal_str', 'signal_type', 'quality', 'category', 'tags'])
      t.match(await page.textContent('#import-forms'), column)
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.method()))
    const { bytes } = await scene(1, { width: 160, height: 120 })
    // Beside the field, where a browser would open it in place of the console.
    await page.evaluate((base64) => {
      const files = new DataTransfer()
      files.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], 'a.jpg', { type: 'image/jpeg' }))
      const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: files })
      document.body.dispatchEvent(event)
      if (!event.defaultPrevented) throw new Error('the browser opens it')
    }, bytes.toString('base64'))
    await page.getByRole('button', { name: 'Import it' }).click()
    await page.getByText('This is a picture, and pictures are not imported').waitFor()
    await looksRight(t, page, 'a picture is refused')
    const sheet = { name: 'list.xlsx', mimeType: 'application/zip', buffer: Buffer.from('504b0304140006000800', 'hex') }
    await page.setInputFiles('input[type="file"]', sheet)
    await page.getByRole('button', { name: 'Import it' }).click()
    await page.getByText('This is not a text file. Save the list as CSV').waitFor()
    t.same(sent, [], 'nothing was sent')
    t.same(faults, [])
    await context.close()
  })

  t.test('an answer that comes late is not shown in place of a newer one', async (t) => {
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
    await open(page, 'Audit')
    await page.getByRole('cell', { name: '9', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Look again' }).first().click()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByRole('cell', { name: '7', exact: true }).waitFor()
    const late = page.waitForResponse((response) => !response.url().includes('before='))
    release()
    await (await late).finished()
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)))
    t.equal(await page.getByRole('cell', { name: '9', exact: true }).count(), 0)
    await context.close()
  })

  t.test('a key is made, shown once and ended; what was done stands in the audit log', async (t) => {
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, key)
    await open(page, 'Keys')
    await page.fill('input[name="org"]', 'new-platform')
    await page.check('input[value="match"]')
    await page.fill('input[name="days"]', '-1')
    await page.locator('form', { has: page.locator('input[name="days"]') }).evaluate((form: HTMLFormElement) => {
      form.noValidate = true // as a browser that does not look at the numbers of a form
    })
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.locator('form .error').waitFor()
    t.equal(await page.locator('.secret').count(), 0, 'a key that should have ended is none that never ends')
    await page.fill('input[name="days"]', '')
    await page.getByRole('button', { name: 'Make it' }).click()
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

    await open(page, 'Audit')
    const told = page.getByRole('row', { name: 'key.revoked' })
    await until(async () => {
      if ((await told.count()) > 0) return true
      await open(page, 'Keys')
      await open(page, 'Audit')
      await page.locator('table, .error').first().waitFor()
      return false
    })
    t.match(await told.textContent(), `key:${admin.keyId}`)
    t.match(await page.locator('table').textContent(), /orgId [0-9A-F]{8}/)
    t.notMatch(await page.content(), IDS_OF_STORE, 'ids of the store are nowhere')
    await looksRight(t, page, 'audit')
    await open(page, 'Watch')
    await page.getByRole('row', { name: 'case:' }).waitFor()
    t.notMatch(await page.content(), IDS_OF_STORE, 'nor here')
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
      await page.getByRole('button', { name: 'Look again' }).click()
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
