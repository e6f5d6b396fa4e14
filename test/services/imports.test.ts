// Two runs of one import at once: the older run writes nothing more.

import t from 'tap'
import { parseHash } from '../../packages/hash/src/hash256.js'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { matchesOf } from '../helpers/trust.js'

const LINES_OF_BATCH = 1000

t.test('an older run does not restore what the newer run removed', async (t) => {
  const clock = { nowMs: Date.now() }
  const service = await startService(t, { now: () => clock.nowMs })
  const { imports, banks } = service.services
  const key = await keyFor(service, 'ngo', ['signals:write', 'match'], 'ngo')
  const caller = service.services.identify(key.key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  const bank = await banks.create(caller, { name: 'list', purpose: 'match', thresholdBits: {} }, undefined)
  const hash = randomHashText()
  const put = (text: string) => `{"type":"pdq","hash":"${text}"}\n`
  const lines = [put(hash), ...Array.from({ length: 2 * LINES_OF_BATCH }, () => put(randomHashText()))]
  const file = [...lines, `{"type":"pdq","hash":"${hash}","deleted":true}\n`].join('')
  const cut = lines.slice(0, LINES_OF_BATCH - 1).join('').length
  const stalled = gate()
  const isRead = gate()

  async function* slowly() {
    yield Buffer.from(file.slice(0, cut))
    isRead.open()
    await stalled.passed
    yield Buffer.from(file.slice(cut))
  }
  async function* atOnce() {
    yield Buffer.from(file)
  }
  const older = imports.take(bank, 'the same key', slowly(), async () => {})
  older.catch(() => {})
  await isRead.passed
  const newer = await imports.take(bank, 'the same key', atOnce(), async () => {})
  t.match(newer.progress, { state: 'done', removed: 1 })
  t.same(await matchesOf(service, key.headers, hash), [])

  clock.nowMs += 2000
  stalled.open()

  await t.rejects(older, { code: 'idempotency-key-busy' })
  t.same(await matchesOf(service, key.headers, hash), [], 'it stays removed')
  t.match((await imports.report(bank, newer.importId)).progress, { state: 'done' })
})

t.test('a file goes into the bank that it was started for, not into another bank of its name', async (t) => {
  const service = await startService(t)
  const { imports, banks, registration } = service.services
  const key = await keyFor(service, 'ngo', ['signals:write', 'match'], 'ngo')
  const caller = service.services.identify(key.key)
  if (caller === undefined) throw new Error('a key is known once it is made')
  const bank = await banks.create(caller, { name: 'list', purpose: 'match', thresholdBits: {} }, undefined)
  const text = randomHashText()
  const hash = parseHash(text)
  if (hash === undefined) throw new Error('64 hex digits are a hash')
  const signal = { type: 'pdq', view: 'whole', quality: 100, hash } as const
  await registration.forBank(bank, [{ signal, ref: undefined, category: undefined }])
  const earlier = { ...bank, createdAtMs: bank.createdAtMs - 1 }
  async function* file() {
    yield Buffer.from(`{"type":"pdq","hash":"${text}","deleted":true}\n`)
  }

  await t.rejects(
    imports.take(earlier, undefined, file(), async () => {}),
    { code: 'bank-unknown' },
  )

  t.equal((await matchesOf(service, key.headers, text)).length, 1)
})

function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}
