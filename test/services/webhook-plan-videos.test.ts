// Webhook messages about a video say how long it is, so that who gets one knows what to look for.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createEventStore } from '../../src/store/webhooks/events.js'
import { post } from '../helpers/requests.js'
import { randomHashText, until } from '../helpers/service.js'
import { FRAME_MS, filmOf } from '../helpers/trust.js'
import { startWebhookPlans } from '../helpers/webhook-plans.js'

const { service, store, webhooks, imageOf, organisation, told, match } = await startWebhookPlans(t)
const { app, services } = service

t.test('a watch match, a dispute and a missed deadline of a video say how long it is', async (t) => {
  const [met, ngo] = [await organisation(t, 'platform'), await organisation(t, 'ngo')]
  const bank = randomBytes(6).toString('hex')
  await post(app, '/v1/banks', { name: bank }, ngo.headers)
  const text = randomHashText()
  await post(app, '/v1/watch', { watches: [{ signals: [{ type: 'pdq', hash: text }] }] }, met.headers)
  await post(app, `/v1/banks/${bank}/signals`, { videos: [filmOf([randomHashText(), text])] }, ngo.headers)
  const events: Awaited<ReturnType<typeof told>> = []
  await until(async () => events.push(...(await told())) > 0)

  const matchId = (await match(text, met))[0]?.matchId ?? ''
  await services.settled()
  await post(app, `/v1/matches/${matchId}/feedback`, { verdict: 'disputed', reason: 'other' }, met.headers)
  const orgId = (await webhooks.get(met.webhookId))?.orgId ?? ''
  const dueAt = '2026-01-01T00:00:00.000Z'
  const about = { signalId: imageOf(orgId, matchId) ?? '', orgId, law: 'my-onsa', stage: 'assess', dueAt }
  await createEventStore(store).add('sla.due', about, Date.now(), 60)
  events.push(...(await told()))
  // Which organisation is told first of a dispute is not promised.
  t.same(
    events.map(({ type, data }) => [type, data['durationS']]).sort(),
    ['match.found', 'signal.disputed', 'signal.disputed', 'sla.due'].map((type) => [type, (2 * FRAME_MS) / 1000]),
  )
})
