// The search for anything of a picture, in everything that was written: files, logs, and in the end every key of Redis.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findCanary, type Needle } from '../helpers/canary.js'
import { contentsOf } from '../helpers/canary-world.js'
import type { Deployment } from './deployment.js'

export interface TraceSearch {
  /** @returns the places, among what was written since the last call. */
  sinceLast(): string[]
  /** @returns the places, among all keys of Redis. */
  inKeys(): Promise<string[]>
}

/** Longer than any needle, so that one across the end of the last read is found. */
const OVERLAP_BYTES = 512

export function traceSearch({ folder, all, redis }: Deployment, needles: readonly Needle[]): TraceSearch {
  const readBytes = new Map<string, number>()
  const heard = new Map<string, number>()
  const searched = (where: string, bytes: Buffer) => findCanary(bytes, needles).map((form) => `${where}: ${form}`)

  return {
    sinceLast() {
      const places: string[] = []
      for (const path of filesIn(folder)) {
        const bytes = contentOf(path)
        const known = readBytes.get(path) ?? 0
        // A file that was rewritten, such as a snapshot, is read again.
        const from = path.endsWith('.aof') && known <= bytes.length ? Math.max(0, known - OVERLAP_BYTES) : 0
        readBytes.set(path, bytes.length)
        places.push(...searched(path.slice(folder.length), Buffer.concat([Buffer.from(path), bytes.subarray(from)])))
      }
      for (const { name, output } of all) {
        const from = Math.max(0, (heard.get(name) ?? 0) - 1)
        heard.set(name, output.length)
        places.push(...searched(`what ${name} wrote`, Buffer.from(output.slice(from).join(''))))
      }
      return places
    },
    async inKeys() {
      const places: string[] = []
      for (const name of await redis.client.keysBuffer('*')) {
        const dump = await redis.client.dumpBuffer(name)
        const bytes = Buffer.concat([name, await contentsOf(redis.client, name), dump ?? Buffer.alloc(0)])
        places.push(...searched('a key of Redis', bytes))
      }
      return places
    },
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0) // it was replaced meanwhile
  }
}
