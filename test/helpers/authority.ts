// A certificate authority for tests.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { certificatePem, certify, keyPem } from './certificate.js'

export function authority(t: Pick<Test, 'teardown'>) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-ca-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const issuer = certify('a test')
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, certificatePem(issuer))
  const filesFor = (address: string) => {
    const [certFile, keyFile] = [join(folder, `${address}.pem`), join(folder, `${address}.key`)]
    const own = certify('api', { issuer, address })
    writeFileSync(certFile, certificatePem(own))
    writeFileSync(keyFile, keyPem(own), { mode: 0o600 })
    return { certFile, keyFile }
  }
  return {
    caFile,
    ca: readFileSync(caFile),
    filesFor,
    certificateFor(address: string) {
      const { certFile, keyFile } = filesFor(address)
      return { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    },
  }
}
