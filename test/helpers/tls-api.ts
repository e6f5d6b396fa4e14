// An api process with TLS, and the certificate that clients get.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export async function startTlsApi(
  t: Test,
  socket: string,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  dataDir = ownFolder(t),
) {
  const child = fork(fileURLToPath(new URL('../../src/boot/server.js', import.meta.url)), {
    env: {
      PATH: process.env['PATH'],
      REDIS_SOCKET: socket,
      TABIR_DATA_DIR: dataDir,
      TABIR_PORT: '0',
      TABIR_TLS_CERT: certFile,
      TABIR_TLS_KEY: keyFile,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = once(child, 'exit')
  const [message] = await once(child, 'message')
  return { child, exited, port: Number(new URL(message.url).port), log: () => log }
}

/** The certificate that a new connection gets. */
export async function certificateAt(port: number, ca: Buffer) {
  const socket = connect({ port, host: '127.0.0.1', ca })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate()
  } finally {
    socket.destroy()
  }
}

function ownFolder(t: Test): string {
  const place = mkdtempSync(join(tmpdir(), 'tabir-tls-api-'))
  t.teardown(() => rmSync(place, { recursive: true, force: true }))
  return place
}
