// The certificate of one of our TLS servers. It can be renewed while the server runs.

import type { Server } from 'node:net'
import { createSecureContext, type SecureVersion, Server as TlsServer } from 'node:tls'

/** Both in PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface ServerCertificate extends Certificate {
  /** Registers a function to call with each renewed certificate. Left out if the certificate is never renewed. */
  readonly onRenewal?: (renew: (next: Certificate) => void) => void
}

/**
 * Makes a server use renewed certificates for new connections. Open connections keep theirs. Does nothing for a server without TLS.
 * @param minVersion as the server has it: a new certificate resets it otherwise.
 */
export function followRenewals(server: Server, certificate: ServerCertificate, minVersion: SecureVersion): void {
  if (!(server instanceof TlsServer)) return
  certificate.onRenewal?.((next) => server.setSecureContext({ ...next, minVersion }))
}

/** @throws {Error} when a server could not use the certificate: it or its key cannot be read, or they do not match. Dates are not checked. */
export function checkCertificate(certificate: Certificate): void {
  createSecureContext({ ...certificate })
}
