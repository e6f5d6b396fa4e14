import t from 'tap'
import { OPERATIONS } from '../../packages/client/src/operations.generated.js'
import { type Answer, type Args, type OperationId, tabirClient } from '../../packages/client/src/tabir-client.js'
import { SCOPES } from '../../src/domain/organisations/access.js'
import { exchangesIn } from '../../src/exchange/exchange-config.js'
import { EXAMPLES, type Example } from '../../src/http/openapi/examples.js'
import { exampleOf, type MediaTypesOf, mediaTypesIn, publicly, shapeOf, writeExamples } from '../helpers/example-calls.js'
import { EXCHANGE } from '../helpers/exchange.js'
import { scene } from '../helpers/pictures.js'
import { keyFor, startService, until } from '../helpers/service.js'
import { listen } from '../helpers/sockets.js'
import { clipForm, ffmpeg } from '../helpers/videos.js'
import { startEndpoint } from '../helpers/webhooks.js'
import { startMessenger } from '../helpers/workers.js'

// Calls every operation once. The requests and answers are the examples of openapi.yaml. For a new operation:
// call it here, then run `npm run openapi`, which writes src/http/openapi/examples.json and openapi.yaml.

const HASH = '3c6f0e1b5a9d7428c1e8f3b2a6975d04e9b1c47a20d8f65b93e7a1c05f4d826b'
const LATER = '9a1b7c3e5d2f4860b1d9e7a35c4f02861e8d7b6a953c4f20d1e7a8b9c6503f4d'
const HARMLESS = '5d3a7f10c8e24b96f1073c5ea8d249b6107fe3c95ab8d4260f7e1b93c56ad842'

const seen: Record<string, Example> = {}
/** Answers that a browser or a proxy may cache. */
const kept: string[] = []

/** Answers with a media type that the API description does not name. */
const undescribed: string[] = []
let mediaTypesOf: MediaTypesOf

async function fetchNoted(...args: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...args)
  const { pathname } = new URL(response.url)
  const [mediaType = ''] = response.headers.get('content-type')?.split(';') ?? []
  const described = mediaTypesOf(args[1]?.method ?? 'GET', pathname, response.status)
  const isNothing = mediaType === '' && described?.length === 0
  if (!isNothing && described?.includes(mediaType) !== true) undescribed.push(`${args[1]?.method} ${pathname}: ${mediaType}`)
  if (response.headers.get('cache-control') !== 'no-store') kept.push(`${args[1]?.method} ${new URL(response.url).pathname}`)
  return response
}

