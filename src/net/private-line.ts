// The line between apis and workers, in TLS where an operator gave it a certificate: the one server and the one client of ours that speak it.

import {
  type ClientRequest,
  createServer as createPlainServer,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type RequestListener,
  type RequestOptions,
  type Server,
} from 'node:http'
import { Agent, createServer, request } from 'node:https'
import { followRenewals, type ServerCertificate } from './certificate.js'

const MIN_VERSION = 'TLSv1.3'

export function lineServer(certificate: ServerCertificate | undefined, serve: RequestListener): Server {
  if (certificate === undefined) return createPlainServer(serve)
  const { cert, key } = certificate
  const server = createServer({ cert, key, minVersion: MIN_VERSION }, serve)
  followRenewals(server, certificate, MIN_VERSION)
  return server
}

export interface LineClient {
  readonly protocol: 'http:' | 'https:'
  readonly agent: PlainAgent
  readonly request: (url: string, options: RequestOptions, answered: (response: IncomingMessage) => void) => ClientRequest
}

/**
 * @param ca in PEM: who has signed the certificates of apis. Whoever has one speaks TLS and nothing else, to nobody else: a job that leads
 *   elsewhere is not followed.
 */
export function lineClient(ca: Buffer | undefined): LineClient {
  if (ca === undefined) return { protocol: 'http:', agent: new PlainAgent({ keepAlive: true }), request: plainRequest }
  return { protocol: 'https:', agent: new Agent({ keepAlive: true, ca, minVersion: MIN_VERSION }), request }
}
