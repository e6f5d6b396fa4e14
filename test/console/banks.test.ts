// Banks in the console: the table, and the import of files.

import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { startSite, withoutBrowser } from '../helpers/browser.js'
import { looksRight, openPanel, PHONE, signIn } from '../helpers/console.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, randomHashText } from '../helpers/service.js'
import { operator } from '../helpers/trust.js'

t.test('banks in the console', { skip: withoutBrowser }, async (t) => {
  const site = await startSite(t)
  const admin = await operator(site)
  const { key } = admin

  t.test('the table of banks sorts by any column with the keyboard and is saved as CSV', async (t) => {
    for (const name of ['a-bank', 'b-bank']) {
      const payload = { name }
      await site.app.inject({ method: 'POST', url: '/v1/banks', headers: admin.headers, payload })
    }
    const { page, context } = await site.visit('/console', PHONE)
    await signIn(page, key)
    await openPanel(page, 'Banks')
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

  t.test('importing a file reports rejected lines by number, survives a lost answer and can be stopped', async (t) => {
    const partner = await keyFor(site, 'partner', ['signals:write'], 'ngo')
    await site.app.inject({ method: 'POST', url: '/v1/banks', headers: partner.headers, payload: { name: 'of-partner' } })
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, partner.key)
    await openPanel(page, 'Import')
    await page.getByText('No file has been imported into this bank').waitFor()
    const good = Array.from({ length: 1200 }, () => randomHashText())
    const lines = [...good.slice(0, 2), '', 'no hash', 'none either', ...good.slice(2)]
    const file = { name: 'hashes.txt', mimeType: 'text/plain', buffer: gzipSync(lines.join('\r\n')) }
    await page.setInputFiles('input[type="file"]', file)
    let lost = 0
    await page.route('**/imports', async (route) => {
      if (route.request().method() === 'GET' || lost > 0) return route.continue()
      lost++
      await route.fetch() // the service got it
      await route.abort('connectionreset') // the console gets no answer
    })
    await page.getByRole('button', { name: 'Import it' }).click()
    await page.getByText('Done', { exact: true }).waitFor()
    t.equal(lost, 1, 'the import was sent again after a lost answer')
    t.match(await page.locator('.figures').textContent(), /Accepted1,200Removed0Rejected2/)
    const refused = page.getByRole('table', { name: 'Rejected lines' })
    t.match(await refused.locator('tbody').textContent(), /^4–5/, 'line numbers as in an editor')
    const before = page.getByRole('table', { name: 'Files of the last 30 days' })
    await before.getByRole('row', { name: 'done' }).waitFor()
    t.equal(await before.locator('tbody tr').count(), 1, 'one import in the list')
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

  t.test('a list in one long line is refused with the next step', async (t) => {
    const partner = await keyFor(site, 'lister', ['signals:write'], 'ngo')
    await site.app.inject({ method: 'POST', url: '/v1/banks', headers: partner.headers, payload: { name: 'of-lister' } })
    const { page, context } = await site.visit('/console', PHONE)
    await signIn(page, partner.key)
    await openPanel(page, 'Import')
    await page.getByText('No file has been imported into this bank').waitFor()
    const buffer = Buffer.from(JSON.stringify(Array.from({ length: 5000 }, () => randomHashText())))
    await page.setInputFiles('input[type="file"]', { name: 'list.json', mimeType: 'application/json', buffer })
    await page.getByRole('button', { name: 'Import it' }).click()
    await page.getByText('Write one picture or video a line').waitFor()
    await looksRight(t, page, 'a line is too long')
    await context.close()
  })

  t.test('a picture or a spreadsheet is refused before anything is sent', async (t) => {
    const partner = await keyFor(site, 'dropper', ['signals:write'], 'ngo')
    await site.app.inject({ method: 'POST', url: '/v1/banks', headers: partner.headers, payload: { name: 'of-dropper' } })
    const { page, context, faults } = await site.visit('/console', PHONE)
    await signIn(page, partner.key)
    await openPanel(page, 'Import')
    await page.getByText('No file has been imported into this bank').waitFor()
    for (const column of ['signal_str', 'signal_type', 'quality', 'category', 'tags'])
      t.match(await page.textContent('#import-forms'), column)
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.method()))
    const { bytes } = await scene(1, { width: 160, height: 120 })
    // Dropped beside the field, where a browser would open it instead of the console.
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
})
