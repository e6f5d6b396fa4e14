// Why a request failed, in a sentence.

import { type Said, say, sayMoment, sayTime } from '../messages.js'
import type { Failure } from './requests.js'

/** The sentence for a request that failed. */
export function sentenceFor(failure: Failure, retryAt?: Date): Said {
  if (failure.kind === 'rejected') return sentenceForRefusal(failure)
  if (failure.kind !== 'busy') return say(`run.net.${failure.kind}`)
  return say('run.net.busy', { time: sayTime(retryAt ?? new Date()) })
}

function sentenceForRefusal({ code, retryAfterS }: Extract<Failure, { readonly kind: 'rejected' }>): Said {
  if (isOver(code)) return say('run.case.over')
  if (code === 'consent-needed') return say('run.net.consent')
  if (code === 'account-suspended') return say('run.net.suspended')
  if (code !== 'case-full') return say('run.net.closed')
  if (retryAfterS === undefined) return say('run.net.full')
  return say('run.net.tomorrow', { date: sayMoment(new Date(Date.now() + 1000 * retryAfterS).toISOString()) })
}

/** The token has grown old, or the PIN was changed elsewhere. */
function isOver(code: string): boolean {
  return code === 'case-unknown' || code === 'token-missing'
}
