// Resubmitting a held signal: the answer must say held and not registered.

import t from 'tap'
import { keyFor, randomHashText, startService } from '../helpers/service.js'
import { ask, caseWithPicture, matchesOf, operator, platform } from '../helpers/trust.js'

const service = await startService(t)
const one = await platform(service, 'one')
const boss = await operator(service)
const signalsOf = (hash: string) => [{ type: 'pdq', hash, quality: 100 }]

t.test('adding a held image again answers held until it is released', async (t) => {
  const her = await caseWithPicture(service)
  const add = async () => {
    const body = { images: [{ signals: signalsOf(her.hash) }, { signals: signalsOf(randomHashText()) }] }
    const answer = await ask(service, 'POST', `${her.url}/hashes`, her.headers, body)
    return answer.json<{ images: { imageId: string; state: string }[] }>().images
  }
  t.match(await add(), [{ imageId: her.imageId, state: 'registered' }, { state: 'registered' }])
  await ask(service, 'POST', `/v1/signals/${her.imageId}/quarantine`, boss.headers)
  t.match(await add(), [{ imageId: her.imageId, state: 'held' }, { state: 'registered' }])
  t.same(await matchesOf(service, one.headers, her.hash), [])
  await ask(service, 'DELETE', `/v1/signals/${her.imageId}/quarantine`, boss.headers)
  t.match(await add(), [{ imageId: her.imageId, state: 'registered' }, { state: 'registered' }])
})

t.test('resubmitting a held signal of a bank answers held and counts it as accepted', async (t) => {
  const { headers } = await keyFor(service, 'ngo', ['signals:write'], 'ngo')
  await ask(service, 'POST', '/v1/banks', headers, { name: 'list' })
  const hash = randomHashText()
  const add = () => ask(service, 'POST', '/v1/banks/list/signals', headers, { signals: signalsOf(hash) })
  const [signal] = (await add()).json<{ signals: { signalId: string }[] }>().signals
  await ask(service, 'POST', `/v1/signals/${signal?.signalId}/quarantine`, boss.headers)
  t.match((await add()).json(), { accepted: 1, refused: 0, signals: [{ signalId: signal?.signalId, state: 'held' }] })
})
