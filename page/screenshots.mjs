// Every page and state, in every language, light and dark, on a telephone and on a desk: to be looked at.
// npm run screenshots [-- --language en | --only console] [--out FOLDER]
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { openService, run, startApi } from '../bench/service.mjs'
import { shootConsole } from '../console/screenshots.mjs'

const { values: args } = parseArgs({
  options: {
    language: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string', default: 'tmp/screenshots' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
})
const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } }
const PICTURES = 'demo/pictures'

await run(async (defer) => {
  const contact = { TABIR_CONTACT_NAME: 'An organisation that helps', TABIR_CONTACT_LINK: 'https://help.example/' }
  const service = await openService(defer)
  const { port } = await startApi(defer, service, { settings: contact })
  const flags = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
  const browser = await chromium.launch({ executablePath: args.chromium, args: flags })
  defer(() => browser.close())
  mkdirSync(args.out, { recursive: true })
  if (args.language === undefined) {
    const name = (state, colorScheme, device) => join(args.out, `${state}-${colorScheme}-${device}.png`)
    await shootConsole({ browser, url: `http://127.0.0.1:${port}`, service, sizes: SIZES, name })
  }
  if (args.only === 'console') return
  const files = [
    ...readdirSync(PICTURES)
      .slice(0, 2)
      .map((name) => join(PICTURES, name)),
    { name: 'IMG_2041.jpg', mimeType: 'image/jpeg', buffer: await plainPicture() },
    { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('a shopping list') },
    { name: 'IMG_2042.heic', mimeType: 'image/heic', buffer: Buffer.from('00000018667479706865696300000000', 'hex') },
  ]
  const named = await Promise.all(files.map(async (file) => (typeof file === 'string' ? fileOf(file) : file)))
  for (const language of args.language === undefined ? ['en', 'ms', 'zh-Hans', 'ta'] : [args.language]) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [device, viewport] of Object.entries(SIZES)) {
        const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
        const name = (state) => join(args.out, `${language}-${state}-${colorScheme}-${device}.png`)
        await walk(await context.newPage(), `http://127.0.0.1:${port}`, language, named, name)
        await context.close()
      }
    }
  }
})

async function walk(page, url, language, files, name) {
  const shoot = (state) => page.screenshot({ path: name(state), fullPage: true })
  const open = (path) => page.goto(`${url}${path}?lang=${language}`)
  await open('/')
  await shoot('1-start')
  await page.click('#minor')
  await shoot('2-minor')
  await open('/')
  await page.click('#adult')
  await shoot('3-consent')
  await page.check('#agree')
  await page.click('#consent-go')
  await shoot('4-choose')
  await page.setInputFiles('#files', files)
  await page.waitForSelector('#stop', { state: 'hidden' })
  await shoot('5-chosen')
  await page.click('#upload-no')
  await page.click('#choose-go')
  await shoot('6-category')
  await page.click('#protect')
  await page.waitForFunction(() =>
    [...document.querySelectorAll('#sent li')].some(({ dataset }) => dataset.state === 'good'),
  )
  await shoot('7-result')
  const [number, pin] = [await page.textContent('#number'), await page.textContent('#pin')]
  await page.check('#written')
  await open('/case')
  await shoot('8-case')
  await page.fill('#case-number', number)
  await page.fill('#case-pin', pin === '000000' ? '000001' : '000000')
  await page.click('#open')
  await page.waitForSelector('#enter-error:not(:empty)')
  await shoot('9-case-wrong')
  await page.fill('#case-pin', pin)
  await page.click('#open')
  await page.waitForSelector('[data-step="view"]:not([hidden])')
  await page.click('summary')
  await shoot('10-case-view')
  await page.click('#new-pin')
  await page.click('#pin-yes')
  await page.waitForSelector('#pin-shown:not([hidden])')
  await shoot('10-case-pin')
  await page.click('#pin-done')
  await page.click('#notice-open')
  await page.check('[value="us-tida"]')
  await page.click('#notice-go')
  await shoot('10-case-notice')
  await page.click('#notice-no')
  await page.click('#withdraw')
  await shoot('11-case-withdraw')
  await page.click('#withdraw-yes')
  await page.waitForSelector('#receipt:not([hidden])')
  await shoot('11-case-withdrawn')
  await open('/how-it-works')
  await shoot('12-how')
}

async function fileOf(path) {
  return { name: path.split('/').at(-1), mimeType: 'image/jpeg', buffer: await sharp(path).jpeg().toBuffer() }
}

function plainPicture() {
  return sharp({ create: { width: 400, height: 300, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer()
}
