import t from 'tap'
import { startService, until } from '../helpers/service.js'
import { SEAL_KEY, tabirBeside } from '../helpers/tabir.js'
import { caseWithPicture, feedback, matchesOf, platform } from '../helpers/trust.js'

t.test('an operator decides at the command line, and running processes learn of it', async (t) => {
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

  t.match(await tabir('trust', 'decide', imageId, 'upheld'), { status: 0, rows: [{ circulation: 'struck' }] })
  await until(async () => (await matches()) === 0)
  const [account] = (await tabir('trust', 'strikes')).rows
  t.match(account, { strikes: 1, suspended: false })
  const name = typeof account === 'object' && account !== null && 'account' in account ? String(account.account) : ''
  t.match(await tabir('trust', 'forgive', name), { status: 0 })
  t.same((await tabir('trust', 'strikes')).rows, [])
})

t.test('what cannot be done is refused in words, with a status', async (t) => {
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
  ]) {
    t.match(await tabir('trust', ...args), { status: 2, rows: [], errors: /tabir trust/ }, args.join(' '))
  }
})
