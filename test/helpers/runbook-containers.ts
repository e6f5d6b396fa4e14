// The procedures of the runbook for compose and Kubernetes, against programs in containers.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { withoutContainers } from './container.js'
import { type Procedure, said } from './runbook-commands.js'
import { startShipped } from './shipped.js'

/** Starts the containers. Each procedure is skipped on machines without them. */
export async function containerProcedures(t: Test, place: string): Promise<Readonly<Record<string, readonly Procedure[]>>> {
  const shipped = withoutContainers === false ? await startShipped(t) : undefined
  const today = () => new Date().toISOString().slice(0, 10)
  const inContainers = { skip: withoutContainers, env: () => ({ ...shipped?.env, BACKUP: today(), ELSEWHERE: place }) }
  return {
    'Backup in compose': [
      { ...inContainers, check: said(/"sizeBytes"[\s\S]*"sizeBytes"/) },
      {
        ...inContainers,
        check(ran, t) {
          t.equal(ran.status, 0, ran.errors)
          for (const name of ['backups', 'withdrawals'])
            t.ok(
              existsSync(join(place, `${name}.tar`)) && spawnSync('tar', ['-tf', join(place, `${name}.tar`)]).status === 0,
              name,
            )
        },
      },
    ],
    'Backup in Kubernetes': [{ ...inContainers, check: said(/"sizeBytes"/) }],
    'Restore in compose': [
      {
        ...inContainers,
        before: async () => shipped?.withdrawAndStop(),
        async check(ran, t) {
          said(/"casesEnded":1/)(ran, t)
          t.same(await shipped?.found(), [1, 0], 'all is back but what was taken back')
        },
      },
    ],
    'Restore in Kubernetes': [
      { ...inContainers, before: async () => shipped?.stop(), check: said(/"casesEnded":1.*"withdrawalsSince":"known"/) },
      {
        ...inContainers,
        async check(ran, t) {
          t.equal(ran.status, 0, ran.errors)
          t.same(await shipped?.found(), [1, 0])
        },
      },
    ],
  }
}
