import { Redis } from 'ioredis'
import t from 'tap'
import { z } from 'zod'
import { keys } from '../../src/store/redis/keys.js'
import { keyFor, startService } from '../helpers/service.js'
import { SEAL_KEY, tabirBeside } from '../helpers/tabir.js'

const Entry = z.object({ number: z.int(), act: z.string() })
const Head = z.object({ sound: z.literal(true), entries: z.int(), head: z.string() })

t.test('tabir audit lists and verifies acts, detects a removed entry and trims only after 90 days', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirBeside(service)
  const one = await keyFor(service, 'one')
  const { headers, keyId } = one
  for (let i = 0; i < 2; i++) await service.app.inject({ url: '/v1/banks', headers })
  await service.app.inject({ method: 'POST', url: '/v1/banks', headers, payload: { name: 'mine' } })
  t.match(await tabir('keys', 'revoke', keyId), { status: 0, errors: /^Store: [^\n]*\n$/ })

  const { rows: lines } = await tabir('audit', 'list')
  // The first use of a key on a day is recorded concurrently with the act, so before or after it.
  const byAct = new Map(lines.map((line) => [Entry.parse(line).act, line]))
  t.match(
    lines.map((line) => Entry.parse(line).number),
    [1, 2, 3, 4],
  )
  t.match(byAct.get('key.created'), { number: 1, by: 'operator', about: { keyId } })
  t.match(byAct.get('key.used'), { by: `key:${keyId}`, about: { day: /^\d{4}-\d\d-\d\d$/ } })
  t.match(byAct.get('bank.created'), { by: `key:${keyId}`, about: { bank: 'mine' } })
  t.match(byAct.get('key.revoked'), { by: 'operator', about: { keyId } })
  const verified = await tabir('audit', 'verify')
  t.match(verified, { status: 0, errors: /^Store: [^\n]*\n$/ })
  const { head } = Head.parse(verified.row)
  t.match(await tabir('audit', 'verify', '--head', head), { status: 0, rows: [{ sound: true, entries: 4 }] })
  t.match(await tabir('audit', 'verify', '--head', head.replace('4:', '3:')), { status: 1, errors: /noted/ })

  t.match(await tabir('audit', 'trim', '--older-than', '90'), { status: 0, rows: [{ removed: 0 }] })

  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  await redis.xdel(keys.audit, '4-0')
  t.match(await tabir('audit', 'verify'), { status: 1, rows: [], errors: /at entry 4: entries at the end are missing/ })

  for (const args of [[], ['verify', '--head', '4'], ['list', '--after', 'x'], ['trim'], ['trim', '--older-than', '89']]) {
    t.match(await tabir('audit', ...args), { status: 2, errors: /tabir audit/ })
  }
})
