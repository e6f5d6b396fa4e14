// Requests to an API, and how a step may interpret the answers.

import { patience } from '../faults/patience.js'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly body?: string
}

export interface Answer {
  /** 0 when there was none: the request may have been processed. */
  readonly status: number
  readonly text: string
  readonly json: unknown
}

/** No request may take longer, whatever happens to the service: the store is waited for 3 s. */
const HUNG_AFTER_MS = 30_000
/** For a file of many thousand lines. */
const FILE_HUNG_AFTER_MS = 240_000
const FILE_CHARS = 100_000
const NO_ANSWER: Answer = { status: 0, text: '', json: undefined }

export async function call(url: string, { method, path, key, headers, json, body }: Call): Promise<Answer> {
  const payload = json === undefined ? body : JSON.stringify(json)
  const { signal, end } = patience((payload?.length ?? 0) > FILE_CHARS ? FILE_HUNG_AFTER_MS : HUNG_AFTER_MS)
  try {
    const response = await fetch(url + path, {
      method,
      signal,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload !== undefined && { body: payload }),
    })
    const text = await response.text()
    return { status: response.status, text, json: parsed(text) }
  } catch {
    return NO_ANSWER
  } finally {
    end()
  }
}

/** Done, and to be relied on. */
export function isDone({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

/** Done or not: a refusal to be retried, or no answer. HMA's routes answer 500 in some cases where others answer 503. */
export function isUnsure({ status }: Answer): boolean {
  return status === 0 || status === 429 || status >= 500
}

export function codeOf({ text }: Answer): string | undefined {
  return /^\{"type":"\/problems\/([a-z-]+)"/.exec(text)?.[1]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
