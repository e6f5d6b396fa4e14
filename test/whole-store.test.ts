// Hashes are treated as intimate images: nowhere on disk, in the store or in logs is any of their bits, except sealed. With a
// million hashes: `npm run fuzz whole-store`.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { HashSearch } from './helpers/hash-search.js'
import { rowsOf, unlistedIn } from './helpers/inventory.js'
import { writtenStore } from './helpers/whole-store.js'

const SIGNALS = 2000

t.test('no hash, case number, token, PIN or key is anywhere in readable form', async (t) => {
  const store = await writtenStore(t, { signals: SIGNALS, place: t.testdir(), onProgress: () => {} })
  const search = new HashSearch(store.hashes)
  const places = new Map<string, number>()
  const found: string[] = []

  for await (const [place, bytes] of store.written()) {
    places.set(place, (places.get(place) ?? 0) + bytes.length)
    const piece = search.find(bytes)
    if (piece !== undefined) found.push(`${place}: ${piece.form}`)
    if (store.secrets.some((secret) => bytes.includes(secret))) found.push(`${place}: a case number, a token or a key`)
    const isCase = /^key \{tabir\}:case:[^:]+$/.test(place)
    if (isCase && store.pins.some((pin) => standsIn(bytes, pin))) found.push(`${place}: a PIN`)
  }

  t.same(found, [])
  const inventory = rowsOf(readFileSync(join(import.meta.dirname, '../../docs/data-inventory.md'), 'utf8'))
  t.same(await unlistedIn(store.client, inventory), [], 'the inventory has each key, field and lifetime')
  t.ok(store.stored > SIGNALS, `${store.stored} images are stored`)
  const least = SIGNALS * 60
  for (const place of ['the log of redis', 'the dump of redis']) t.ok((places.get(place) ?? 0) > least, place)
  const snapshot = [...places].find(([place]) => place.endsWith('index.snapshot'))
  t.ok((snapshot?.[1] ?? 0) > SIGNALS * 32, `a snapshot of ${snapshot?.[1]} bytes was there to be searched`)
  t.ok((places.get('the log of the api') ?? 0) > 1000)
})

t.test('the search finds a hash in every form and at every offset', async (t) => {
  const hashes = randomBytes(32 * 1000)
  const search = new HashSearch(hashes)
  const hash = hashes.subarray(32 * 500, 32 * 501)
  const reversed = Buffer.from(hash).reverse()
  const noise = (count: number) => randomBytes(count)

  for (const [what, bytes] of [
    ['as it is written', hash],
    ['as it lies in memory', reversed],
  ] as const) {
    const sixteen = bytes.subarray(5, 21) // a piece is enough, wherever it is cut
    for (let before = 0; before < 4; before++) {
      const inside = Buffer.concat([noise(before), sixteen, noise(7)])
      const forms = {
        bytes: inside,
        'lower hex': Buffer.from(inside.toString('hex')),
        'upper hex': Buffer.from(inside.toString('hex').toUpperCase()),
        'hex at an odd place': Buffer.from(`a${inside.toString('hex')}`),
        base64: Buffer.from(inside.toString('base64')),
        base64url: Buffer.from(inside.toString('base64url')),
        'base64 within a word': Buffer.from(`${'xyz'.slice(0, before)}${sixteen.toString('base64')}`),
        'a list of numbers': Buffer.from(JSON.stringify(inside)),
        'an object of numbers': Buffer.from(JSON.stringify(Object.fromEntries([...inside].map((byte, i) => [i, byte])))),
      }
      for (const [form, planted] of Object.entries(forms)) {
        t.ok(search.find(Buffer.concat([noise(100), planted, noise(100)])), `${what}, ${form}, ${before} bytes before`)
      }
    }
  }
  t.equal(search.find(noise(1 << 20)), undefined, 'nothing else is found')
})

/**
 * By itself: a timestamp has thirteen digits, and eight cases have so many that six of them equal a PIN by chance in 6 runs
 * of 10,000.
 */
function standsIn(bytes: Buffer, pin: string): boolean {
  return new RegExp(`(?<![0-9])${pin}(?![0-9])`).test(bytes.toString('latin1'))
}
