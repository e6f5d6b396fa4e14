// What holds for this very process: found by looking, since what was asked for may not have been given.

import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { z } from 'zod'
import { ISOLATION_LAYERS, type IsolationLayer } from '../src/domain/isolation-layers.js'

export const IsolationLayers = z.array(z.enum(ISOLATION_LAYERS))

/** Those that hold, as far as it can be seen: on other systems than Linux most cannot. */
export function isolationHere(): IsolationLayer[] {
  const status = read('/proc/self/status')
  const limits = read('/proc/self/limits')
  const mounts = read('/proc/self/mountinfo')
  const holds: Readonly<Record<IsolationLayer, boolean>> = {
    'no-network': Object.keys(networkInterfaces()).length === 0,
    'no-capabilities': /^CapEff:\t0+$/m.test(status) && /^CapPrm:\t0+$/m.test(status),
    'no-new-privileges': /^NoNewPrivs:\t1$/m.test(status),
    'no-core-dump': /^Max core file size +0 +0 /m.test(limits),
    'no-bytes-written': /^Max file size +0 +0 /m.test(limits),
    'no-writable-mounts': mounts !== '' && !/^(\S+ ){5}rw\b/m.test(mounts),
    // In a namespace of its own it has two numbers: one out here, one in there.
    'no-other-processes': /^NSpid:\t\d+\t\d+/m.test(status),
    'no-secret-files': false,
    'node-permissions': process.permission !== undefined && !process.permission.has('fs.write'),
  }
  return ISOLATION_LAYERS.filter((layer) => holds[layer])
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
