// Folders and files that only the process they belong to may reach.

import { dirname, resolve } from 'node:path'
import type { Config } from '../src/boot/config.js'

/** All that are configured, whether they exist yet or not. */
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
