// Do the service, and the page in Chromium, answer for each file of a folder as its manifest says?
//
//   npm run bench media -- --folder FOLDER [--only KIND,…] [--skip-page] [--url URL --key-file FILE] [--chromium FILE] [--json]
//
// FOLDER has a manifest.json whose `how` describes its fields. Each file is matched, registered in a new case that is then withdrawn, and given to the
// page. A row is wrong if it differs from the manifest. A file without an answer is a wrong row, and the next one is tried.
//
// --only takes kinds and names of files, and `padded` for the file that is made longer. --url uses a running service, with a key that may match;
// otherwise a private Redis, an api and a process of workers are started.
//
// The last line is JSON: { files, wrong, registerWrong, matchWrong, bitsWrong, pageWrong }. `files` counts the files of the folder, the others count rows:
// in `matchWrong` the match is wrong, in `pageWrong` the outcome or its distance from the server (null with --skip-page). --json prints this line
// alone, with `formats` and `rows` in it. The status is 1 when a row is wrong.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from './media/client.mjs'
import { judge, uncheckedFields } from './media/judge.mjs'
import { optionsOf } from './media/options.mjs'
import { openChromium } from './media/page.mjs'
import { formatsOf, report, shownRow, summaryOf } from './media/report.mjs'
import { startService } from './media/service.mjs'
import { optionsOrExit, progress } from './report.mjs'
import { run } from './service.mjs'

const options = optionsOrExit(optionsOf)

const unchecked = new Set(options.entries.flatMap(({ expect }) => uncheckedFields(expect)))
if (unchecked.size > 0) console.error(`not checked, because unknown here: expect.${[...unchecked].join(', expect.')}`)

await run(async (defer) => {
  const service = options.service ?? (await startService(defer))
  const { chromium: executablePath, 'skip-page': skipsPage } = options
  const page = skipsPage ? undefined : await openChromium(defer, executablePath)
  const rows = []
  const draw = progress('files', options.entries.length)
  for (const entry of options.entries) {
    rows.push(await rowOf(entry, service, page))
    draw(rows.length)
  }
  const summary = summaryOf(rows, { skipsPage })
  if (!options.json) console.log(report(rows))
  console.log(JSON.stringify(options.json ? { ...summary, formats: formatsOf(rows), rows: rows.map(shownRow) } : summary))
  if (summary.wrong > 0) process.exitCode = 1
})

async function rowOf({ file, kind, expect, sha256, appendZeros }, service, page) {
  const path = join(options.folder, file)
  const isMade = appendZeros !== undefined
  const seen = await seenOf({ path, expect, sha256, appendZeros }, service, page)
  return { file: isMade ? `${file} and ${appendZeros} zeros` : file, kind, expect, isMade, seen, wrong: judge(expect, seen) }
}

/** What was answered for a file, in the form that `judge` takes. Whatever goes wrong is an answer of its own. */
async function seenOf({ path, expect, sha256, appendZeros = 0 }, { key, ready }, page) {
  const bytes = await orFailed(() => bytesOf(path, sha256, appendZeros))
  const ask = async (isExpected, work) => {
    if (!isExpected) return undefined
    return Buffer.isBuffer(bytes) ? orFailed(async () => work(await ready())) : bytes
  }
  const client = (url) => createClient({ url, key })
  const match = await ask(true, (url) => client(url).match(bytes))
  const register = await ask(expect.register !== undefined, (url) => client(url).register(bytes))
  const truth = () => readFileSync(truthOf(expect.asking.finds))
  const asking = await ask(expect.asking !== undefined, (url) => client(url).finds(truth(), bytes, match))
  const outcome = await ask(expect.page !== undefined && page !== undefined, (url) => page.outcomeOf(url, path))
  return { match, register, asking, page: outcome }
}

async function orFailed(work) {
  try {
    return await work()
  } catch ({ message }) {
    return { failed: message }
  }
}

/** @throws where it is another file than the one that the manifest describes. */
function bytesOf(path, sha256, appendZeros) {
  const original = readFileSync(path)
  if (sha256 !== undefined && createHash('sha256').update(original).digest('hex') !== sha256)
    throw new Error('the file has another SHA-256 than the manifest says')
  return Buffer.concat([original, Buffer.alloc(appendZeros)])
}

/** A photograph of truth/, or a file beside the one that asks. */
function truthOf(name) {
  const places = [`truth/${name}.jpg`, `files/${name}.webp`].map((place) => join(options.folder, place))
  const place = places.find(existsSync)
  if (place === undefined) throw new Error(`there is neither ${places.join(' nor ')}`)
  return place
}
