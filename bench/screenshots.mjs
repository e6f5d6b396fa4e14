// Every page and state, in every language, light and dark, on a phone and a desktop, screen by screen: to be looked at.
// npm run bench screenshots [-- --language en | --only console] [--out FOLDER]
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { LANGUAGE_TAGS } from '../dist/src/domain/languages.js'
import { walk } from '../dist/test/helpers/walk.js'
import { shootConsole } from './screenshots/console.mjs'
import { openService, run, startApi } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    language: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string', default: 'tmp/screenshots' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
})
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } }
/** Of each screen the next one shows so much again, besides what the way out covers. */
const OVERLAP = 120
const PICTURES = 'demo/pictures'

await run(async (defer) => {
  const contact = {
    TABIR_CONTACT_NAME: 'An organisation that helps',
    TABIR_CONTACT_LINK: 'https://help.example/',
    TABIR_OPERATOR_NAME: 'The operator',
    TABIR_OPERATOR_LINK: 'mailto:operator@tabir.example',
    TABIR_OPERATOR_COUNTRY: 'MY',
    TABIR_OPERATOR_AUTHORITY: 'A data protection authority',
    TABIR_PLATFORM_NAMES: 'A platform, Another platform',
  }
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
    {
      name: 'IMG_2043.tif',
      mimeType: 'image/tiff',
      buffer: await sharp(join(PICTURES, 'hat.jpg')).resize(300).tiff().toBuffer(),
    },
    { name: 'IMG_2042.heic', mimeType: 'image/heic', buffer: Buffer.from('00000018667479706865696300000000', 'hex') },
  ]
  const named = await Promise.all(files.map(async (file) => (typeof file === 'string' ? fileOf(file) : file)))
  for (const language of args.language === undefined ? LANGUAGE_TAGS : [args.language]) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [device, viewport] of Object.entries(SIZES)) {
        const isPhone = device === 'phone'
        const touch = { isMobile: isPhone, hasTouch: isPhone }
        const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', ...touch })
        const page = await context.newPage()
        let states = 0
        const look = async (state) => {
          const place = String(++states).padStart(2, '0')
          const [was, height] = await page.evaluate(() => [scrollY, document.documentElement.scrollHeight])
          // The first as the person sees it: it may be scrolled.
          const tops = [undefined, ...Array(Math.ceil(height / (viewport.height - OVERLAP))).keys()]
          for (const [screen, top] of tops.entries()) {
            if (top !== undefined) await page.evaluate((y) => scrollTo(0, y), top * (viewport.height - OVERLAP))
            const name = `${language}-${place}-${state}-${screen}-${colorScheme}-${device}.png`
            await page.screenshot({ path: join(args.out, name) })
          }
          await page.evaluate((y) => scrollTo(0, y), was)
        }
        await walk(page, { url: `http://127.0.0.1:${port}`, language, files: named, look })
        await context.close()
      }
    }
  }
})

async function fileOf(path) {
  return { name: path.split('/').at(-1), mimeType: 'image/jpeg', buffer: await sharp(path).jpeg().toBuffer() }
}

function plainPicture() {
  return sharp({ create: { width: 400, height: 300, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer()
}
