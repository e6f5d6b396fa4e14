// A proxy may serve all of it below a path that it strips, such as https://ngo.example/tabir/.

import t from 'tap'
import { pictureFile, sharedSite, withoutBrowser } from '../helpers/browser.js'
import { openPanel, signIn } from '../helpers/console.js'
import { heic } from '../helpers/heic.js'
import { startProxyBelowPath } from '../helpers/proxy-below-path.js'
import { keyFor, randomHashText } from '../helpers/service.js'
import { allRead, allSent, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

const siteOf = sharedSite(t, {})

t.test(
  'below a path, the page protects pictures, opens the case and takes everything back',
  { skip: withoutBrowser },
  async (t) => {
    const site = await siteOf()
    const proxy = await startProxyBelowPath(t, site.url)
    const { page, faults } = await site.visit(`${proxy.url}/`)
    await page.click('.languages summary')
    await page.click('.languages a[lang="ms"]')
    await page.waitForURL(`${proxy.url}/?lang=ms`)
    await page.click('.languages summary')
    await page.click('.languages a[lang="en"]')
    await page.waitForURL(`${proxy.url}/?lang=en`)

    await toChoosing(page)
    await choose(page, [await pictureFile(1), { name: 'a.heic', mimeType: 'image/heic', buffer: heic('two') }])
    await allRead(page)
    const { caseNumber, recoveryCode } = await protectAll(page)
    t.equal(await textOf(page, '#sent-text'), 'Done. 2 pictures are registered.')
    t.equal(await textOf(page, '#address'), `${proxy.url}/case`)
    await page.check('#written')
    await page.click('#follow')
    await page.waitForURL(`${proxy.url}/case?lang=en`)
    await page.click('#close') // she is in it, by PIN; the code ends it at once
    await page.fill('#case-number', caseNumber)
    await page.fill('#case-pin', recoveryCode)
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-step="view"]:not([hidden])')
    await page.click('#add')
    await choose(page, [await pictureFile(2)])
    await allRead(page)
    await page.click('#choose-go')
    await page.click('#protect')
    await allSent(page)
    await page.click('#added-done')
    await page.waitForFunction(() => document.getElementById('view-images')?.textContent === '3')
    await page.click('#withdraw')
    await page.click('#withdraw-yes')
    await page.waitForSelector('#withdrawn-row:not([hidden])')
    await page.click('footer a[href^="how-it-works"]')
    await page.waitForURL(`${proxy.url}/how-it-works?lang=en`)
    t.same(faults, [])
    t.same(proxy.outside, [], 'nothing is asked of another site of the same host')
  },
)

t.test('below a path without its last slash, the page adds it', { skip: withoutBrowser }, async (t) => {
  const site = await siteOf()
  const proxy = await startProxyBelowPath(t, site.url)
  const { page, faults } = await site.visit(`${proxy.url}?lang=ms`)
  await page.waitForURL(`${proxy.url}/?lang=ms`)
  await toChoosing(page)
  t.same(faults, [])
})

t.test('below a path, the console shows, imports and hashes', { skip: withoutBrowser }, async (t) => {
  const site = await siteOf()
  const proxy = await startProxyBelowPath(t, site.url)
  const { key, headers } = await keyFor(site, 'ngo', ['signals:write'], 'ngo')
  await site.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'of-ngo' } })
  const { page, faults } = await site.visit(`${proxy.url}/console`)
  await signIn(page, key)
  await page.getByRole('cell', { name: 'of-ngo' }).waitFor()
  await openPanel(page, 'Import')
  const buffer = Buffer.from(`${randomHashText()}\n`)
  await page.setInputFiles('input[type="file"]', { name: 'list.txt', mimeType: 'text/plain', buffer })
  await page.getByRole('button', { name: 'Import it' }).click()
  await page.getByText('Done', { exact: true }).waitFor()
  await openPanel(page, 'Add pictures and videos')
  await page.setInputFiles('input[name="file"]', [await pictureFile(3)])
  await page.getByRole('button', { name: 'Hash and add' }).click()
  await page.getByText(/^Done: 1 /).waitFor()
  t.same(faults, [])
  t.same(proxy.outside, [])
})

t.test(
  'below a path, the description of the API says where the API is, and calls it',
  { skip: withoutBrowser },
  async (t) => {
    const site = await siteOf()
    const proxy = await startProxyBelowPath(t, site.url)
    const yaml = await (await fetch(`${proxy.url}/openapi.yaml`)).text()
    const server = /^servers:\n {2}- url: (\S+)$/m.exec(yaml)?.[1] ?? 'none'
    t.equal(new URL(server, `${proxy.url}/openapi.yaml`).href, `${proxy.url}/`)
    for (const address of ['docs', 'docs/']) {
      const { page, context } = await site.visit(`${proxy.url}/${address}`)
      await page.locator('#operations-operation-live .opblock-summary-control').click()
      await page.getByRole('button', { name: 'Try it out' }).click()
      const [answer] = await Promise.all([
        page.waitForResponse(/\/health\/live$/),
        page.getByRole('button', { name: 'Execute' }).click(),
      ])
      t.equal(answer.url(), `${proxy.url}/health/live`, address)
      t.equal(answer.status(), 200)
      await context.close()
    }
    t.same(proxy.outside, [])
  },
)