t.test('every operation can be called with the shape of its example, and answers a described media type', async (t) => {
  const endpoint = await startEndpoint(t)
  const origins = new Set([endpoint.origin])
  const service = await startService(t, {
    workers: true,
    webhookOrigins: origins,
    exchanges: exchangesIn(JSON.stringify({ exchanges: [EXCHANGE] })),
  })
  await startMessenger(t, service.redis, origins)
  service.services.beginPulling()
  const url = `http://127.0.0.1:${await listen(service.app)}`
  mediaTypesOf = mediaTypesIn(service.app.swagger())
  const as = (key?: string) => {
    const tabir = tabirClient({ url, fetch: fetchNoted, ...(key !== undefined && { key }) })
    return async <Op extends OperationId>(operation: Op, args: Args<Op>): Promise<Answer<Op>> => {
      const answer = await tabir.call(operation, args)
      seen[operation] ??= publicly(exampleOf(args, answer), endpoint.url)
      return answer
    }
  }
  const anybody = as()
  const ngo = as((await keyFor(service, 'ngo', SCOPES, 'ngo')).key)
  const { key: platformKey } = await keyFor(service, 'platform', SCOPES)
  const platform = as(platformKey)
  const operator = as((await keyFor(service, 'operator', SCOPES, 'operator')).key)
  const signals = [{ type: 'pdq', hash: HASH, quality: 92 }] as const

  await anybody('live', {})
  await anybody('ready', {})
  await anybody('health', {})
  await anybody('index', {})
  await anybody('explainProblem', { params: { code: 'case-unknown' } })
  await anybody('getChallenge', {})
  await anybody('getPrivacyNotice', {})
  await anybody('listLaws', {})
  await anybody('getReceiptKey', {})

  // A submitter registers a picture.
  const { caseNumber, pin, token } = await anybody('openCase', { body: { adult: true, category: 'nude' } })
  const params = { caseNumber }
  const her = as(token)
  const picture = new FormData()
  picture.append('image', new Blob([new Uint8Array((await scene(81)).bytes)], { type: 'image/jpeg' }), 'picture.jpg')
  await her('addImages', { params, body: picture })
  if (ffmpeg !== undefined) await her('addVideo', { params, body: clipForm() })
  const { images } = await her('addHashes', { params, body: { images: [{ signals }] } })
  const signalId = images[0]?.imageId ?? ''
  await her('giveNotice', {
    params,
    body: {
      laws: ['us-tida'],
      statements: ['goodFaith', 'withoutConsent', 'accurate', 'authorised'],
      actingAs: 'self',
      contact: 'ngo',
    },
  })
  await her('getNotice', { params })
  await her('getCase', { params })

  // A platform finds it and gives feedback.
  const context = 'group-7-3f9c51d20a8e64b7'
  const { results } = await platform('match', { body: { queries: [{ id: 'upload-1', context, signals }] } })
  const matchId = results[0]?.matches?.[0]?.matchId ?? ''
  await platform('matchImages', { query: { grading: 'per-upload' }, body: picture })
  await platform('verdict', { body: picture })
  if (ffmpeg !== undefined) await platform('matchVideo', { query: {}, body: clipForm() })
  await platform('getMatch', { params: { matchId } })
  await platform('giveFeedback', { params: { matchId }, body: { verdict: 'blocked' } })
  await platform('listContexts', { query: {} })
  await platform('deleteContext', { params: { context } })
  await (await platform('readFeed', { query: {} })).text()
  const ours = await ngo('match', { body: { queries: [{ signals }] } })
  await ngo('attestMatch', { params: { matchId: ours.results[0]?.matches?.[0]?.matchId ?? '' } })

  // The operator decides.
  const signal = { params: { signalId } }
  await operator('disputeSignal', { ...signal, body: { reason: 'harmless-content' } })
  await her('answerDispute', { params: { caseNumber, imageId: signalId }, body: { answer: 'shows-me-without-consent' } })
  await operator('listDisputes', { query: {} })
  await operator('decideDispute', { ...signal, body: { outcome: 'rejected' } })
  await operator('takeBackDecision', signal)
  await operator('getSignal', signal)
  await operator('verifySignal', signal)
  await operator('holdSignal', signal)
  await operator('listQuarantine', { query: {} })
  await operator('releaseSignal', signal)
  await operator('listOverdue', { query: {} })
  await operator('listEvents', { query: {} })
  await operator('listStrikes', {})
  await operator('clearStrikes', { params: { account: `org:${signalId}` } })
  // Two pictures are judged harmless and blocked; a submitter appeals against one.
  const harmless = [{ type: 'pdq', hash: HARMLESS, quality: 91 }] as const
  const alsoHarmless = [{ type: 'pdq', hash: LATER, quality: 91 }] as const
  for (const content of [harmless, alsoHarmless]) {
    const opened = await anybody('openCase', { body: { adult: true } })
    const own = as(opened.token)
    const inCase = { params: { caseNumber: opened.caseNumber } }
    const registered = await own('addHashes', { ...inCase, body: { images: [{ signals: content }] } })
    const judged = { params: { signalId: registered.images[0]?.imageId ?? '' } }
    await operator('disputeSignal', { ...judged, body: { reason: 'harmless-content' } })
    await operator('decideDispute', { ...judged, body: { outcome: 'upheld' } })
    const imageId = judged.params.signalId
    await own('appealForImage', { params: { caseNumber: opened.caseNumber, imageId } })
    await own('withdrawCase', inCase)
  }
  const again = await anybody('openCase', { body: { adult: true } })
  await as(again.token)('appeal', { params: { caseNumber: again.caseNumber }, body: { signals: harmless } })
  const { appeals } = await operator('listAppeals', { query: {} })
  await operator('decideAppeal', { params: { appealed: appeals[0]?.blockId ?? '' }, body: { outcome: 'granted' } })
  const { blocks } = await operator('listResubmissionBlocks', { query: {} })
  await operator('liftResubmissionBlock', { params: { blockId: blocks[0]?.blockId ?? '' } })
  await operator('getRegistry', {})
  await operator('listDays', { query: {} })
  await platform('listOwnDays', { query: {} })
  const made = await operator('createKey', { body: { org: 'platform', kind: 'platform', scopes: ['match', 'feedback'] } })
  const successor = await operator('rotateKey', { params: { keyId: made.keyId }, body: { overlapHours: 24 } })
  await operator('restoreKey', { params: { keyId: made.keyId } })
  await operator('revokeKey', { params: { keyId: successor.keyId } })
  await operator('listKeys', {})
  await platform('getOwnKey', {})
  await operator('listAudit', { query: {} })
  await operator('listExchanges', {})
  await operator('pullExchange', { params: { name: 'ncii-list' } })

  // An NGO submits a list.
  const bank = { params: { bank: 'NGO-1' } }
  await ngo('createBank', { body: { name: 'NGO-1' } })
  await ngo('listBanks', {})
  await ngo('changeBank', { ...bank, body: { readers: null } })
  const added = await ngo('addSignals', {
    ...bank,
    body: { signals: [{ type: 'pdq', hash: LATER, quality: 88, ref: '2026-17', category: 'nude' }] },
  })
  const { importId } = await ngo('importFile', { ...bank, body: `pdq ${LATER}\nno hash\n` })
  await ngo('listImports', bank)
  await ngo('getImport', { params: { bank: 'NGO-1', importId } })
  await ngo('exportBank', { ...bank, body: { format: 'ndjson', plain: true } })
  await ngo('removeSignal', { params: { bank: 'NGO-1', signalId: added.signals[0]?.signalId ?? '' } })

  // A platform sets up a watch and a webhook.
  const left = await platform('watch', {
    body: { days: 30, watches: [{ reference: 'upload-7731', signals: [{ type: 'pdq', hash: LATER }] }] },
  })
  const [watch] = left.watches
  await platform('listWatches', { query: {} })
  await platform('removeWatch', { params: { watchId: watch !== undefined && 'watchId' in watch ? watch.watchId : '' } })
  const { webhookId } = await platform('addWebhook', {
    body: { url: endpoint.url, events: ['match.found', 'signal.withdrawn'] },
  })
  const webhook = { params: { webhookId } }
  await platform('listWebhooks', {})
  await platform('getWebhook', webhook)
  await platform('changeWebhook', { ...webhook, body: { maxPerSecond: 5 } })
  await platform('rotateWebhookSecret', webhook)
  await platform('pingWebhook', webhook)
  const peek = tabirClient({ url, key: platformKey })
  await until(
    async () => (await peek.call('listWebhookDeliveries', { ...webhook, query: {} })).deliveries[0]?.state === 'delivered',
  )
  const { deliveries } = await platform('listWebhookDeliveries', { ...webhook, query: {} })
  const [delivery] = deliveries
  await platform('replayWebhookDelivery', { params: { webhookId, deliveryId: idOf(delivery) } })
  await platform('removeWebhook', webhook)

  // An NGO opens a case for a submitter and hands it over.
  const assisted = await ngo('openAssistedCase', {
    body: { adult: true, consent: { kind: 'in-writing', on: '2026-01-05' }, attest: true },
  })
  const theirs = { params: { caseNumber: assisted.caseNumber } }
  await ngo('noteComplaint', { ...theirs, body: { reference: 'PJ/2026/17' } })
  await ngo('checkComplaint', { ...theirs, body: { reference: 'PJ/2026/17' } })
  await ngo('listOwnOverdue', { query: {} })
  await ngo('listWaitingAttestations', { query: {} })
  const handed = await ngo('handOverCase', { ...theirs, body: { keepReading: true } })
  const taken = await anybody('openCaseByPin', { ...theirs, body: { pin: handed.pin } })
  await as(taken.token)('endReading', theirs)

  // The submitter reads her case and withdraws it.
  await her('getCaseEvents', { params })
  await her('exportCase', { params })
  await her('getHashes', { params, query: {} })
  await her('findInCase', { params, body: { hashes: [HASH] } })
  await her('getReport', { params, query: {} })
  await anybody('openCaseByPin', { params, body: { pin } })
  await her('renewCase', { params })
  await her('pauseCase', { params })
  await her('resumeCase', { params })
  await her('stopWishes', { params })
  await her('changePin', { params })
  await her('withdrawCase', { params })
  await her('getReceipt', { params })

  t.same(
    Object.keys(OPERATIONS).filter((id) => !(id in seen) && (ffmpeg !== undefined || !id.endsWith('Video'))),
    [],
    'every operation was called',
  )
  t.same(undescribed, [], 'every answer has a described media type')
  t.same(kept, [], 'no answer is cacheable: it may contain a PIN, a key or a case')
  if (process.env['TAP_SNAPSHOT'] === '1') return writeExamples(seen)
  for (const [id, example] of Object.entries(seen))
    t.same(
      shapeOf(EXAMPLES[id]?.body),
      shapeOf(example.body),
      `the example of ${id} has the shape of the body sent; update it with npm run openapi`,
    )
})

function idOf(delivery: object | undefined): string {
  const id: unknown = delivery !== undefined && 'deliveryId' in delivery ? delivery.deliveryId : undefined
  return typeof id === 'string' ? id : ''
}
