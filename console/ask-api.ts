// Asks the service's own API with the key that was typed in. The key is an argument of this function, and kept nowhere else.

/** An answer, or why there is none, as a sentence. `status` is 0 when nothing answered. */
export type Outcome<T> = { readonly value: T } | { readonly problem: string; readonly status: number }

export interface Api {
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

/** Some answers have no content, such as 204. */
function outcomeOf<T>(status: number, text: string): Outcome<T> {
  const isWell = status >= 200 && status < 300
  try {
    const body = JSON.parse(text || 'null')
    if (isWell) return { value: body }
    return { problem: body?.title ?? 'The service answered with an error.', status }
  } catch {
    return { problem: 'The service answered with an error.', status }
  }
}

/** Relative to the console's address: a proxy may serve Tabir below a path. */
function below(path: string): string {
  return `.${path}`
}

export function createApi(key: string): Api {
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
      return outcomeOf(response.status, await response.text())
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
        resolve(request.status === 0 ? NO_ANSWER : outcomeOf<T>(request.status, request.responseText)),
      )
      signal.addEventListener('abort', () => request.abort(), { once: true })
      request.send(file)
    })
  }

  return {
    get: (path) => ask('GET', path),
    send: (method, path, body) =>
      body === undefined ? ask(method, path) : ask(method, path, JSON.stringify(body), 'application/json'),
    upload,
  }
}
