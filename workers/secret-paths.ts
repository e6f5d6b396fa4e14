// Folders and files that no process may reach but the part that they belong to.

import { dirname, resolve } from 'node:path'
import type { Config } from '../src/boot/config.js'

/** All that is configured, whether it is there yet or not. */
export function secretPaths({
  dataDir,
  sealKeyFile,
  withdrawalsDir,
  exchangesFile,
  tlsFiles,
  handoffTlsFiles,
  redisSocket,
}: Config): string[] {
  const socketFolder = redisSocket === undefined ? undefined : dirname(redisSocket)
  return [dataDir, sealKeyFile, withdrawalsDir, exchangesFile, tlsFiles?.key, handoffTlsFiles?.key, socketFolder].flatMap(
    (path) => (path === undefined ? [] : [resolve(path)]),
  )
}
