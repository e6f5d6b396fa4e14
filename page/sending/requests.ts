// Requests to the service, and why they fail.

/**
 * Why there is no answer. offline: the device has no connection. away: the server does not answer, or says that it cannot now. busy: it has too
 * much to do. fault: a fault of the server, or an answer that explains nothing. rejected: for the reason `code`.
 */
export type Failure =
  | { readonly kind: 'offline' | 'fault' }
  | { readonly kind: 'away' | 'busy'; readonly retryAfterS: number | undefined }
  | { readonly kind: 'rejected'; readonly code: string; readonly retryAfterS: number | undefined }

export type Answer<T> = { readonly value: T } | { readonly failure: Failure }

const TIMEOUT_MS = 120_000
/** The service answers, and says that it has no room now or that it is still at an earlier try. That says nothing against a file. */
const BUSY = ['rate-limited', 'overloaded', 'idempotency-key-busy'] as const

interface Content {
  readonly token?: string
  /** Of idempotency: the same for each try. */
  readonly key?: string
  readonly json?: unknown
  /** How the answer is read. */
  readonly as?: 'json' | 'blob' | 'stream'
  readonly afterId?: string
  readonly signal?: AbortSignal
}

export async function ask<T>(method: string, path: string, content: Content): Promise<Answer<T>> {
  const { json, as = 'json', signal } = content
  try {
    const response = await fetch(path, {
      method,
      headers: headersOf(content),
      ...(json !== undefined && { body: JSON.stringify(json) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
    })
    if (isForeign(response)) return { failure: noAnswer() }
    if (response.ok) return { value: await read(response, as) }
    return {
      failure: failureOf(response.status, response.headers.get('retry-after'), await response.text().catch(() => '')),
    }
  } catch {
    return { failure: noAnswer() }
  }
}

function headersOf({ token, key, json, as, afterId }: Content): Record<string, string> {
  return {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(json !== undefined && { 'content-type': 'application/json' }),
    ...(as === 'stream' && { accept: 'text/event-stream' }),
    ...(afterId !== undefined && { 'last-event-id': afterId }),
  }
}

/**
 * Sends a file. It stops only when no progress is made: a large file on a slow line takes many minutes. `fetch` reports no progress. The page's
 * policy allows requests and redirects to this service only.
 * @param answerTimeoutMs how long the answer may take once all of it was sent.
 */
export function upload<T>(
  path: string,
  access: Pick<Content, 'token' | 'key'>,
  { field, file }: { readonly field: string; readonly file: Blob },
  answerTimeoutMs = TIMEOUT_MS,
): Promise<Answer<T>> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    for (const [name, value] of Object.entries(headersOf(access))) request.setRequestHeader(name, value)
    let stalled: ReturnType<typeof setTimeout> | undefined
    const waitFor = (timeoutMs: number) => {
      clearTimeout(stalled)
      stalled = setTimeout(() => request.abort(), timeoutMs)
    }
    waitFor(TIMEOUT_MS)
    request.upload.addEventListener('progress', () => waitFor(TIMEOUT_MS))
    request.upload.addEventListener('load', () => waitFor(answerTimeoutMs))
    request.addEventListener('loadend', () => {
      clearTimeout(stalled)
      resolve(answered(request))
    })
    request.send(formOf(field, file))
  })
}

function answered<T>(request: XMLHttpRequest): Answer<T> {
  const { status, responseText } = request
  if (status === 0) return { failure: noAnswer() }
  if (status >= 300) return { failure: failureOf(status, request.getResponseHeader('retry-after'), responseText) }
  try {
    return { value: JSON.parse(responseText) }
  } catch {
    return { failure: noAnswer() } // it broke off
  }
}

function formOf(field: string, file: Blob): FormData {
  const form = new FormData()
  form.append(field, new Blob([file], { type: 'application/octet-stream' }), field)
  return form
}

/** A network with a sign-in page answers with its own page, as if the request had succeeded. */
function isForeign({ ok, status, headers }: Response): boolean {
  return ok && (status === 204 || headers.get('content-type')?.startsWith('text/html') === true)
}

function noAnswer(): Failure {
  return navigator.onLine ? { kind: 'away', retryAfterS: undefined } : { kind: 'offline' }
}

function read(response: Response, as: 'json' | 'blob' | 'stream') {
  if (as === 'stream') return response.body
  return as === 'blob' ? response.blob() : response.json()
}

/** A proxy in front of the service answers without a code of ours. Its 403 and 404 say nothing about the case. */
function failureOf(status: number, retryAfter: string | null, body: string): Failure {
  const after = Number(retryAfter ?? Number.NaN)
  const retryAfterS = Number.isFinite(after) && after >= 0 ? after : undefined
  const code = codeIn(body)
  if ((status === 429 && code === undefined) || BUSY.some((each) => each === code)) return { kind: 'busy', retryAfterS }
  if ((status > 500 && code !== 'video-unavailable') || status === 408) return { kind: 'away', retryAfterS }
  return status === 500 || code === undefined ? { kind: 'fault' } : { kind: 'rejected', code, retryAfterS }
}

function codeIn(body: string): string | undefined {
  try {
    const { code }: { readonly code?: unknown } = JSON.parse(body) ?? {}
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}
