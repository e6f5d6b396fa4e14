import { join } from 'node:path'
import t from 'tap'
import { LANGUAGE_TAGS } from '../../src/domain/languages.js'
import { pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import { canary, findCanary } from '../helpers/canary.js'
import { allRead, choose, protectAll, textOf, toChoosing } from '../helpers/steps.js'

const LIMIT_BYTES = 60_000

t.test('at most 60 kB are transferred before the first picture is chosen', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const measure = async (language: string) => {
    const { page, context } = await site.visit('/how-it-works', {}, 'chromium')
    const devtools = await context.newCDPSession(page)
    await devtools.send('Network.enable')
    let receivedBytes = 0
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      receivedBytes += encodedDataLength // as transferred: compressed, with headers
    })
    await page.goto(`${site.url}/?lang=${language}`, { waitUntil: 'networkidle' })
    await toChoosing(page)
    t.ok(receivedBytes > 5_000 && receivedBytes <= LIMIT_BYTES, `${language}: ${receivedBytes} bytes`)
    await context.close()
  }
  // All languages have the same scripts and styles, so the others transfer less than the one with the longest texts.
  const compressed = await Promise.all(
    LANGUAGE_TAGS.map(async (language) => {
      const headers = { 'accept-encoding': 'br' }
      const { rawPayload } = await site.app.inject({ url: `/?lang=${language}`, headers })
      return { language, bytes: rawPayload.length }
    }),
  )
  const [longest] = compressed.sort((a, b) => b.bytes - a.bytes)
  t.ok(compressed.every(({ bytes }) => bytes > 5_000))
  for (const language of ['en', longest?.language ?? '']) await measure(language)
})

t.test('no byte of a picture, no file name and no metadata leaves the page', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/how-it-works', {}, 'chromium')
  const sent: { method: string; url: string; headers: string; body: Buffer }[] = []
  await page.context().route('**/*', async (route) => {
    const request = route.request()
    const headers = JSON.stringify(await request.allHeaders())
    sent.push({ method: request.method(), url: request.url(), headers, body: request.postDataBuffer() ?? Buffer.alloc(0) })
    await route.continue()
  })
  const { pattern, accepted, refused, needles } = await canary(1)
  const files = [...accepted.filter(({ contentType }) => contentType !== 'image/tiff'), ...refused]
  // From a folder, as on a real device: 31 MB are slow through a debugging port.
  const folder = t.testdir(Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])))

  await page.goto(site.url)
  await toChoosing(page)
  await page.setInputFiles(
    '#files',
    files.map(({ name }) => join(folder, name)),
  )
  await allRead(page)
  t.match(await textOf(page, '#pictures'), pattern.toString(), 'the names are shown on this device')
  const { caseNumber } = await protectAll(page)

  const paths = sent.map(({ method, url }) => `${method} ${new URL(url).pathname}${new URL(url).search}`)
  t.same(
    [...new Set(paths.map((path) => path.replace(/-[0-9a-f]{16}\./, '-….')))].sort(),
    [
      'GET /',
      'GET /?script=page-….js',
      'GET /assets/icon-….svg',
      'GET /assets/worker-….js',
      'POST /v1/cases',
      `POST /v1/cases/${caseNumber}/hashes`,
    ],
    'these requests and no others',
  )
  t.ok(
    sent.every(({ url }) => new URL(url).origin === site.url),
    'all to where the page came from',
  )
  const everything = Buffer.concat(sent.flatMap(({ url, headers, body }) => [Buffer.from(url + headers), body]))
  t.same(findCanary(everything, needles), [], 'the mark in names, metadata and pixels is nowhere')
  t.ok(everything.includes(caseNumber), 'the search finds what was sent')

  const hashes = sent.filter(({ url }) => url.endsWith('/hashes')).map(({ body }) => JSON.parse(body.toString()))
  for (const { images } of hashes) {
    for (const { signals, ...rest } of images) {
      t.same(rest, {})
      for (const signal of signals) {
        t.same(Object.keys(signal).sort(), ['hash', 'quality', 'type', 'view'])
        t.match(signal, { hash: /^[0-9a-f]{64}$/, type: /^(pdq|pdq-area|blockhash|sha256)$/, view: /^[a-z]+$/ })
      }
    }
  }
  t.same(faults, [])
})

t.test('the script that reads pictures cannot connect, even if it were replaced', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const [worker] = await Promise.all([page.waitForEvent('worker'), choose(page, [await pictureFile(1)])])
  const tried = await worker.evaluate(async (url) => {
    const ways = [
      () => fetch(url),
      () => fetch(`${url}/v1/cases`, { method: 'POST' }),
      async () => new WebSocket(url.replace('http', 'ws')),
    ]
    return Promise.all(
      ways.map(async (way) => {
        try {
          await way()
          return 'went out'
        } catch {
          return 'forbidden'
        }
      }),
    )
  }, site.url)
  t.same(tried.slice(0, 2), ['forbidden', 'forbidden'])
})

