// Simulated hosts: network namespaces on a bridge, each with an address and a link that can be cut. Needs root.

import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'

export interface Host {
  readonly address: string
  /** @returns the command line that runs a command on this host. */
  on(command: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] }
  /** Drops all packets from and to this host without an error, until `mend`. */
  cut(): void
  mend(): void
}

let opened = 0

/** The hosts are removed after the test, which must end its processes on them. @returns `undefined` without the permission. */
export function openHosts(t: Pick<Test, 'teardown'>, count: number): readonly Host[] | undefined {
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  // Removal takes time, so each bridge of this process has a new name and network.
  const name = `tb${process.pid}${String.fromCharCode(97 + opened)}`
  const net = `10.213.${(process.pid + opened++) % 250}`
  const made: string[] = []
  t.teardown(() => {
    for (const each of made) quietly(() => ip('netns', 'del', each))
    quietly(() => ip('link', 'del', name))
  })
  try {
    ip('link', 'add', name, 'type', 'bridge')
    ip('addr', 'add', `${net}.254/24`, 'dev', name)
    ip('link', 'set', name, 'up')
    return Array.from({ length: count }, (_, i) => {
      const [host, outside, address] = [`${name}h${i}`, `${name}v${i}`, `${net}.${i + 1}`]
      ip('netns', 'add', host)
      made.push(host)
      ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host)
      ip('link', 'set', outside, 'master', name, 'up')
      ip('-n', host, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
      ip('-n', host, 'link', 'set', 'eth0', 'up')
      ip('-n', host, 'link', 'set', 'lo', 'up')
      return {
        address,
        on: (command, args) => ({ command: 'ip', args: ['netns', 'exec', host, command, ...args] }),
        cut: () => void ip('link', 'set', outside, 'nomaster'),
        mend: () => void ip('link', 'set', outside, 'master', name),
      }
    })
  } catch {
    return undefined
  }
}

function quietly(work: () => unknown): void {
  try {
    work()
  } catch {
    // already removed
  }
}
