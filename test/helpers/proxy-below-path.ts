// A reverse proxy that serves a service below a path and strips it, as nginx does with `location /tabir/ { proxy_pass http://service/; }`.

import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Ending } from './service.js'

export interface ProxyBelowPath {
  /** With the path, without a slash at its end. */
  readonly url: string
  /** Paths outside of its own that were asked for. Another site of the same host would have answered them. */
  readonly outside: readonly string[]
}

export async function startProxyBelowPath(t: Ending, target: string, path = '/tabir'): Promise<ProxyBelowPath> {
  const outside: string[] = []
  const server = createServer((request, response) => {
    const asked = request.url ?? '/'
    if (!asked.startsWith(`${path}/`) && asked.replace(/\?.*/, '') !== path) {
      outside.push(asked)
      response.writeHead(404, { 'content-type': 'text/html' }).end('<title>Another site</title>')
      return
    }
    const headers = { ...request.headers, 'x-forwarded-for': request.socket.remoteAddress, 'x-forwarded-proto': 'https' }
    const rest = asked.slice(path.length)
    const forwarded = httpRequest(
      target + (rest.startsWith('/') ? rest : `/${rest}`),
      { method: request.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        response.flushHeaders()
        answer.pipe(response)
        response.once('close', () => answer.destroy())
      },
    )
    forwarded.once('error', () => response.destroy())
    request.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, outside }
}
