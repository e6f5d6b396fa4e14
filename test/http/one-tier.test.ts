// A signal has the same tier in matches, feed and export, after any resubmission and any feedback.

import t from 'tap'
import type { Tier } from '../../packages/core/src/matching/signal.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { bankRecords, exported } from '../helpers/tiers.js'
import { ask, feedback, matchesOf, operator, platform } from '../helpers/trust.js'

const service = await startService(t)
const beside = await startService(t, { redis: service.redis })
const helper = await keyFor(service, 'helper', ['signals:write', 'feed'], 'ngo')
const one = await platform(service, 'one')
const two = await platform(service, 'two')
const reader = await keyFor(service, 'reader', ['feed', 'match'])
const boss = await operator(service)
await ask(service, 'POST', '/v1/banks', helper.headers, { name: 'mine' })

/** Imports a signal as reviewed or as not reviewed. */
async function handIn(hash: string, isReviewed: boolean): Promise<void> {
  const category = isReviewed ? 'POSITIVE_CLASS' : 'INVESTIGATION_SEED'
  const file = `signal_type,signal_str,collab,category,tags\npdq,${hash},c,${category},\n`
  const headers = { ...helper.headers, 'content-type': 'text/csv' }
  const answer = await ask(service, 'POST', '/v1/banks/mine/imports', headers, file)
  t.match(answer.json(), { accepted: 1 })
}

/** Expects this tier in matches of both processes and in the feed. */
async function isEverywhere(hash: string, tier: Tier): Promise<void> {
  await until(async () => (await beside.services.health.behind()) === 0)
  for (const process of [service, beside])
    t.same(
      (await matchesOf(process, reader.headers, hash)).map((match) => match.tier),
      [tier],
      'a match',
    )
  const told = await bankRecords(service, reader.headers, hash)
  t.same(told, [tier], 'the feed')
}

t.test('importing a signal again as reviewed raises its tier in matches, feed and export', async (t) => {
  const hash = randomHashText()
  await handIn(hash, false)
  await isEverywhere(hash, 'self-reported')
  await handIn(hash, true)
  await isEverywhere(hash, 'ngo-attested')
  t.equal(await exported(service, helper.headers, 'mine', hash), 'ngo-attested', 'an export')
  const restarted = await startService(t, { redis: service.redis })
  t.match(
    await matchesOf(restarted, reader.headers, hash),
    [{ tier: 'ngo-attested' }],
    'also on a process that starts later',
  )
})

t.test('importing a signal again as reviewed raises its tier after platforms reversed their verdicts', async () => {
  const hash = randomHashText()
  await handIn(hash, false)
  for (const caller of [one, two]) await feedback(service, caller, hash, { verdict: 'blocked' })
  await isEverywhere(hash, 'platform-confirmed')
  await feedback(service, one, hash, { verdict: 'not-blocked' })
  await feedback(service, two, hash, { verdict: 'not-blocked' })
  await isEverywhere(hash, 'self-reported')
  await handIn(hash, true)
  await isEverywhere(hash, 'ngo-attested')
})

t.test('a signal that is resubmitted as reviewed while held has the new tier after its release', async (t) => {
  const hash = randomHashText()
  await handIn(hash, false)
  const signalId = await idOf(hash)
  await ask(service, 'POST', `/v1/signals/${signalId}/quarantine`, boss.headers)
  t.same(await matchesOf(service, reader.headers, hash), [])
  await handIn(hash, true)
  await ask(service, 'DELETE', `/v1/signals/${signalId}/quarantine`, boss.headers)
  await isEverywhere(hash, 'ngo-attested')
})

async function idOf(hash: string): Promise<string> {
  const answer = await ask(service, 'POST', '/v1/banks/mine/exports', helper.headers, { format: 'ndjson', plain: true })
  const lines = answer.body.trim().split('\n')
  const line = lines.map((text): { hash: string; signalId: string } => JSON.parse(text)).find((each) => each.hash === hash)
  if (line === undefined) throw new Error('it was handed in')
  return line.signalId
}
