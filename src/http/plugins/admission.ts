// Refuses, before anything is read, what a program can ask again, when there is more to do than can be done; and has what it lets in wait
// for its turn. Never a person's request.

import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { RouteScope } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { Admission, Shortage } from '../../services/load/admission.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import { comingPictures } from '../coming-pictures.js'
import { type EarlyRefusalParts, earlyRefusals, refuseBefore } from '../early-refusals.js'

export interface AdmissionOptions {
  readonly admission: Admission
  readonly scheduler: Pick<EventLoopScheduler, 'begin'>
  readonly onShed: (shortage: Shortage) => void
  /** To refuse most of it before a request is made of it; nothing where each request has to be traced. */
  readonly early?: Pick<EarlyRefusalParts, 'headers' | 'note'> | undefined
}

const RETRY_AFTER_S = 1

/**
 * Programs ask in bulk, and can wait: what they ask is the first to go. Someone who opens a case, hands in a picture or withdraws, an
 * NGO that does it for her, what was decided about a match, an operator, probes: those are let in always, and bounded by the limits.
 */
const IN_BULK: Readonly<Record<RouteScope, boolean>> = {
  public: false,
  key: false,
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
export function isSheddable(method: string, scope: RouteScope | undefined): boolean {
  return scope !== undefined && method !== 'DELETE' && IN_BULK[scope]
}

export const admission = fp<AdmissionOptions>(
  async (app, { admission, scheduler, onShed, early }) => {
    const coming = comingPictures(() => performance.now())
    const problemFor = (pictures: boolean, request: IncomingMessage, response: ServerResponse) => {
      const shortage = admission.shortageFor({ pictures, coming: pictures ? coming.count() : 0 })
      if (shortage === undefined) {
        if (pictures) coming.note(request, response)
        return undefined
      }
      onShed(shortage)
      return new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
    }
    // Who is let in to find out whether he has to be is let in once; asked about again, he would be refused.
    const letIn = new WeakSet<IncomingMessage>()
    if (early !== undefined) {
      const refusals = earlyRefusals({
        ...early,
        problemFor: ({ pictures }, request, response) => problemFor(pictures, request, response),
        letIn: (request) => letIn.add(request),
      })
      app.addHook('onRoute', ({ method, url, config }) => {
        const { scope, multipart } = config ?? {}
        for (const each of [method].flat())
          if (isSheddable(each, scope)) refusals.add(each, url, { pictures: multipart === true })
      })
      refuseBefore(app, refusals)
    }
    app.addHook('onRequest', async ({ method, raw, routeOptions: { config } }, reply) => {
      if (!isSheddable(method, config.scope)) return
      const problem = letIn.has(raw) ? undefined : problemFor(config.multipart === true, raw, reply.raw)
      if (problem !== undefined) throw problem
      const turn = scheduler.begin()
      if (turn !== undefined) await turn
    })
  },
  { name: 'admission', fastify: '5.x' },
)
