// The certificate of a TLS server of ours, which may be replaced while the server runs.

import type { Server } from 'node:net'
import { createSecureContext, type SecureVersion, Server as TlsServer } from 'node:tls'

/** In PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface ServerCertificate extends Certificate {
  /** Called with each certificate that takes its place; never when left out. */
  readonly onRenewal?: (renew: (next: Certificate) => void) => void
}

/** New connections get the newest certificate; those that are open go on with the one they have. */
export function followRenewals(server: Server, certificate: ServerCertificate, minVersion: SecureVersion): void {
  if (!(server instanceof TlsServer)) return
  certificate.onRenewal?.((next) => server.setSecureContext({ ...next, minVersion }))
}

/** @throws {Error} when a server could not use them: no certificate, no key, or a key of another certificate. */
export function checkCertificate(certificate: Certificate): void {
  createSecureContext({ ...certificate })
}
