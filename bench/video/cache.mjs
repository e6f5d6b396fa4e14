// Keeps hashes in files: they need no memory, and the next run of the same version skips hashing, which takes most of the time.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'

/** @returns `cached(name, make)`: the stored result of `make`, or a new one. */
export function cacheIn(folder) {
  mkdirSync(folder, { recursive: true })
  return async (name, make) => {
    const file = join(folder, `${name}.bin`)
    if (existsSync(file)) return deserialize(readFileSync(file))
    const made = await make()
    writeFileSync(file, serialize(made))
    return made
  }
}
