// The page in a real Chromium: are its hashes those of the server, how long do twenty large pictures take, does the page stay responsive, and how much
// memory do its processes take? Every hash is compared with the server's for the same file.
// npm run bench page [-- --photos FOLDER] [--most N] [--large N] [--variants] [--only NAME] [--videos FOLDER] [--json]
// --variants compares all photographs in each form of page/variants.mjs (or in those whose name begins with --only), the first --large of them also
// enlarged, and measures no time. --videos measures only videos: the time of each, and the memory.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { compare } from './page/distances.mjs'
import { report, variantLine, variantsHeader, videoLine } from './page/report.mjs'
import { VARIANT_NAMES, variantOf } from './page/variants.mjs'
import { largePicture } from './pictures.mjs'
import { openService, residentBytes, run, startApi } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string', default: 'demo/pictures' },
    most: { type: 'string', default: '300' },
    large: { type: 'string', default: '20' },
    variants: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    videos: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    json: { type: 'boolean', default: false },
  },
})
const LARGE = Number(args.large)
const SAMPLE_INTERVAL_MS = 50
const LARGE_SIZE = { width: 4000, height: 3000 }
/** Variants of the first photographs are measured in these sizes as well: just beyond what is hashed in full, of a screenshot, of a phone. */
const ENLARGED_SIZES = [{ width: 1500, height: 1125 }, { width: 2160, height: 1620 }, LARGE_SIZE]

