// What the store keeps of a case, and what its export says: each key and field is in the export, or listed here with the reason why it is not.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import { idBytes } from '../../packages/core/src/ids.js'
import { decodeImage, imageContext } from '../../src/store/images/image-record.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { contentsOf } from '../helpers/canary-world.js'
import { rowsOf } from '../helpers/inventory.js'
import { keyFor, randomHashText, SEAL_KEY, startService } from '../helpers/service.js'
import { ask, matchIdOf } from '../helpers/trust.js'

const inventory = rowsOf(readFileSync(join(import.meta.dirname, '../../../docs/data-inventory.md'), 'utf8'))

/** Where the export says it. Each of these has a value in the export of the filled case. */
const TOLD: Readonly<Record<string, string>> = {
  'case:<id> state': 'case.state',
  'case:<id> createdAtMs': 'case.createdAt',
  'case:<id> expiresAtMs': 'case.expiresAt',
  'case:<id> category': 'case.category',
  'case:<id> extendedProtection': 'case.extendedProtection',
  'case:<id> complaint': 'case.complaint',
  'case:<id> consentKind': 'case.assisted.consent.kind',
  'case:<id> consentOn': 'case.assisted.consent.on',
  'case:<id> handedOverAtMs': 'case.assisted.handedOverAt',
  'case:<id> isAttested': 'case.assisted.attested',
  'case:<id> keepsReading': 'case.assisted.readsSince',
  'case:<id> orgId': 'case.assisted.organisation',
  'assisted:<org>': 'case.assisted.organisation',
  'case:<id> vouchedFor': 'images.attestations',
  'case:<id> hashes': 'images.hashes.pdq',
  'case:<id> endWishAtMs': 'case.endsAt',
  'case:<id> nextFromMs': 'case.newPinFrom',
  'case:<id> pausedUntilMs': 'case.pausedUntil',
  'case:<id> pinGuesses': 'events.attempts',
  'case:<id> failures': 'events.attempts',
  'case:<id>:events': 'events.kind',
  'case:<id>:images': 'images.imageId',
  'case:<id>:notice actingAs': 'notice.actingAs',
  'case:<id>:notice contactOrgId': 'notice.contact',
  'case:<id>:notice givenAtMs': 'notice.givenAt',
  'case:<id>:notice laws': 'notice.laws',
  'case:<id>:notice statements': 'notice.statements',
  noticed: 'notice.laws',
  'case-schedule': 'case.expiresAt',
  'hold-schedule': 'case.pausedUntil',
  'deadlines:<image>': 'images.deadlines.met',
  'images:# category': 'images.category',
  'images:# createdAtMs': 'images.registeredAt',
  'images:# tier': 'images.tier',
  'trust:# answer': 'images.dispute.answer',
  'trust:# attestedBy': 'images.attestations',
  'trust:# circulation': 'images.recognition',
  'trust:# decidedAtMs': 'images.dispute.decidedAt',
  'trust:# dispute': 'images.dispute.state',
  'trust:# disputedAtMs': 'images.dispute.openedAt',
  'trust:# heldAtMs': 'images.heldSince',
  'trust:# heldFor': 'images.recognition',
  'trust:# pause': 'case.pausedUntil',
  'trust:# reasons': 'images.dispute.reasons',
  'trust:# settled': 'images.dispute.settled',
  'trust:# stoppedViews': 'images.recognition',
  'trust:# verdicts': 'images.verdicts.blocked',
  'trust:# verifiedAtMs': 'images.verifiedAt',
  'trust-statuses:#': 'images.recognition',
  disputes: 'images.disputed',
  quarantine: 'images.heldSince',
  appeals: 'images.appeal',
  'told:<image>': 'images.recipients.told',
  'match-events:<image>': 'images.recipients.told',
  'watch-told:<org>:<image>': 'images.recipients.watching',
  'watch-told-orgs:<image>': 'images.recipients.watching',
  'fetched:#': 'images.recipients.fetched',
  'fetched-by:#': 'images.recipients.fetched',
  'feed-waiting': 'images.recipients.inFeed',
  'feed-batch:<revision>': 'images.recipients.inFeed',
}

