// Certificate files: read at the start, and again when they change or on request.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '../domain/message-of.js'
import { type Certificate, checkCertificate, type ServerCertificate } from '../net/certificate.js'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

export interface KeptCertificate extends ServerCertificate {
  readonly onRenewal: (renew: (next: Certificate) => void) => void
  /** [epoch ms] Expiry of the certificate in use. */
  readonly expiresAtMs: number
  /** Whether newer files exist that cannot be used. */
  readonly isRefused: boolean
  /** Reads the files again now. */
  reload(): Promise<void>
  close(): void
}

export interface KeepOptions {
  readonly files: CertificateFiles
  readonly intervalMs?: number
  readonly now: () => number
  readonly onRenewed: (expiresAtMs: number) => void
  /** Called once for each state of the files. The previous certificate stays in use. */
  readonly onRefused: (why: string) => void
}

const LOOK_INTERVAL_MS = 1000

/**
 * Watches certificate files, by comparing inode, size and time of both; so a changed link counts, too (Kubernetes replaces Secrets that way). Both
 * files are rarely replaced in one step. So if new files do not fit together, they are refused only if they are unchanged at the next check.
 * @throws {Error} if the files cannot be used at the start
 */
export function keepCertificate({
  files,
  intervalMs = LOOK_INTERVAL_MS,
  now,
  onRenewed,
  onRefused,
}: KeepOptions): KeptCertificate {
  let used: Certificate = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
  checkCertificate(used)
  let expiresAtMs = firstExpiryIn(used.cert)
  let isRefused = false
  const listeners: ((next: Certificate) => void)[] = []
  // State of the files when last used or refused, and at the last check.
  let settled: string | undefined
  let seen: string | undefined
  let looking = Promise.resolve()

  const read = async () => {
    const next = { cert: await readFile(files.cert), key: await readFile(files.key) }
    if (next.cert.equals(used.cert) && next.key.equals(used.key)) return
    checkCertificate(next)
    const nextExpiresAtMs = firstExpiryIn(next.cert)
    if (nextExpiresAtMs <= now()) throw new Error('the certificate has expired')
    for (const renew of listeners) renew(next)
    used = next
    expiresAtMs = nextExpiresAtMs
    onRenewed(expiresAtMs)
  }

  const look = async (isAsked: boolean) => {
    const state = await stateOf(files)
    const isSecondLook = state === seen
    seen = state
    if (state === settled && !isAsked) return
    try {
      await read()
      isRefused = false
      settled = state
    } catch (error) {
      if (!isSecondLook && !isAsked) return
      isRefused = true
      settled = state
      onRefused(messageOf(error))
    }
  }
  const lookNext = (isAsked: boolean) => {
    looking = looking.then(() => look(isAsked))
    return looking
  }
  const timer = setInterval(() => void lookNext(false), intervalMs).unref()

  return {
    get cert() {
      return used.cert
    },
    get key() {
      return used.key
    },
    get expiresAtMs() {
      return expiresAtMs
    },
    get isRefused() {
      return isRefused
    },
    onRenewal: (renew) => void listeners.push(renew),
    reload: () => lookNext(true),
    close: () => clearInterval(timer),
  }
}

async function stateOf({ cert, key }: CertificateFiles): Promise<string> {
  const states = await Promise.all(
    [cert, key].map((path) =>
      stat(path, { bigint: true }).then(
        ({ dev, ino, size, mtimeNs }) => `${dev}:${ino}:${size}:${mtimeNs}`,
        () => 'missing',
      ),
    ),
  )
  return states.join(' ')
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** @returns the first expiry of all certificates in the file. @throws {Error} if it has none */
export function firstExpiryIn(pem: Buffer): number {
  const found = pem.toString('latin1').match(CERTIFICATE) ?? []
  if (found.length === 0) throw new Error('the file has no certificate')
  return Math.min(...found.map((text) => Date.parse(new X509Certificate(text).validTo)))
}
