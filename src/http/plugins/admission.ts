// Refuses, before anything is read, what a program can ask again, when there is more to do than can be done. Never a person's request.

import fp from 'fastify-plugin'
import type { Scope } from '../../domain/access.js'
import { Problem } from '../../domain/problem.js'
import type { Admission, Shortage } from '../../services/admission.js'

export interface AdmissionOptions {
  readonly admission: Admission
  readonly onShed: (shortage: Shortage) => void
}

const RETRY_AFTER_S = 1

/**
 * Programs ask in bulk, and can wait: what they ask is the first to go. Someone who opens a case, hands in a picture or withdraws, an
 * NGO that does it for her, what was decided about a match, an operator, probes: those are let in always, and bounded by the limits.
 */
const IN_BULK: Readonly<Record<Scope | 'case' | 'public', boolean>> = {
  public: false,
  case: false,
  'cases:write': false,
  feedback: false,
  webhooks: false,
  admin: false,
  match: true,
  'match:distance': true,
  feed: true,
  'signals:write': true,
}

/** What takes something back is never put off. */
export function isSheddable(method: string, scope: Scope | 'case' | 'public' | undefined): boolean {
  return scope !== undefined && method !== 'DELETE' && IN_BULK[scope]
}

export const admission = fp<AdmissionOptions>(
  async (app, { admission, onShed }) => {
    app.addHook('onRequest', async ({ method, routeOptions: { config } }) => {
      if (!isSheddable(method, config.scope)) return
      const shortage = admission.shortageFor({ pictures: config.multipart === true })
      if (shortage === undefined) return
      onShed(shortage)
      throw new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
    })
  },
  { name: 'admission', fastify: '5.x' },
)