/** Why the export does not say it. */
const NOT_TOLD: Readonly<Record<string, string>> = {
  'images:# signals': 'hashes: GET …/hashes gives them to the recovery code alone',
  'images:# details': 'as the hashes',
  'case:<id> pin': 'protects the case',
  'case:<id> recoveryCode': 'protects the case',
  'case:<id> nextPin': 'protects the case',
  'case:<id> nextRecoveryCode': 'protects the case',
  'case:<id> handoverSeed': 'gives the PIN of the handover',
  'case-token:<hash>': 'a digest of a token that opens the case',
  'case:<id> auditName': 'a random name: it finds the case in the audit log, which operators read',
  'case:<id> pinChanges': 'a number that ends old tokens; the time line has the changes',
  'case:<id> failureDay': 'where to count on; the time line has the failures',
  'case:<id> failureEvents': 'where to count on; the time line has the failures',
  'images:# bank': 'the same for all cases',
  'images:# caseId': 'a keyed digest of the case number',
  'trust:# flood': 'how often others upload copies: somebody who floods a picture would learn how far to go',
  'trust:# toleratedFlood': 'as flood',
  changes: 'numbers of changes with ids of images; no more than their times, which events has',
  events: 'what operators and webhooks were told, by ids: the time line has it',
  'webhook-outbox': 'as events, for moments',
  'audit-due': 'acts of operators and organisations, for a second',
  audit: 'acts of operators and organisations, under the random name',
  'strikes:org:<id>': 'of an organisation; dispute says that it was upheld',
  'limit:<limit>:<id>:<window>': 'requests in the last minute or day',
}

async function filledCase(t: Parameters<typeof startService>[0]) {
  const service = await startService(t, { extendedProtection: true })
  const [platform, ngo, boss] = [
    await keyFor(service, 'platform'),
    await keyFor(service, 'ngo', undefined, 'ngo'),
    await keyFor(service, 'operator', undefined, 'operator'),
  ]
  const done = async (...request: [...Parameters<typeof ask>]) => {
    const answer = await ask(...request)
    if (answer.statusCode >= 300) throw new Error(`${request[1]} ${request[2]}: ${answer.body}`)
    return answer.body === '' ? undefined : answer.json()
  }
  const [hash, judgedHash] = [randomHashText(), randomHashText()]
  const signals = [{ type: 'pdq', hash, quality: 90 }]
  await done(service, 'POST', '/v1/watch', platform.headers, { watches: [{ signals: [{ type: 'pdq', hash }] }], days: 1 })
  const consent = { kind: 'in-person', on: '2026-01-31' }
  const opened = await done(service, 'POST', '/v1/assisted-cases', ngo.headers, {
    adult: true,
    consent,
    attest: true,
    category: 'nude',
    extendedProtection: true,
  })
  const url = `/v1/cases/${opened.caseNumber}`
  await done(service, 'PUT', `${url}/complaint`, ngo.headers, { reference: 'PJ/1' })
  const { pin, recoveryCode } = await done(service, 'POST', `${url}/handover`, ngo.headers, { keepReading: true })
  const tokenBy = async (secret: string) => {
    const { token } = await done(service, 'POST', `${url}/tokens`, {}, { pin: secret })
    return { authorization: `Bearer ${token}` }
  }
  await ask(service, 'POST', `${url}/tokens`, {}, { pin: pin === '000000' ? '000001' : '000000' })
  const [byPin, hers] = [await tokenBy(pin), await tokenBy(recoveryCode)]
  const images = [signals, [{ type: 'pdq', hash: judgedHash, quality: 90 }]].map((each) => ({
    signals: each,
    category: 'nude',
  }))
  const registered = await done(service, 'POST', `${url}/hashes`, hers, { images })
  const [imageId, judgedId] = registered.images.map((image: { imageId: string }) => image.imageId)
  const statements = ['goodFaith', 'withoutConsent', 'accurate', 'authorised']
  await done(service, 'PUT', `${url}/notice`, hers, { laws: ['us-tida'], statements, actingAs: 'self', contact: 'ngo' })
  const matchId = await matchIdOf(service, platform.headers, hash)
  await service.services.settled()
  await done(service, 'GET', '/stopncii/v1/FetchHashes', { 'x-functions-key': platform.key })
  await done(service, 'POST', `/v1/matches/${await matchIdOf(service, ngo.headers, hash)}/attestation`, ngo.headers)
  await done(service, 'POST', `/v1/matches/${matchId}/feedback`, platform.headers, { verdict: 'blocked' })
  await done(service, 'POST', `/v1/signals/${imageId}/dispute`, boss.headers, { reason: 'other' })
  await done(service, 'POST', `/v1/signals/${imageId}/dispute/decision`, boss.headers, { outcome: 'rejected' })
  for (const id of [imageId, judgedId])
    await done(service, 'POST', `/v1/signals/${id}/dispute`, boss.headers, { reason: 'harmless-content' })
  await done(service, 'PUT', `${url}/images/${imageId}/answer`, hers, { answer: 'shows-me-without-consent' })
  await done(service, 'POST', `/v1/signals/${judgedId}/dispute/decision`, boss.headers, { outcome: 'upheld' })
  await done(service, 'POST', `${url}/images/${judgedId}/appeal`, hers)
  await done(service, 'POST', `/v1/signals/${imageId}/verification`, boss.headers)
  await done(service, 'POST', `/v1/signals/${imageId}/quarantine`, boss.headers)
  await done(service, 'PUT', `${url}/pause`, hers)
  await done(service, 'POST', `${url}/pin`, byPin)
  await done(service, 'DELETE', url, byPin)
  return { service, url, headers: hers, imageIds: [imageId, judgedId] as string[] }
}

