// From a watch to its webhook message, with a real api, messenger and endpoint.

import { once } from 'node:events'
import t from 'tap'
import { post } from '../helpers/requests.js'
import {
  keyFor,
  openCase,
  randomHashText,
  startService,
  type TestService,
  until,
  withBitsFlipped,
} from '../helpers/service.js'
import { caseWithPicture, matchIdOf } from '../helpers/trust.js'
import { startEndpoint, verified } from '../helpers/webhooks.js'
import { startMessenger } from '../helpers/workers.js'

/** Registers a video. @param hash of its second frame. */
async function caseWithVideo({ app }: TestService, hash: string): Promise<void> {
  const her = await openCase(app)
  const frameOf = (atMs: number, text: string) => ({ atMs, signals: [{ type: 'pdq', hash: text, quality: 80 }] })
  const video = { durationMs: 4000, frames: [frameOf(0, randomHashText()), frameOf(2000, hash)] }
  await post(app, `${her.url}/hashes`, { videos: [video] }, her.headers)
}

t.test('a watch is told by webhook of a matching picture or video', async (t) => {
  const endpoint = await startEndpoint(t)
  const service = await startService(t, { webhookOrigins: new Set([endpoint.origin]) })
  const { app, redis } = service
  const platform = await keyFor(service, 'platform', ['match', 'webhooks'])
  const metric = async (name: string) =>
    new RegExp(`^${name} ([\\d.]+)$`, 'm').exec((await app.inject({ url: '/metrics' })).body)?.[1]
  t.equal(await metric('tabir_messengers{state="alive"}'), '0')
  const messenger = await startMessenger(t, redis, new Set([endpoint.origin]))
  await until(async () => (await metric('tabir_messengers{state="alive"}')) === '1')
  const made = await post(app, '/v1/webhooks', { url: endpoint.url, events: ['match.found'] }, platform.headers)
  const { secret } = made.json<{ secret: string }>()
  const hashes = Array.from({ length: 5 }, randomHashText)
  const watched = await post(
    app,
    '/v1/watch',
    { watches: hashes.map((hash) => ({ signals: [{ type: 'pdq', hash: withBitsFlipped(hash, 8) }] })) },
    platform.headers,
  )
  const { watches } = watched.json<{ watches: { watchId: string }[] }>()

  for (const [i, hash] of hashes.entries()) {
    await (i === 0 ? caseWithVideo(service, hash) : caseWithPicture(service, hash))
    await until(() => endpoint.received.length > i)
    const message = endpoint.received[i]
    if (message === undefined) throw new Error('no message')
    verified(secret, message)
    t.match(message.body, {
      type: 'match.found',
      data: { watchId: watches[i]?.watchId, matchId: await matchIdOf(service, platform.headers, hash), grade: 'near' },
    })
    t.notMatch(message.text, hash)
  }
  t.equal(await metric('tabir_webhook_outbox_oldest_seconds'), '0')

  messenger.kill('SIGTERM')
  await once(messenger, 'exit')
  t.equal(await metric('tabir_messengers{state="alive"}'), '0', 'its heartbeat was removed')
  await caseWithPicture(service, withBitsFlipped(hashes[0] ?? '', 8))
  await until(async () => Number(await metric('tabir_webhook_outbox_oldest_seconds')) > 0)
})
