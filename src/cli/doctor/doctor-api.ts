// Facts about the API on this machine for `tabir doctor`: readiness, and validity of its certificates.

import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { firstExpiryIn } from '../../boot/certificate-files.js'
import type { Config } from '../../boot/config.js'
import { NOT_READY_REASONS, type NotReadyReason } from '../../domain/not-ready.js'

export interface ApiFacts {
  readonly readiness: number | undefined
  /** Why it is not ready, if it answers a reason. */
  readonly reason?: NotReadyReason | undefined
}

export interface CertificateFacts {
  /** The setting that names the certificate file. */
  readonly setting: string
  /** [epoch ms] When the first certificate of the file expires; `undefined` if it cannot be read. */
  readonly expiresAtMs: number | undefined
}

const WAIT_MS = 3000

/** Asks the API for its readiness, over TLS if it uses TLS. Does not verify the certificate. */
export async function apiFacts({ host, port, tlsFiles }: Config): Promise<ApiFacts> {
  const where = { host, port, path: '/health/ready', signal: AbortSignal.timeout(WAIT_MS), agent: false }
  const request = tlsFiles === undefined ? httpRequest(where) : httpsRequest({ ...where, rejectUnauthorized: false })
  const answer = new Promise<ApiFacts>((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      text(response).then((body) => resolve({ readiness: response.statusCode, reason: notReadyReasonIn(body) }), reject)
    })
  })
  request.end()
  return await answer.catch(() => ({ readiness: undefined }))
}

/** Parses the reason from the problem that an api answers. */
export function notReadyReasonIn(body: string): NotReadyReason | undefined {
  try {
    return Answer.safeParse(JSON.parse(body)).data?.reason
  } catch {
    return undefined
  }
}
const Answer = z.object({ reason: z.enum(NOT_READY_REASONS) })

export async function certificateFacts({ tlsFiles, handoffTlsFiles }: Config): Promise<CertificateFacts[]> {
  const files = [
    ['TABIR_TLS_CERT', tlsFiles?.cert],
    ['TABIR_HANDOFF_TLS_CERT', handoffTlsFiles?.cert],
  ] as const
  const facts: CertificateFacts[] = []
  for (const [setting, file] of files)
    if (file !== undefined)
      facts.push({
        setting,
        expiresAtMs: await readFile(file)
          .then(firstExpiryIn)
          .catch(() => undefined),
      })
  return facts
}
