// Asks the service's own API with the key that was typed in. The key is an argument of this function, and kept nowhere else.

/** An answer, or why there is none, as a sentence. `status` is 0 when nothing answered. */
export type Outcome<T> = { readonly value: T } | { readonly problem: string; readonly status: number }

export interface Api {
  get<T>(path: string): Promise<Outcome<T>>
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Outcome<T>>
  /** Lines of NDJSON, or a file as it is. */
  upload<T>(path: string, type: string, body: Blob): Promise<Outcome<T>>
}

const TIMEOUT_MS = 60_000

export function apiWith(key: string): Api {
  async function ask<T>(method: string, path: string, body?: BodyInit, type?: string): Promise<Outcome<T>> {
    try {
      const response = await fetch(path, {
        method,
        headers: { authorization: `Bearer ${key}`, ...(type !== undefined && { 'content-type': type }) },
        ...(body !== undefined && { body }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      // 202 and 204 say nothing more.
      if (response.ok) return { value: JSON.parse((await response.text()) || 'null') }
      const problem: { readonly title?: string } = await response.json().catch(() => ({}))
      return { problem: problem.title ?? 'The service answered with an error.', status: response.status }
    } catch {
      return { problem: 'The service does not answer. Try again.', status: 0 }
    }
  }
  return {
    get: (path) => ask('GET', path),
    send: (method, path, body) =>
      body === undefined ? ask(method, path) : ask(method, path, JSON.stringify(body), 'application/json'),
    upload: (path, type, body) => ask('POST', path, body, type),
  }
}
