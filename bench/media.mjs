// Does the service, and does the page in Chromium, answer for each file of a folder as its manifest says?
//
//   npm run bench:media -- --folder FOLDER [--only KIND,…] [--skip-page] [--url URL --key-file FILE] [--chromium FILE] [--json]
//
// FOLDER has a manifest.json whose `how` says what its fields mean. Each file is asked about, registered in a fresh case that is then withdrawn, and
// handed to the page. A row is wrong by the manifest only. A file that gets no answer is a wrong row, and the next one is tried.
//
// --only takes kinds and names of files, and `padded` for the file that is made longer. --url asks a service that runs already, with a key that may
// match; otherwise one is started with a private Redis, an api and a process of workers.
//
// The last line is JSON: { files, wrong, registerWrong, matchWrong, bitsWrong, pageWrong }. `files` counts those of the folder, the others rows:
// `matchWrong` has those in which match or asking is wrong, `pageWrong` those in which the outcome or its distance from the server is wrong, and
// null with --skip-page. --json prints this line alone, with `formats` and `rows` in it. Status 1 when a row is wrong.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { environmentFor } from '../dist/src/boot/config.js'
import { createClient } from './media/client.mjs'
import { judge, uncheckedFields } from './media/judge.mjs'
import { openChromium } from './media/page.mjs'
import { formatsOf, report, shownRow, summaryOf } from './media/report.mjs'
import { progress } from './report.mjs'
import { openService, run, startApi, startPart } from './service.mjs'

const WORKERS = new URL('../dist/workers/main.js', import.meta.url)
const options = optionsOf(process.argv.slice(2))

await run(async (defer) => {
  const service = options.service ?? (await startService(defer))
  const client = createClient(service)
  const { chromium: executablePath, 'skip-page': skipsPage } = options
  const page = skipsPage ? undefined : await openChromium(defer, { executablePath, url: service.url })
  const rows = []
  const draw = progress('files', options.entries.length)
  for (const entry of options.entries) {
    rows.push(await rowOf(entry, client, page))
    draw(rows.length)
  }
  const summary = summaryOf(rows, { skipsPage })
  if (!options.json) console.log(report(rows))
  console.log(JSON.stringify(options.json ? { ...summary, formats: formatsOf(rows), rows: rows.map(shownRow) } : summary))
  if (summary.wrong > 0) process.exitCode = 1
})

async function startService(defer) {
  const service = await openService(defer)
  const { port } = await startApi(defer, service)
  const own = { PATH: process.env.PATH, TABIR_DATA_DIR: service.dataDir }
  await startPart(defer, WORKERS, environmentFor('workers', { socket: service.redis.socket }, own))
  return { url: `http://127.0.0.1:${port}`, key: service.key }
}

async function rowOf({ file, kind, expect, sha256, appendZeros }, client, page) {
  const path = join(options.folder, file)
  const isMade = appendZeros !== undefined
  const row = { file: isMade ? `${file} and ${appendZeros} zeros` : file, kind, expect, isMade }
  const seen = await seenOf({ path, expect, sha256, appendZeros }, client, page).catch(({ message }) => failedSeen(message))
  return { ...row, seen, wrong: judge(expect, seen) }
}

/** What was answered for a file, in the form that `judge` takes. */
async function seenOf({ path, expect, sha256, appendZeros = 0 }, client, page) {
  const original = readFileSync(path)
  if (sha256 !== undefined && createHash('sha256').update(original).digest('hex') !== sha256)
    throw new Error('the file has another SHA-256 than the manifest says')
  const bytes = Buffer.concat([original, Buffer.alloc(appendZeros)])
  const match = await client.match(bytes)
  const register = expect.register && (await client.register(bytes))
  const asking = expect.asking && (await client.finds(readFileSync(truthOf(expect.asking.finds)), bytes, match))
  return { match, register, asking, page: expect.page && (await page?.outcomeOf(path)) }
}

function failedSeen(message) {
  const failed = { failed: message }
  return { match: failed, register: failed, asking: failed, page: options['skip-page'] ? undefined : failed }
}

/** A photograph of truth/, or a file beside the one that asks. */
function truthOf(name) {
  const places = [`truth/${name}.jpg`, `files/${name}.webp`].map((place) => join(options.folder, place))
  const place = places.find(existsSync)
  if (place === undefined) throw new Error(`there is neither ${places.join(' nor ')}`)
  return place
}

function optionsOf(words) {
  const { values } = parsed(words)
  if (values.folder === undefined) fail('--folder must be given')
  const folder = resolve(values.folder)
  const manifest = manifestOf(folder)
  const { padded } = manifest
  const entries = [
    ...manifest.files,
    ...(padded === undefined ? [] : [{ ...padded, file: padded.from, kind: 'padded' }]),
  ].filter(chosenBy(values.only))
  if (entries.length === 0) fail(`--only: no file of the manifest is of ${values.only}`)
  const unchecked = new Set(entries.flatMap(({ expect }) => uncheckedFields(expect)))
  if (unchecked.size > 0) console.error(`not checked, because unknown here: expect.${[...unchecked].join(', expect.')}`)
  if (!values['skip-page'] && !existsSync(values.chromium))
    fail(`--chromium: there is no ${values.chromium}; --skip-page leaves the page out`)
  return { ...values, folder, entries, service: serviceOf(values) }
}

function chosenBy(only) {
  const words = only?.split(',')
  return ({ kind, file }) =>
    words === undefined || words.includes(kind) || (kind !== 'padded' && words.includes(basename(file)))
}

function manifestOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  } catch (error) {
    return fail(`--folder: ${error.message}`)
  }
}

function serviceOf({ url, 'key-file': keyFile }) {
  if (url === undefined) return undefined
  if (keyFile === undefined || !existsSync(keyFile)) fail('--url needs --key-file, a file with a key that may match')
  return { url: url.replace(/\/$/, ''), key: readFileSync(keyFile, 'utf8').trim() }
}

function parsed(words) {
  try {
    return parseArgs({
      args: words,
      options: {
        folder: { type: 'string' },
        only: { type: 'string' },
        'skip-page': { type: 'boolean', default: false },
        url: { type: 'string' },
        'key-file': { type: 'string' },
        chromium: { type: 'string', default: '/usr/bin/chromium' },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return fail(error.message)
  }
}

/** @returns {never} */
function fail(message) {
  console.error(message)
  process.exit(2)
}