t.test('the export says everything that is kept of a case, or it is listed why not', async (t) => {
  const { service, url, headers, imageIds } = await filledCase(t)
  const told = (await ask(service, 'GET', `${url}/export`, headers)).json()
  const client = new Redis(service.redis.socket)
  t.teardown(() => client.disconnect())
  const found = await keptOf(client, imageIds)

  const listed = [...Object.keys(TOLD), ...Object.keys(NOT_TOLD)]
  t.same(
    found.filter((each) => !listed.includes(each)),
    [],
    'neither told nor listed',
  )
  t.same(
    Object.keys(TOLD).filter((each) => !found.includes(each)),
    [],
    'not kept any more, or not in this case',
  )
  t.same(
    Object.keys(TOLD).filter((each) => !isIn(told, TOLD[each] ?? '')),
    [],
    'not in the export',
  )
})

/** The names of the inventory for everything that has the id of the case or of one of its images, with fields where it has some. */
async function keptOf(client: Redis, imageIds: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  const [caseId = ''] = (await client.keys(`${keys.prefix}case:*:images`)).map((key) => key.split(':')[2])
  const ids = imageIds.map((id) => Buffer.from(idBytes(id)))
  const needles = [
    Buffer.from(caseId),
    ...imageIds.map((id) => Buffer.from(id)),
    ...ids,
    ...ids.map((id) => Buffer.from(id.toString('hex'))),
  ]
  for (const key of await client.keysBuffer('*')) {
    const bytes = Buffer.concat([key, await contentsOf(client, key)])
    if (!needles.some((needle) => bytes.includes(needle))) continue
    const name = key.toString('latin1').slice(keys.prefix.length)
    const rows = inventory.filter(({ pattern }) => pattern.test(name))
    const row = (rows.find((each) => !each.name.endsWith('*')) ?? rows[0])?.name ?? name.replace(/[0-9a-f-]{36}/, '<id>')
    const fields = await fieldsOf(client, row, key, ids)
    for (const each of fields.length === 0 ? [row] : fields.map((field) => `${row} ${field}`)) found.add(each)
  }
  return [...found].sort()
}

/** The fields of records that have many, of each their own. */
async function fieldsOf(client: Redis, row: string, key: Buffer, ids: readonly Buffer[]): Promise<string[]> {
  const values = async () => (await Promise.all(ids.map((id) => client.hgetBuffer(key, id)))).filter((each) => each !== null)
  if (row === 'case:<id>') return client.hkeys(key)
  if (row === 'case:<id>:notice') return Object.keys(JSON.parse((await client.get(key)) ?? '{}'))
  if (row.startsWith('trust:'))
    return (await values()).flatMap((value) => Object.keys(JSON.parse(value.subarray(value.indexOf(':') + 1).toString())))
  if (!row.startsWith('images:')) return []
  const keyring = makeKeyring([SEAL_KEY])
  const records = await Promise.all(
    ids.map(async (id) => {
      const sealed = await client.hgetBuffer(key, id)
      return sealed === null ? {} : decodeImage(keyring.unseal(sealed, imageContext(id)))
    }),
  )
  return records.flatMap((record) => Object.keys(record).filter((name) => Reflect.get(record, name) !== undefined))
}

/** Whether a path such as `images.hashes` leads to a value, in one of the entries of a list. */
function isIn(value: unknown, path: string): boolean {
  if (Array.isArray(value)) return value.some((each) => isIn(each, path))
  if (path === '') return value !== undefined && value !== null && value !== '0' && value !== 0
  if (typeof value !== 'object' || value === null) return false
  const [name = '', ...rest] = path.split('.')
  return isIn(Reflect.get(value, name), rest.join('.'))
}
