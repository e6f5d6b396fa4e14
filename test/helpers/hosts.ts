// Hosts on this machine: network namespaces on a bridge, each with an address and a line that can be cut. Root alone can make them.

import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'

export interface Host {
  readonly address: string
  /** What to run, and before it what brings it onto this host. */
  on(command: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] }
  /** From now on nothing leaves it or reaches it, and nobody is told. */
  cut(): void
  mend(): void
}

let opened = 0

/** They go with the test, and whatever still runs on them is the test's to end. @returns `undefined` where it is not allowed. */
export function openHosts(t: Pick<Test, 'teardown'>, count: number): readonly Host[] | undefined {
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
  // What goes is not gone at once: no second one of this process may meet it.
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
    // gone already
  }
}