await run(async (defer) => {
  const { port } = await startApi(defer, await openService(defer))
  const flags = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
  const browser = await chromium.launch({ executablePath: args.chromium, args: flags })
  defer(() => browser.close())
  const visit = () => openPage(browser, `http://127.0.0.1:${port}/`)

  const folder = mkdtempSync(join(tmpdir(), 'tabir-photos-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))

  const photos = photosIn(args.photos).slice(0, Number(args.most))
  if (args.variants) {
    if (!args.json) console.log(variantsHeader())
    const rows = await variantsOf(visit, photos, folder, (row) => args.json || console.log(variantLine(row)))
    if (args.json) console.log(JSON.stringify(rows))
    return
  }
  if (args.videos !== undefined) {
    for (const name of readdirSync(args.videos).sort()) {
      const row = { name, ...(await videoOf(browser, await visit(), join(args.videos, name))) }
      console.log(args.json ? JSON.stringify(row) : videoLine(row))
    }
    return
  }
  const asTaken = await distancesOf(await visit(), photos)
  const large = await Promise.all(Array.from({ length: LARGE }, (_, k) => enlarged(folder, photos[k], k + 1)))
  const timed = await visit()
  const memory = await memoryOf(browser)
  const speed = await timesOf(timed, large)
  const memoryMb = memory.end()
  const reduced = await compare(speed.sent, large)
  const result = {
    asTaken,
    reduced,
    speed: {
      pictures: LARGE,
      pixels: LARGE_SIZE.width * LARGE_SIZE.height,
      ms: speed.ms,
      longestTaskMs: speed.longestTaskMs,
      memoryMb,
    },
    machine: `${cpus().length} × ${cpus()[0]?.model}, Chromium ${browser.version()}`,
  }
  console.log(args.json ? JSON.stringify(result) : report(result))
})

/** Paths, because what is handed to a browser as bytes comes through a debugging port, and that is no person's delay. */
function photosIn(folder) {
  const names = readdirSync(folder).filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  return names.sort().map((name) => join(folder, name))
}

/** A photograph as a telephone would have taken it, as far as its size goes; a drawn one where there is no photograph. */
async function enlarged(folder, photo, seed) {
  const path = join(folder, `large-${seed}.jpg`)
  const { width, height } = LARGE_SIZE
  const resized = () =>
    sharp(readFileSync(photo)).resize(width, height, { fit: 'cover', kernel: 'cubic' }).jpeg({ quality: 92 }).toBuffer()
  writeFileSync(path, photo === undefined ? await largePicture(seed) : await resized())
  return path
}

async function openPage(browser, url) {
  const page = await browser.newPage()
  await page.addInitScript(() => {
    globalThis.longTasks = []
    const watch = (list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration))
    new PerformanceObserver(watch).observe({ type: 'longtask' })
  })
  await page.goto(url)
  await page.click('#adult')
  await page.check('#agree')
  await page.click('#consent-go')
  return page
}

/** Chooses files as a person does. @returns what the page sent, how long reading took, and its longest task. */
async function timesOf(page, files, kind = 'images') {
  const sent = []
  page.on('request', (request) => {
    if (request.url().endsWith('/hashes')) sent.push(...(request.postDataJSON()[kind] ?? []))
  })
  // The clock runs in the page, from when it has the files.
  await page.evaluate(() => {
    globalThis.longTasks.splice(0)
    addEventListener('change', () => (globalThis.chosenAtMs = performance.now()), { capture: true, once: true })
    const go = /** @type {HTMLButtonElement} */ (document.getElementById('choose-go'))
    new MutationObserver(() => {
      if (!go.disabled) globalThis.readAtMs = performance.now()
    }).observe(go, { attributes: true })
  })
  await page.setInputFiles('#files', files)
  await page.waitForFunction(() => globalThis.readAtMs !== undefined, undefined, { timeout: 600_000 })
  const { ms, longestTaskMs } = await page.evaluate(() => ({
    ms: Math.round(globalThis.readAtMs - globalThis.chosenAtMs),
    longestTaskMs: Math.round(Math.max(0, ...globalThis.longTasks)),
  }))
  await page.click('#choose-go')
  await page.click('#protect')
  await page.waitForFunction(
    () => {
      /** @type {NodeListOf<HTMLElement>} */
      const sent = document.querySelectorAll('#sent li')
      const lines = [...sent]
      return lines.length > 0 && lines.every(({ dataset }) => dataset.state !== 'busy')
    },
    undefined,
    { timeout: 600_000 },
  )
  return { sent, ms, longestTaskMs }
}

/** @returns of each variant and size how far page and server are apart. The files of one are deleted before those of the next are made. */
async function variantsOf(visit, photos, folder, onRow) {
  const rows = []
  for (const name of VARIANT_NAMES.filter((each) => each.startsWith(args.only))) {
    for (const size of [undefined, ...ENLARGED_SIZES]) {
      const paths = []
      for (const [index, photo] of photos.slice(0, size === undefined ? undefined : LARGE).entries()) {
        const { ending, bytes } = await variantOf(name, photo, index, size)
        const path = join(folder, `${index}.${ending}`)
        writeFileSync(path, bytes)
        paths.push(path)
      }
      const page = await visit()
      const row = { name, size, ...(await distancesOf(page, paths)) }
      rows.push(row)
      onRow(row)
      await page.close()
      for (const path of paths) rmSync(path)
    }
  }
  return rows
}

/** Of the processes that pages run in, together: what they had at first, and the most that they had until `end`. */
async function memoryOf(browser) {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const pids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id)
  const now = () => Math.round(pids.reduce((sum, pid) => sum + residentBytes(pid), 0) / 1e6)
  const before = now()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, now())), SAMPLE_INTERVAL_MS)
  return {
    end() {
      clearInterval(timer)
      return { before, most: Math.max(most, now()) }
    },
  }
}

/** One video on a page of its own. */
async function videoOf(browser, page, path) {
  const memory = await memoryOf(browser)
  const { sent, ms } = await timesOf(page, [path], 'videos')
  const memoryMb = memory.end()
  await page.close()
  const [{ durationMs, frames }] = sent
  const signals = frames.reduce((sum, { signals }) => sum + signals.length, 0)
  return { ms, memoryMb, durationMs, frames: frames.length, signals }
}

async function distancesOf(page, photos) {
  const { sent } = await timesOf(page, photos)
  return compare(sent, photos)
}
