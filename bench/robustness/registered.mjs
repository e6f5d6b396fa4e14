// Hashes and details of a picture for its registration, cached if there is a folder for it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { lookAt } from './details.mjs'
import { decode, registered } from './hasher.mjs'

/** @returns `{ signals, looked }`, or `undefined` for what cannot be decoded. `looked` is missing unless details are wanted. */
export async function registeredOf({ name, read }, { wantsDetails, cache }) {
  const file = cache === undefined || !wantsDetails ? undefined : join(cache, 'registered', `${name}.bin`)
  if (file !== undefined && existsSync(file)) return deserialize(readFileSync(file))
  const bytes = read()
  const pixels = await decode(bytes).catch(() => undefined)
  if (pixels === undefined) return undefined
  const found = { signals: registered(pixels), looked: wantsDetails ? await lookAt(bytes) : undefined }
  if (file !== undefined) {
    mkdirSync(join(cache, 'registered'), { recursive: true })
    writeFileSync(file, serialize(found))
  }
  return found
}