t.test(
  'a document changed in transit runs and styles nothing but what its hashes allow',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    const { page, context } = await site.visit('/how-it-works', {}, 'chromium')
    /** What runs and is shown when the document or its resources were changed. */
    const opened = async (change: (body: string, kind: string) => string) => {
      await context.unrouteAll()
      await context.route(/\/$|script=page-/, async (route) => {
        const response = await route.fetch()
        const body = change(await response.text(), route.request().resourceType())
        await route.fulfill({ response, body })
      })
      await page.goto(`${site.url}/`)
      return page.evaluate(() => ({
        runs: document.querySelector('#age:not([hidden])') !== null,
        explains: document.getElementById('unscripted') !== null,
        strange: 'strange' in globalThis,
        dressed: getComputedStyle(document.body).marginTop === '0px',
      }))
    }
    const as = (document: (body: string) => string) => (body: string, kind: string) =>
      kind === 'document' ? document(body) : body
    const well = { runs: true, explains: false, strange: false, dressed: true }
    /** It does not start, and shows a contact. */
    const asIs = { ...well, runs: false, explains: true }
    t.same(await opened((body) => body), well)
    t.same(await opened((body, kind) => (kind === 'script' ? `${body};strange=1` : body)), asIs)
    const nameless = as((body) => body.replace(/ integrity="[^"]+"/, ''))
    t.same(await opened(nameless), asIs, 'its own script, without its hash')
    for (const added of [
      '<script>strange=1</script>',
      '<img src="/nothing" onerror="strange=1">',
      '<script src="/assets/strange.js"></script>',
    ])
      t.same(await opened(as((body) => body.replace('</main>', `${added}</main>`))), well, added)
    t.same(await opened(as((body) => body.replace('</style>', 'a{}</style>'))), { ...well, dressed: false })
  },
)

t.test('without JavaScript every page says so once, with a contact', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  for (const path of ['/', '/case', '/how-it-works']) {
    const { page, context } = await site.visit(path, { javaScriptEnabled: false })
    await page.getByText('This page cannot work here as it is').waitFor()
    t.same(await page.locator('.contact:visible a').allTextContents(), ['helpers.example/'], path)
    t.notOk(await page.isVisible('button'), 'there is no button without an effect')
    await context.close()
  }
})

t.test('nothing stays in cookies, storage, caches or the history of the tab', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page, context } = await site.visit('/')
  await context.route('https://exit.example/', (route) => route.fulfill({ body: 'weather', contentType: 'text/html' }))
  await toChoosing(page)
  await choose(page, [await pictureFile(1)])
  await protectAll(page)

  t.same(await context.cookies(), [])
  const kept = await page.evaluate(async () => ({
    local: localStorage.length,
    session: sessionStorage.length,
    databases: (await indexedDB.databases()).length,
    caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
    history: history.length,
  }))
  t.same(
    kept,
    { local: 0, session: 0, databases: 0, caches: 0, workers: 0, history: 3 },
    'about:blank, and two steps of this page',
  )

  await Promise.all([page.waitForURL('https://exit.example/'), page.click('#leave')])
  await page.goForward()
  await page.waitForURL('https://exit.example/')
  t.match(await page.textContent('body'), 'weather', 'going forward leads out again')
  await page.goBack().catch(() => {})
  await page.waitForURL('https://exit.example/')
  await page.goBack()
  t.equal(page.url(), 'about:blank', 'going back does not lead to it')
})

t.test(
  'where a browser blocks all storage the page works, and a script that fails says so',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    for (const path of ['/', '/case']) {
      const { page, context, faults } = await site.visit('/how-it-works')
      await page.addInitScript(() => {
        const refuse = () => {
          throw new DOMException('blocked', 'SecurityError')
        }
        for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
          Object.defineProperty(globalThis, name, { get: refuse })
        Object.defineProperty(document, 'cookie', { get: refuse, set: refuse })
        globalThis.BroadcastChannel = class {
          constructor() {
            refuse()
          }
        } as unknown as typeof BroadcastChannel
      })
      await page.goto(`${site.url}${path}`)
      await page.waitForSelector(path === '/' ? '#adult' : '#case-number', { state: 'visible' })
      t.equal(await page.locator('#unscripted').count(), 0)
      t.same(faults, [])
      await page.addInitScript(() => {
        Object.defineProperty(history, 'replaceState', { get: () => undefined })
      })
      await page.goto(`${site.url}${path}`)
      await page.getByText('This page cannot work here as it is').waitFor()
      await context.close()
    }
  },
)
