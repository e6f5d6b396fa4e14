// Under overload, refuses bulk requests of programs before their body is read; never a person's. Queues admitted ones fairly.

import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { RouteScope } from '../../domain/organisations/access.js'
import { Problem } from '../../domain/problem.js'
import type { Admission, Shortage } from '../../services/load/admission.js'
import type { EventLoopScheduler } from '../../services/load/event-loop-scheduler.js'
import { createArrivingPictures } from '../arriving-pictures.js'
import { createEarlyRefusals, type EarlyRefusalParts, refuseBefore } from '../early-refusals.js'

export interface AdmissionOptions {
  readonly admission: Admission
  readonly scheduler: Pick<EventLoopScheduler, 'begin'>
  readonly onShed: (shortage: Shortage) => void
  /** Refuses most requests before Fastify handles them; absent if every request must be traced. */
  readonly early?: Pick<EarlyRefusalParts, 'headers' | 'note'> | undefined
}

const RETRY_AFTER_S = 1

/**
 * Programs send these requests in bulk and can retry, so they are refused first. All others are always admitted, and only rate limits bound them:
 * requests to open, follow or withdraw a case, also by an NGO for someone; feedback; operators; probes.
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
  'feed:all-views': true,
  'signals:write': true,
}

/** Deletions are never refused, because they withdraw something. */
export function isSheddable(method: string, scope: RouteScope | undefined): boolean {
  return scope !== undefined && method !== 'DELETE' && IN_BULK[scope]
}

export const admission = fp<AdmissionOptions>(
  async (app, { admission, scheduler, onShed, early }) => {
    const coming = createArrivingPictures(() => performance.now())
    const problemFor = (pictures: boolean, request: IncomingMessage, response: ServerResponse) => {
      const shortage = admission.shortageFor({ pictures, coming: pictures ? coming.count() : 0 })
      if (shortage === undefined) {
        if (pictures) coming.note(request, response)
        return undefined
      }
      onShed(shortage)
      return new Problem('overloaded', { retryAfterS: RETRY_AFTER_S })
    }
    // Admitting counts a request, so one that was admitted early must not be judged again.
    const letIn = new WeakSet<IncomingMessage>()
    if (early !== undefined) {
      const refusals = createEarlyRefusals({
        ...early,
        problemFor: ({ pictures }, request, response) => problemFor(pictures, request, response),
        onAdmitted: (request) => letIn.add(request),
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
      await scheduler.begin()
    })
  },
  { name: 'admission', fastify: '5.x' },
)
