import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startService, type TestService, until } from '../helpers/service.js'
import { caseWithPicture, feedback, matchesOf, platform } from '../helpers/trust.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const SEAL_KEY = Buffer.alloc(32, 7)

function tabirFor({ redis }: TestService) {
  const env = {
    PATH: process.env['PATH'],
    REDIS_SOCKET: redis.socket,
    TABIR_SEAL_KEYS: `test:${SEAL_KEY.toString('base64')}`,
  }
  return (...args: string[]) =>
    new Promise<{ status: number; rows: unknown[]; errors: string }>((resolve) => {
      const child = execFile(process.execPath, [MAIN, 'trust', ...args], { env }, (_, out, errors) => {
        const rows = out
          .split('\n')
          .filter((line) => line !== '')
          .map((line): unknown => JSON.parse(line))
        resolve({ status: child.exitCode ?? 1, rows, errors })
      })
    })
}

t.test('an operator decides at the command line, and running processes learn of it', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirFor(service)
  const one = await platform(service, 'one')
  const { hash, imageId } = await caseWithPicture(service)
  await feedback(service, one, hash, { verdict: 'disputed', reason: 'harmless-content' })
  const matches = async () => (await matchesOf(service, one.headers, hash)).length

  t.match(await tabir('disputes'), { status: 0, rows: [{ signalId: imageId, disputed: true }] })
  t.match(await tabir('hold', imageId), { status: 0, rows: [{ circulation: 'held' }] })
  await until(async () => (await matches()) === 0)
  t.match((await tabir('quarantine')).rows, [{ signalId: imageId }])
  t.match(await tabir('release', imageId), { status: 0, rows: [{ circulation: 'matching' }] })
  await until(async () => (await matches()) === 1)

  t.match(await tabir('decide', imageId, 'upheld'), { status: 0, rows: [{ circulation: 'struck' }] })
  await until(async () => (await matches()) === 0)
  const [account] = (await tabir('strikes')).rows
  t.match(account, { strikes: 1, suspended: false })
  const name = typeof account === 'object' && account !== null && 'account' in account ? String(account.account) : ''
  t.match(await tabir('forgive', name), { status: 0 })
  t.same((await tabir('strikes')).rows, [])
})

t.test('what cannot be done is refused in words, with a status', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirFor(service)
  const nobodys = '00000000-0000-7000-8000-000000000000'
  t.match(await tabir('release', nobodys), { status: 1, rows: [], errors: /no such signal/ })
  for (const args of [
    [],
    ['show'],
    ['decide', nobodys],
    ['decide', nobodys, 'perhaps'],
    ['dispute', nobodys, 'why'],
    ['forgive', 'x'],
    ['hold', nobodys, 'x'],
  ]) {
    t.match(await tabir(...args), { status: 2, rows: [], errors: /tabir trust/ }, args.join(' '))
  }
})
