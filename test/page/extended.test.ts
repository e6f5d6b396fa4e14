import t from 'tap'
import { pictureFile, startSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { allRead, choose, protectAll, toChoosing } from '../helpers/steps.js'

t.test(
  'a submitter chooses extended protection, and the browser computes the details',
  { skip: withoutBrowser },
  async (t) => {
    const site = await startSite(t, { extendedProtection: true, site: { offersExtendedProtection: true } })
    const { page, faults } = await site.visit('/')
    const sent: Record<string, unknown>[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.postDataJSON())
    })
    await page.click('#adult')
    t.ok(await page.locator('#extended-offer').isVisible(), 'the benefit and the kept data are shown before the choice')
    t.notOk(await page.locator('#extended').isChecked())
    await page.check('#extended')
    await page.check('#agree')
    await page.click('#consent-go')
    await choose(page, await Promise.all([pictureFile(83), pictureFile(84, { width: 2400, height: 1800 })]))
    await allRead(page)
    await protectAll(page)

    t.match(sent[0], { extendedProtection: true })
    const images = sent.flatMap(({ images }) => (Array.isArray(images) ? images : []))
    t.equal(images.length, 2)
    for (const { details } of images) t.match(details, /^[A-Za-z0-9+/]{1000,9000}=*$/)
    const { rows } = Object(site.services.health.report())
    t.ok(rows.detail > 16, `${rows.detail} rows`)
    t.same(faults, [])
  },
)

t.test(
  'without the offer of extended protection nothing mentions it, and no details are sent',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page } = await site.visit('/')
    const sent: Record<string, unknown>[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.postDataJSON())
    })
    await toChoosing(page)
    t.notOk(await page.locator('#extended-offer').isVisible())
    await choose(page, [await pictureFile(83)])
    await allRead(page)
    await protectAll(page)

    t.equal(sent.length, 2)
    t.notMatch(JSON.stringify(sent), /details/)
  },
)
