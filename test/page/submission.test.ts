import t from 'tap'
import { hashImage } from '../../packages/hash/src/hash-image.js'
import { decode } from '../../workers/media/decode.js'
import { pictureFile, startSite, usualSite, withoutBrowser } from '../helpers/browser.js'
import { keyFor } from '../helpers/service.js'
import { allRead, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

t.test('a submitter protects pictures, which then match', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const platform = await keyFor(site, 'platform', ['match'])
  const { page, faults } = await site.visit('/')
  t.equal(await page.title(), 'Information', 'the title reveals nothing')

  await toChoosing(page)
  const files = await Promise.all([
    pictureFile(71),
    pictureFile(72, { width: 2400, height: 1800 }),
    pictureFile(73, { format: 'png' }),
  ])
  await choose(page, files)
  await allRead(page)
  t.equal(await textOf(page, '#read-text'), '3 pictures can be registered')
  const { caseNumber, pin } = await protectAll(page)

  t.match(caseNumber, /^TBR(-[0-9A-Z]{4}){3}$/)
  t.match(pin, /^\d{6}$/)
  t.equal(await textOf(page, '#sent-text'), 'Done. 3 pictures are registered.')
  for (const { buffer } of files) {
    const picture = await decode(buffer)
    const query = await hashImage(picture, { aspect: picture.aspect })
    const answer = await site.app.inject({
      method: 'POST',
      url: '/v1/match',
      headers: platform.headers,
      payload: { queries: [query] },
    })
    t.match(answer.json(), { results: [{ matches: [{ grade: /^(exact|strong)$/, signalType: 'pdq' }] }] })
  }
  t.same(faults, [], 'nothing was forbidden and nothing failed')
})

t.test(
  'a case is opened with the facts that the page showed, and not once they have changed',
  { skip: withoutBrowser },
  async (t) => {
    const operator = { name: 'Helpers', link: 'https://helpers.example', country: 'MY', authority: 'The Commissioner' }
    const site = await startSite(t, { site: { operator, platformNames: ['Ruang', 'Pasar'] } })
    const { page, faults } = await site.visit('/')
    await page.click('#adult')
    await page.locator('dd', { hasText: 'Helpers, Malaysia' }).waitFor()
    await page.check('#agree')
    await page.click('#consent-go')
    await choose(page, [await pictureFile(74)])
    await allRead(page)
    let version = '1-00000000' // as if the operator had changed the facts after the page was loaded
    await page.route('**/v1/cases', async (route) => {
      await route.continue({
        postData: { ...route.request().postDataJSON(), ...(version !== '' && { consentVersion: version }) },
      })
    })
    await page.click('#choose-go:enabled')
    await page.click('#protect')
    await page.locator('#open-net', { hasText: 'Load the page again and read it.' }).waitFor()
    t.notOk(await page.isVisible('#open-retry'))
    version = ''
    await page.reload()
    await toChoosing(page)
    await choose(page, [await pictureFile(74)])
    await allRead(page)
    await keyFor(site, 'Ruang', ['match'], 'platform')
    await protectAll(page)
    t.match(await textOf(page, '#asking'), /Taking part: Ruang, Pasar\./)
    t.same(
      faults.filter((fault) => !fault.includes('422')),
      [],
    )
  },
)

t.test('one picture is not called "all of them" in a language with one plural form', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/?lang=ms')
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await allRead(page)
  await protectAll(page)
  t.equal(await textOf(page, '#sent-text'), 'Selesai. Gambar anda didaftarkan.')
})

t.test('a person under 18 sees the hotlines of the country, and nothing else', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))

  await page.click('#minor')

  t.match(await textOf(page, '[data-step="minor"]'), /15999[\s\S]*takeitdown\.ncmec\.org/)
  t.equal(await page.locator('input, [data-step]:not([data-step="minor"])').count(), 0, 'no form to choose pictures is left')
  t.same(
    asked.filter((path) => !path.startsWith('/assets/icon-')),
    [],
    'nothing was requested from the server',
  )
  t.same(faults, [])
})

t.test(
  'pictures can be dropped and pasted in the step that chooses them, and only there',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page, faults } = await site.visit('/')
    const { buffer } = await pictureFile(1)
    const { buffer: other } = await pictureFile(2)
    /** Drops or pastes a file. @returns whether the browser was kept from opening it in place of the page. */
    const give = (kind: 'drop' | 'paste', bytes: Buffer) =>
      page.evaluate(
        ([kind, base64]) => {
          const files = new DataTransfer()
          const content = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
          files.items.add(new File([content], `${kind}.jpg`, { type: 'image/jpeg' }))
          const how = { bubbles: true, cancelable: true }
          const event =
            kind === 'drop'
              ? new DragEvent(kind, { ...how, dataTransfer: files })
              : new ClipboardEvent(kind, { ...how, clipboardData: files })
          document.body.dispatchEvent(event)
          return event.defaultPrevented
        },
        [kind, bytes.toString('base64')] as const,
      )
    t.ok(await give('drop', buffer), 'a picture dropped too early does not replace the page')
    await give('paste', buffer)
    await toChoosing(page)
    t.equal(await page.locator('#pictures li').count(), 0)

    t.ok(await give('drop', buffer))
    await give('paste', other)
    await allRead(page)
    t.same(await page.locator('#pictures .name').allTextContents(), ['drop.jpg', 'paste.jpg'])
    t.equal(await textOf(page, '#read-text'), '2 pictures can be registered')
    t.same(faults, [])
  },
)
