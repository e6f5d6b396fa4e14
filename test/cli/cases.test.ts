import t from 'tap'
import { post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService } from '../helpers/service.js'
import { SEAL_KEY, tabirBeside } from '../helpers/tabir.js'
import { matchesOf, platform } from '../helpers/trust.js'

t.test('tabir cases end records the wish to end a case, and is audited', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const { app } = service
  const tabir = tabirBeside(service)
  const one = await platform(service, 'one')
  const ngo = await keyFor(service, 'ngo', ['cases:write'], 'ngo')
  const consent = { adult: true, consent: { kind: 'in-person', on: '2026-01-31' } }
  const { caseNumber } = (await post(app, '/v1/assisted-cases', consent, ngo.headers)).json<{ caseNumber: string }>()
  const url = `/v1/cases/${caseNumber}`
  const hash = randomHashText()
  await post(app, `${url}/hashes`, { images: [{ signals: [{ type: 'pdq', hash, quality: 80 }] }] }, ngo.headers)
  await post(app, `${url}/handover`, { keepReading: true }, ngo.headers) // the submitter loses the PIN
  const matches = async () => (await matchesOf(service, one.headers, hash)).length
  t.equal(await matches(), 1)

  const facts = { caseNumber, state: 'active', images: 1, orgId: /./, handedOverAt: /Z$/ }
  const written = caseNumber.toLowerCase().replaceAll('-', ' ')
  t.match(await tabir('cases', 'end', written, '--dry-run'), { status: 0, rows: [{ ...facts, isDryRun: true }] })
  t.equal(await matches(), 1, '--dry-run changes nothing')
  const wished = await tabir('cases', 'end', written)
  t.match(wished, { status: 0, rows: [{ ...facts, effectiveAt: /Z$/ }] })
  t.equal(await matches(), 1, 'the number proves no more than a PIN: somebody with the code can stop it')
  const { endsAt } = (await app.inject({ url, headers: ngo.headers })).json<{ endsAt: string }>()
  t.match(
    await tabir('cases', 'end', caseNumber),
    { status: 0, rows: [{ effectiveAt: endsAt }] },
    'a repeat changes nothing',
  )

  const acts = (await tabir('audit', 'list')).rows as { act: string; by: string }[]
  const ended = acts.filter(({ act }) => act === 'case.end-wished')
  t.match(ended, [{ by: 'operator' }])
})

t.test('tabir cases end refuses an unknown case number and wrong arguments', async (t) => {
  const service = await startService(t, { sealKey: SEAL_KEY })
  const tabir = tabirBeside(service)
  const her = await openCase(service.app)
  t.match(await tabir('cases', 'end', 'TBR-0000-0000-0000'), { status: 1, rows: [], errors: /no such case/ })
  for (const args of [[], ['end'], ['end', her.caseNumber, 'more'], ['end', her.caseNumber, '--force'], ['list']])
    t.match(await tabir('cases', ...args), { status: 2, rows: [], errors: /tabir cases end NUMBER/ })
  t.match((await service.app.inject(her)).json(), { state: 'open' })
})
