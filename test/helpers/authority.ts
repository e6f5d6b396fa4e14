// A CA of a test's own.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

export function authority(t: Pick<Test, 'teardown'>) {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-ca-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=a test')
  const caFile = join(folder, 'ca.pem')
  const filesFor = (address: string) => {
    const [certFile, keyFile] = [join(folder, `${address}.pem`), join(folder, `${address}.key`)]
    writeFileSync(join(folder, 'names'), `subjectAltName=IP:${address}`)
    openssl('req', ...key, '-keyout', keyFile, '-out', 'own.csr', '-subj', '/CN=api')
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names']
    openssl('x509', '-req', '-in', 'own.csr', ...signing, '-out', certFile)
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
