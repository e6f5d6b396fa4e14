// The page in a real Chromium: are its hashes those of the server, how long do twenty large pictures take, does it stay
// responsive meanwhile, and how much memory do its processes take? Every hash is compared with the server's for the same file.
// npm run bench:page [-- --photos FOLDER] [--most N] [--large N] [--json]
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { distance, parseHash } from '../dist/packages/hash/src/hash256.js'
import { hashImage } from '../dist/workers/media/hashes-of-file.js'
import { largePicture } from './pictures.mjs'
import { percentile } from './report.mjs'
import { openService, residentBytes, run, startApi } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string', default: 'demo/pictures' },
    most: { type: 'string', default: '300' },
    large: { type: 'string', default: '20' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
    json: { type: 'boolean', default: false },
  },
})
const LARGE = Number(args.large)
const SAMPLE_INTERVAL_MS = 50
/** Of what has to be nearly the same. */
const MAX_BITS = 8
const LARGE_SIZE = { width: 4000, height: 3000 }

await run(async (defer) => {
  const { port } = await startApi(defer, await openService(defer))
  const flags = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
  const browser = await chromium.launch({ executablePath: args.chromium, args: flags })
  defer(() => browser.close())
  const visit = () => openPage(browser, `http://127.0.0.1:${port}/`)

  const folder = mkdtempSync(join(tmpdir(), 'tabir-photos-'))
  defer(() => rmSync(folder, { recursive: true, force: true }))

  const photos = photosIn(args.photos).slice(0, Number(args.most))
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
async function timesOf(page, files) {
  const sent = []
  page.on('request', (request) => {
    if (request.url().endsWith('/hashes')) sent.push(...request.postDataJSON().images)
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

async function distancesOf(page, photos) {
  const { sent } = await timesOf(page, photos)
  return compare(sent, photos)
}

/** By SHA-256 of the file, because a picture that is refused is not sent. */
async function compare(sent, files) {
  const bits = new Map()
  const note = (kind, value) => bits.set(kind, [...(bits.get(kind) ?? []), value])
  let missing = 0
  for (const path of files) {
    const buffer = readFileSync(path)
    const { signals, blockhash, quality } = await hashImage(buffer, 'register')
    const digest = await crypto.subtle.digest('SHA-256', buffer)
    const fileHash = Buffer.from(digest).toString('hex')
    const own = sent.find((image) => image.signals.some(({ type, hash }) => type === 'sha256' && hash === fileHash))
    if (own === undefined) {
      assert.ok(quality < 55, 'what the device refuses, the server would refuse, or nearly')
      missing++
      continue
    }
    const ours = own.signals.map(({ type, view, hash }) => ({ type, view, hash: parseHash(hash) }))
    const theirs = [
      ...signals.map(({ type, view, hashes }) => ({ type, view, hash: hashes[0] })),
      { type: 'blockhash', view: 'whole', hash: blockhash[0] },
    ]
    // Each to the nearest of its type, from both sides: what one of them has and the other has not counts too.
    const nearest = (rows, { type, hash }) =>
      Math.min(...rows.filter((row) => row.type === type).map((row) => distance(row.hash, hash)))
    for (const row of theirs) note(`${row.type}, ${row.view}`, nearest(ours, row))
    for (const row of ours) if (row.type === 'pdq-area') note(`${row.type}, ${row.view}`, nearest(theirs, row))
  }
  const kinds = [...bits].map(([kind, values]) => [kind, spread(values)])
  return { pictures: files.length, refusedByDevice: missing, ...Object.fromEntries(kinds) }
}

function spread(values) {
  return {
    count: values.length,
    median: percentile(values, 0.5),
    p99: percentile(values, 0.99),
    max: Math.max(...values),
    beyond: values.filter((value) => value > MAX_BITS).length,
  }
}

function report({ asTaken, reduced, speed, machine }) {
  const row = (name, { count, median, p99, max, beyond }) =>
    `| ${name} | ${count} | ${median} | ${p99} | ${max} | ${beyond} |`
  const table = (title, { pictures, refusedByDevice, ...types }) => [
    `${title}: ${pictures} pictures, ${refusedByDevice} refused by the device`,
    '',
    `| hash, view | compared | median bits | p99 | max | beyond ${MAX_BITS} |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(types).map(([name, values]) => row(name, values)),
    '',
  ]
  return [
    machine,
    '',
    ...table('As taken', asTaken),
    ...table(`Enlarged to ${LARGE_SIZE.width} × ${LARGE_SIZE.height}`, reduced),
    `${speed.pictures} pictures of ${speed.pixels / 1e6} megapixels read in ${speed.ms} ms; longest task of the page ${speed.longestTaskMs} ms; its processes had ${speed.memoryMb.before} MB before and ${speed.memoryMb.most} MB at most`,
  ].join('\n')
}
