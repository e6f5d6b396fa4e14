// Requests to the service, and whether they were answered.

import { z } from 'zod'
import { patience } from './patience.js'

/** No request may take longer, whatever happens to the service: a picture waits 30 s for a worker, the store 3 s. */
const HUNG_AFTER_MS = 40_000

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly body?: Buffer
}

export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly json: unknown; readonly code: string | undefined }
  /** The connection ended first: the request may or may not have been processed. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'hung' }

const ProblemBody = z.object({ type: z.string().regex(/^\/problems\/[a-z-]+$/) })

export async function ask(url: string, { method, path, headers, json, body }: Call): Promise<Reply> {
  const { signal, end } = patience(HUNG_AFTER_MS)
  try {
    const response = await fetch(url + path, {
      method,
      signal,
      headers: { ...headers, ...(json !== undefined && { 'content-type': 'application/json' }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      ...(body !== undefined && { body: new Uint8Array(body) }),
    })
    const text = await response.text()
    const parsed: unknown = text === '' ? undefined : JSON.parse(text)
    const problem = ProblemBody.safeParse(parsed)
    const code = problem.success ? problem.data.type.slice('/problems/'.length) : undefined
    return { kind: 'answer', status: response.status, json: parsed, code }
  } catch {
    return { kind: signal.aborted ? 'hung' : 'broken' }
  } finally {
    end()
  }
}

/** A refusal to be retried: a fault may cause it for any request. */
export function isNotNow(reply: Reply): boolean {
  return reply.kind !== 'answer' || reply.status === 503 || reply.status === 429
}

export function is(reply: Reply, status: number): reply is Extract<Reply, { kind: 'answer' }> {
  return reply.kind === 'answer' && reply.status === status
}
