// Searches everything that a service writes for bits of a million registered hashes, in any form.
//
//   npm run fuzz whole-store [-- --signals 1000000]
//
// test/whole-store.test.ts is the short version. The status is 1 if a bit was found.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { HashSearch } from '../dist/test/helpers/hash-search.js'
import { writtenStore } from '../dist/test/helpers/whole-store.js'

const { values } = parseArgs({ options: { signals: { type: 'string', default: '1000000' } } })
const signals = Number(values.signals)
const place = mkdtempSync(join(tmpdir(), 'tabir-whole-'))
const endings = [() => rmSync(place, { recursive: true, force: true })]
let found = 0
try {
  const startedAt = performance.now()
  const seconds = () => Math.round((performance.now() - startedAt) / 1000)
  const store = await writtenStore(
    { teardown: (end) => endings.push(end) },
    {
      signals,
      place,
      onProgress: (sent) => {
        if (sent % 100_000 === 0) console.error(`${sent} sent after ${seconds()} s`)
      },
    },
  )
  const search = new HashSearch(store.hashes)
  const kinds = new Map()
  for await (const [name, bytes] of store.written()) {
    const kind = name.replace(/^(key \{tabir\}:[a-z-]+).*$/s, '$1').replace(/^data: .*\//, '')
    kinds.set(kind, (kinds.get(kind) ?? 0) + bytes.length)
    const piece = search.find(bytes)
    if (piece === undefined) continue
    found++
    console.error(`${kind}: a piece of a hash as ${piece.form}`)
  }
  for (const [kind, bytes] of kinds) console.log(`${String(bytes).padStart(12)} bytes  ${kind}`)
  console.log(
    `${store.hashes.length / 32} hashes were sent, ${store.stored} images are stored; ${found} places with a piece of one; ${seconds()} s`,
  )
} finally {
  for (const end of endings.reverse()) await end()
}
process.exitCode = found === 0 ? 0 : 1
