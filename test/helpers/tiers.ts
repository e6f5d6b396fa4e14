// The tier of a signal in the feed and in an export.

import { z } from 'zod'
import { TIER_NAMES } from '../../packages/core/src/matching/signal.js'
import type { TestService } from './service.js'
import { ask } from './trust.js'

const Told = z.object({ hash: z.string(), tier: z.enum(TIER_NAMES) })
const FeedLine = z.object({
  op: z.string(),
  tier: z.enum(TIER_NAMES).optional(),
  signals: z.array(z.object({ hash: z.string() })).optional(),
})
type Headers = Readonly<Record<string, string>>

/** Tiers in a snapshot of the feed. */
export async function bankRecords(service: TestService, headers: Headers, hash: string) {
  const { body } = await ask(service, 'GET', '/v1/feed', headers)
  const lines = body.trim().split('\n')
  const all = lines.map((line) => FeedLine.parse(JSON.parse(line)))
  return all.filter(({ signals }) => signals?.some((signal) => signal.hash === hash)).map(({ tier }) => tier)
}

export async function exported(service: TestService, headers: Headers, bank: string, hash: string) {
  const { body } = await ask(service, 'POST', `/v1/banks/${bank}/exports`, headers, { format: 'ndjson', plain: true })
  const lines = body.trim().split('\n')
  return lines.map((line) => Told.parse(JSON.parse(line))).find((line) => line.hash === hash)?.tier
}
