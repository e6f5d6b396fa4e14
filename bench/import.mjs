// How long does importing a file take, and how much memory?
//
//   npm run bench import [-- --lines N] [--distinct N] [--json]
//
// One api over a private Redis (`appendfsync always`). `tabir import` sends a file of N random lines `pdq <hex>`, one in a thousand no hash, as an
// operator does; then the same file again, which is recognised by its digest. The api's memory is sampled twice a second. At the end a sample of 200
// lines must be found. The status is 1 when the report or a match is wrong.
//
// --distinct repeats so many hashes: the index grows by these alone, so other growth is the import's.
//
// The goal: a million lines within 60 s.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BANK, openService, residentBytes, run, startApi, wholeNumber } from './service.mjs'

const { values: args } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    distinct: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
})
const LINES = wholeNumber(args, 'lines')
const DISTINCT = Number(args.distinct)
const SAMPLES = 200
const MAIN = new URL('../dist/src/cli/main.js', import.meta.url)
const MB = 1e6

await run(async (defer) => {
  const service = await openService(defer)
  const { file, samples } = await writeFile(join(service.dataDir, 'list.txt'))
  const api = await startApi(defer, service)
  const url = `http://127.0.0.1:${api.port}`
  const memory = [residentBytes(api.pid)]
  const timer = setInterval(() => memory.push(residentBytes(api.pid)), 500)
  const first = await importOnce(file, url, service.key)
  const during = [...memory]
  const again = await importOnce(file, url, service.key)
  clearInterval(timer)
  const rejected = Math.floor(LINES / 1000)
  const isRight =
    first.report.accepted === LINES - rejected && first.report.rejected === rejected && first.report.lines === LINES
  const found = await foundOf(samples, url, service.key)
  const outcome = {
    lines: LINES,
    ...(DISTINCT > 0 && { distinct: DISTINCT }),
    seconds: first.seconds,
    linesPerS: Math.round(LINES / first.seconds),
    againSeconds: again.seconds,
    apiMbBefore: Math.round((memory[0] ?? 0) / MB),
    apiMbEachTenth: Array.from({ length: 10 }, (_, i) =>
      Math.round((during[Math.floor(((i + 1) * (during.length - 1)) / 10)] ?? 0) / MB),
    ),
    apiMbMost: Math.round(Math.max(...memory) / MB),
    isRight,
    found,
  }
  console.log(args.json ? JSON.stringify(outcome) : outcome)
  if (!isRight || found !== SAMPLES) process.exitCode = 1
})

async function writeFile(path) {
  const file = createWriteStream(path)
  const samples = []
  const known = Array.from({ length: DISTINCT }, () => randomBytes(32).toString('hex'))
  for (let line = 1; line <= LINES; line++) {
    const hash = known.length === 0 ? randomBytes(32).toString('hex') : known[line % known.length]
    if (line % Math.ceil(LINES / SAMPLES / 1.01) === 1 && line % 1000 !== 0 && samples.length < SAMPLES) samples.push(hash)
    if (!file.write(line % 1000 === 0 ? 'no hash\n' : `pdq ${hash}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  return { file: path, samples }
}

async function importOnce(file, url, key) {
  const begun = performance.now()
  const child = spawn(process.execPath, [MAIN.pathname, 'import', file, '--bank', BANK, '--url', url], {
    env: { PATH: process.env.PATH, TABIR_API_KEY: key },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  await once(child, 'close')
  return { seconds: Number(((performance.now() - begun) / 1000).toFixed(1)), report: JSON.parse(text) }
}

async function foundOf(hashes, url, key) {
  const queries = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash }] }))
  const response = await fetch(`${url}/v1/match`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ queries, transforms: false }),
  })
  const { results } = await response.json()
  return results.filter(({ matches }) => matches?.length === 1).length
}
