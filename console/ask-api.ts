// Asks the service's own API with the key that was typed in. The key is an argument of this function, and kept nowhere else.

/** An answer, or why there is none, as a sentence. `status` is 0 when nothing answered. */
export type Outcome<T> = { readonly value: T } | { readonly problem: string; readonly status: number }

export interface Api {
  /** Aborts when an answer says that the key opens nothing: it was revoked, has expired, or may not be used from here. */
  readonly refused: AbortSignal
  /** The time of the service's clock, as of its last answer: that of the device may be wrong by a year. */
  readonly nowMs: () => number
  get<T>(path: string): Promise<Outcome<T>>
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Outcome<T>>
  /** A file as it is, for however long it takes. */
  upload<T>(path: string, upload: Upload): Promise<Outcome<T>>
}

export interface Upload {
  readonly file: Blob
  /** For `Idempotency-Key`. */
  readonly key: string
  readonly signal: AbortSignal
  readonly tell: (sentBytes: number) => void
}

const TIMEOUT_MS = 60_000
const NO_ANSWER = { problem: 'The service does not answer. Try again.', status: 0 }

const FAULT = 'The service answered with an error.'

/** @param mayBeEmpty some answers have no content, such as 204. */
function outcomeOf<T>(status: number, body: Body | undefined, mayBeEmpty: boolean): Outcome<T> {
  if (status < 200 || status >= 300) return { problem: body?.title ?? FAULT, status }
  // A network with a sign-in page answers in the service's place, as if the request had succeeded.
  return body === undefined || (body === null && !mayBeEmpty) ? NO_ANSWER : { value: body as T }
}

type Body = { readonly title?: string; readonly code?: string } | null

/** @returns null for no content, `undefined` for what is not an answer of the service. */
function bodyOf(text: string): Body | undefined {
  try {
    const body: unknown = JSON.parse(text || 'null')
    return typeof body === 'object' ? body : undefined
  } catch {
    return undefined
  }
}

/** Relative to the console's address: a proxy may serve Tabir below a path. */
function below(path: string): string {
  return `.${path}`
}

export function createApi(key: string): Api {
  const refusal = new AbortController()
  let aheadMs = 0

  function read<T>(status: number, text: string, mayBeEmpty: boolean, date: string | null): Outcome<T> {
    const body = bodyOf(text)
    const saidMs = Date.parse(date ?? '')
    if (!Number.isNaN(saidMs)) aheadMs = saidMs - Date.now()
    if (status === 401 || body?.code === 'key-suspended') refusal.abort()
    return outcomeOf(status, body, mayBeEmpty)
  }

  async function ask<T>(method: string, path: string, body?: BodyInit, type?: string): Promise<Outcome<T>> {
    try {
      const response = await fetch(below(path), {
        method,
        headers: { authorization: `Bearer ${key}`, ...(type !== undefined && { 'content-type': type }) },
        ...(body !== undefined && { body }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      const text = await response.text()
      return read(response.status, text, method === 'DELETE', response.headers.get('date'))
    } catch {
      return NO_ANSWER
    }
  }

  /** Uses XMLHttpRequest: `fetch` does not report how much it has sent. */
  function upload<T>(path: string, { file, key: idempotencyKey, signal, tell }: Upload): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest()
      request.open('POST', below(path))
      request.setRequestHeader('authorization', `Bearer ${key}`)
      request.setRequestHeader('content-type', 'application/octet-stream')
      request.setRequestHeader('idempotency-key', idempotencyKey)
      request.upload.addEventListener('progress', ({ loaded }) => tell(loaded))
      request.addEventListener('loadend', () =>
        resolve(
          request.status === 0
            ? NO_ANSWER
            : read<T>(request.status, request.responseText, false, request.getResponseHeader('date')),
        ),
      )
      signal.addEventListener('abort', () => request.abort(), { once: true })
      request.send(file)
    })
  }

  return {
    refused: refusal.signal,
    nowMs: () => Date.now() + aheadMs,
    get: (path) => ask('GET', path),
    send: (method, path, body) =>
      body === undefined ? ask(method, path) : ask(method, path, JSON.stringify(body), 'application/json'),
    upload,
  }
}
