// The blocks of commands in a document, run by bash in a folder, with simulated programs of an operator.

import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { Test } from 'tap'

export const ROOT = resolve(import.meta.dirname, '../../..')

export interface Ran {
  readonly status: number
  readonly out: string
  readonly errors: string
}

export interface Procedure {
  readonly env?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>)
  /** For a command that does not end: it is stopped when it prints this. */
  readonly until?: RegExp
  readonly before?: () => Promise<unknown>
  /** Why it cannot be run here; `false` if it can. */
  readonly skip?: string | false
  check(ran: Ran, t: Test): unknown
}

/** Checks that the commands succeeded and printed this. */
export function said(pattern: RegExp): (ran: Ran, t: Test) => unknown {
  return (ran, t) => t.match(ran, { status: 0, out: pattern }, ran.errors)
}

/** The blocks of commands, by the nearest heading above. */
export function sections(page: string): { readonly heading: string; readonly blocks: readonly string[] }[] {
  return page.split(/^#{2,3} /m).flatMap((part) => {
    const blocks = [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block ?? [])
    return blocks.length === 0 ? [] : [{ heading: part.split('\n')[0] ?? '', blocks }]
  })
}

/** A program that operators have and this machine lacks. */
export function missingFor(block: string): string | false {
  const isMissing = /\bredis-cli\b/.test(block) && spawnSync('redis-cli', ['--version']).status !== 0
  return isMissing && 'needs redis-cli (apt-get install redis-tools)'
}

export function tabirAt(place: string, env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ran> {
  return run(place, `tabir ${args.join(' ')}`, env)
}

/** For a checkout that is up to date, with installed packages: `git pull` and `npm ci` do nothing. */
const PROGRAMS = {
  git: `[ "$1" = pull ]`,
  npx: `[ "$1" = tabir ] && shift && exec "${process.execPath}" "${ROOT}/bin/tabir.js" "$@"`,
  tabir: `exec "${process.execPath}" "${ROOT}/bin/tabir.js" "$@"`,
  docker: `exec "${process.execPath}" "${ROOT}/dist/test/helpers/orchestrator.js" docker "$@"`,
  kubectl: `exec "${process.execPath}" "${ROOT}/dist/test/helpers/orchestrator.js" kubectl "$@"`,
  npm: `case "$1" in ci) exit 0;; start) exec "${process.execPath}" "${ROOT}/dist/src/boot/supervisor.js";; esac; exit 2`,
} as const

export function run(
  place: string,
  block: string,
  env: Readonly<Record<string, string>>,
  untilPrinted?: RegExp,
): Promise<Ran> {
  const bin = join(place, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, script] of Object.entries(PROGRAMS)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const PATH = [bin, process.env['PATH']].join(delimiter)
  return new Promise((resolve) => {
    // exec: the signal to stop must reach the last command itself.
    const script =
      untilPrinted === undefined
        ? `set -euo pipefail\n${block}\necho "REDIS_URL=\${REDIS_URL:-}"`
        : `set -euo pipefail\n${block.trim().replace(/([^\n]*)$/, 'exec $1')}`
    const child = execFile(
      'bash',
      ['-c', script],
      { cwd: place, env: { PATH, TABIR_DATA_DIR: join(place, 'data'), ...env } },
      (_, out, errors) => resolve({ status: child.exitCode ?? 1, out, errors }),
    )
    child.stdout?.on('data', (text) => {
      if (untilPrinted?.test(String(text))) child.kill('SIGTERM')
    })
  })
}
