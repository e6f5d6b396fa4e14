// Which sandbox layers hold for this very process. It looks for itself, because what was requested may not have been granted.

import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { ISOLATION_LAYERS, type IsolationLayer } from '../src/domain/isolation-layers.js'

/** The layers that hold, as far as a process can see. On systems other than Linux it cannot see most. */
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
    // In its own PID namespace a process has two numbers: one outside, one inside.
    'no-other-processes': /^NSpid:\t\d+\t\d+/m.test(status),
    // The worker has tested them.
    'no-secret-files': false,
    'one-process': false,
    'few-threads': false,
    'node-permissions': process.permission !== undefined && !process.permission.has('fs.write'),
  }
  return ISOLATION_LAYERS.filter((layer) => holds[layer])
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
