// The private connection between apis and workers: its HTTP server and client, with TLS if the operator configured a certificate.

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

/** @returns a server for the private connection; with TLS 1.3 if there is a certificate. */
export function createPrivateServer(certificate: ServerCertificate | undefined, serve: RequestListener): Server {
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
 * @param ca the CA that signed the certificates of apis, in PEM. With it, the client connects by TLS only, and only to servers with such a
 *   certificate: a forged job cannot lead a worker elsewhere.
 */
export function createPrivateClient(ca: Buffer | undefined): LineClient {
  if (ca === undefined) return { protocol: 'http:', agent: new PlainAgent({ keepAlive: true }), request: plainRequest }
  return { protocol: 'https:', agent: new Agent({ keepAlive: true, ca, minVersion: MIN_VERSION }), request }
}
