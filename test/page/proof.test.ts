import t from 'tap'
import { imagesOf, pictureFile, sharedSite, withoutBrowser } from '../helpers/browser.js'
import { allRead, allSent, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

const shared = sharedSite(t, { trustLimits: { proofRounds: 20 } })

t.test(
  'when a proof of work is required, the browser computes it, says so, and the case opens',
  { skip: withoutBrowser },
  async (t) => {
    const site = await shared()
    const { page, faults } = await site.visit('/')
    const asked: string[] = []
    page.on('response', (response) => {
      const { pathname } = new URL(response.url())
      if (pathname.startsWith('/v1/')) asked.push(`${response.request().method()} ${pathname} ${response.status()}`)
    })
    let goOn = () => {}
    const waited = new Promise<void>((resolve) => {
      goOn = resolve
    })
    await page.route('**/v1/cases/challenge', async (route) => {
      await waited
      await route.continue()
    })
    await toChoosing(page)
    await choose(page, [await pictureFile(1)])
    await allRead(page)
    const protecting = protectAll(page)
    await page.getByText('solve a small sum first').waitFor()
    t.notOk(await page.isVisible('#open-retry'), 'there is no button to press')
    goOn()
    const opened = await protecting

    t.equal(await imagesOf(site, opened), 1)
    t.equal(await textOf(page, '#sent-text'), 'Done. Your picture is registered.')
    t.same(asked, [
      'POST /v1/cases 428',
      'GET /v1/cases/challenge 200',
      'POST /v1/cases 201',
      `POST /v1/cases/${opened.caseNumber}/hashes 201`,
    ])
    t.same(faults, [])
  },
)

t.test('a proof opens one case: after a lost answer another one is computed', { skip: withoutBrowser }, async (t) => {
  const site = await shared()
  const { page } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  let refusals = 0
  await page.route('**/v1/cases', async (route) => {
    const body: { proof?: { solution: { counter: number } } } = route.request().postDataJSON()
    if (body.proof === undefined || refusals > 0) return route.continue()
    refusals++
    await route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"code":"store-unavailable"}' })
  })
  t.equal(await imagesOf(site, await protectAll(page)), 1, 'after a moment it continues by itself')
  t.equal(refusals, 1)
})

t.test('a refusal before the case is open is shown and can be retried', { skip: withoutBrowser }, async (t) => {
  const site = await shared()
  const { page } = await site.visit('/')
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  const codes = ['proof-of-work-required', 'request-invalid']
  await page.route('**/v1/cases', async (route) => {
    const body: { proof?: unknown } = route.request().postDataJSON()
    const code = body.proof === undefined ? undefined : codes.shift()
    if (code === undefined) return route.continue()
    await route.fulfill({ status: 428, contentType: 'application/problem+json', body: JSON.stringify({ code }) })
  })
  await page.click('#choose-go')
  await page.click('#protect')
  await page.getByText('does not answer at the moment. Nothing is lost: this continues by itself').waitFor() // the proof came too late
  await page.click('#open-retry')
  await page.getByText('Something went wrong on our side. Nothing is lost: try again').waitFor()
  await page.click('#open-retry')
  await page.waitForSelector('[data-step="result"]:not([hidden])')
  await allSent(page)
  t.equal(await textOf(page, '#sent-text'), 'Done. Your picture is registered.')
})
