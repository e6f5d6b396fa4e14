import t from 'tap'
import { openCase, startService, until } from '../helpers/service.js'
import { SEAL_KEY, tabirBeside } from '../helpers/tabir.js'
import { ask, caseWithPicture, feedback, matchesOf, platform } from '../helpers/trust.js'

t.test('tabir trust decisions take effect in running processes', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirBeside(service)
  const one = await platform(service, 'one')
  const { hash, imageId } = await caseWithPicture(service)
  await feedback(service, one, hash, { verdict: 'disputed', reason: 'harmless-content' })
  const matches = async () => (await matchesOf(service, one.headers, hash)).length

  t.match(await tabir('trust', 'disputes'), { status: 0, rows: [{ signalId: imageId, disputed: true }] })
  t.match(await tabir('trust', 'hold', imageId), { status: 0, rows: [{ circulation: 'held' }] })
  await until(async () => (await matches()) === 0)
  t.match((await tabir('trust', 'quarantine')).rows, [{ signalId: imageId }])
  t.match(await tabir('trust', 'release', imageId), { status: 0, rows: [{ circulation: 'matching' }] })
  await until(async () => (await matches()) === 1)

  t.match(await tabir('trust', 'decide', imageId, 'upheld'), { status: 0, rows: [{ circulation: 'invalidated' }] })
  await until(async () => (await matches()) === 0)
  const [account] = (await tabir('trust', 'strikes')).rows
  t.match(account, { strikes: 1, suspended: false })
  const name = typeof account === 'object' && account !== null && 'account' in account ? String(account.account) : ''
  t.match(await tabir('trust', 'forgive', name), { status: 0 })
  t.same((await tabir('trust', 'strikes')).rows, [])
})

t.test('tabir trust lists and decides appeals, and lists and lifts blocks', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirBeside(service)
  const one = await platform(service, 'one')
  const withdrawn = async () => {
    const her = await caseWithPicture(service)
    await feedback(service, one, her.hash, { verdict: 'disputed', reason: 'harmless-content' })
    await tabir('trust', 'decide', her.imageId, 'upheld')
    await until(async () => (await matchesOf(service, one.headers, her.hash)).length === 0)
    await ask(service, 'DELETE', her.url, her.headers)
    const again = await openCase(service.app)
    const signals = [{ type: 'pdq', hash: her.hash, quality: 100 }]
    const appeal = () => ask(service, 'POST', `${again.url}/appeals`, again.headers, { signals })
    return async () => (await appeal()).json<{ state?: string; code?: string }>()
  }
  const first = await withdrawn()
  t.match(await first(), { state: 'open' })
  const { rows } = await tabir('trust', 'appeals')
  t.match(rows, [{ blockId: /^[0-9a-f]{32}$/, madeAtMs: Number }])
  const { blockId } = rows[0] as { blockId: string }
  t.match((await tabir('trust', 'blocks')).rows, [{ blockId, untilMs: Number }])
  t.match(await tabir('trust', 'appeal', blockId, 'denied'), { status: 0, rows: [{ blockId, outcome: 'denied' }] })
  t.match(await first(), { state: 'denied' })
  t.match(await tabir('trust', 'lift', blockId), { status: 0, rows: [{ blockId, lifted: true }] })
  t.match(await first(), { code: 'appeal-unneeded' })
  t.match(await tabir('trust', 'lift', blockId), { status: 1, errors: /no such block/ })

  const second = await withdrawn()
  await second()
  const [waiting] = (await tabir('trust', 'appeals')).rows as { blockId: string }[]
  t.match(await tabir('trust', 'appeal', waiting?.blockId ?? '', 'granted'), { status: 0 })
  t.match(await second(), { code: 'appeal-unneeded' })
  t.same((await tabir('trust', 'blocks')).rows, [])
})

t.test('an unknown signal or wrong arguments of tabir trust are refused with a message and a status', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirBeside(service)
  const nobodys = '00000000-0000-7000-8000-000000000000'
  t.match(await tabir('trust', 'release', nobodys), { status: 1, rows: [], errors: /no such signal/ })
  for (const args of [
    [],
    ['show'],
    ['decide', nobodys],
    ['decide', nobodys, 'perhaps'],
    ['dispute', nobodys, 'why'],
    ['forgive', 'x'],
    ['hold', nobodys, 'x'],
    ['appeal', nobodys],
    ['appeal', 'x', 'granted'],
    ['lift', nobodys],
  ]) {
    t.match(await tabir('trust', ...args), { status: 2, rows: [], errors: /tabir trust/ }, args.join(' '))
  }
})
