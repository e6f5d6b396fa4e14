// What Prometheus monitors: it can read the files, the metrics exist, and each alert fires when it should and not before.

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { Description } from './helpers/requests.js'
import { startService } from './helpers/service.js'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const PROMETHEUS = join(root, 'deploy/prometheus')

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string() }),
        }),
      ),
    }),
  ),
})
const alerts = () => Rules.parse(parse(read('deploy/prometheus/alerts.yml'))).groups.flatMap(({ rules }) => rules)

const Check = z.object({
  expr: z.string(),
  exp_samples: z.array(z.object({ labels: z.string(), value: z.literal(1) })).default([]),
})
const Tests = z.object({ tests: z.array(z.object({ promql_expr_test: z.array(Check) })) })

t.test('alerts and dashboards query existing metrics, labels and routes', async (t) => {
  const { app } = await startService(t)
  await app.inject({ url: '/health/live' })
  const { body } = await app.inject({ url: '/metrics' })
  const metrics = new Set(
    [...body.matchAll(/^# TYPE (\S+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  )
  const labels = new Set([...body.matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => label))
  const { paths } = Description.parse(app.swagger())
  const routes = new Set(Object.keys(paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ':$1')))
  const asking = new Map([['alerts', alerts().map(({ expr }) => expr)]])
  for (const name of readdirSync(join(root, 'deploy/grafana')))
    asking.set(name, expressionsIn(read(`deploy/grafana/${name}`)))
  for (const [file, expressions] of asking) {
    const all = expressions.join('\n')
    const found = (pattern: RegExp) => [...new Set([...all.matchAll(pattern)].flatMap(([, name]) => name ?? []))]
    const asked = found(/\b((?:tabir|nodejs|process)_[a-z0-9_]+)/g)
    t.ok(asked.length > 5, `${file} queries something`)
    t.same(
      asked.filter((name) => !metrics.has(name)),
      [],
      `${file}: names`,
    )
    t.same(
      found(/[{,]\s*([a-z_]+)(?:=~?|!=|!~)/g).filter((label) => label !== 'job' && !labels.has(label)),
      [],
      `${file}: labels`,
    )
    t.same(
      found(/route="([^"]+)"/g).filter((route) => !routes.has(route)),
      [],
      `${file}: routes`,
    )
  }
})

t.test('every alert is in the runbook, and is tested where it fires and where it does not', async (t) => {
  const names = alerts().map(({ alert }) => alert)
  t.ok(names.length >= 10)
  t.equal(new Set(names).size, names.length)
  const described = [...read('docs/runbook.md').matchAll(/^### (Tabir\w+)$/gm)].flatMap(([, name]) => name ?? [])
  t.same(described.sort(), [...names].sort(), 'in the runbook')
  const { tests } = Tests.parse(parse(read('deploy/prometheus/alerts.test.yml')))
  const checks = tests.flatMap((each) => each.promql_expr_test)
  for (const name of names) {
    const fires = (check: z.infer<typeof Check>) => check.exp_samples.some(({ labels }) => labels.includes(`"${name}"`))
    t.ok(checks.some(fires), `${name} fires`)
    const isAsked = ({ expr }: z.infer<typeof Check>) => !expr.includes('alertname=') || expr.includes(`"${name}"`)
    t.ok(
      checks.some((check) => isAsked(check) && !check.expr.includes(`!="${name}"`) && !fires(check)),
      `${name} does not`,
    )
  }
})

const places = (process.env['PATH'] ?? '').split(delimiter)
const hasPromtool = places.some((place) => place !== '' && readable(place).includes('promtool'))
const skip = hasPromtool ? false : 'promtool is missing: a package of Debian, or part of Prometheus'

t.test('promtool accepts the rules, their tests, the configuration and the metrics', { skip }, async (t) => {
  const { app } = await startService(t)
  await app.inject({ url: '/health/live' })
  const { body } = await app.inject({ url: '/metrics' })
  for (const [args, input] of [
    [['check', 'rules', 'alerts.yml'], ''],
    [['test', 'rules', 'alerts.test.yml'], ''],
    [['check', 'config', 'scrape.yml'], ''],
    [['check', 'metrics'], body],
  ] as const) {
    const { status, said } = await promtool(args, input)
    t.equal(status, 0, args.join(' '))
    if (status !== 0) t.fail(said)
  }
})

function promtool(args: readonly string[], input: string): Promise<{ readonly status: number; readonly said: string }> {
  return new Promise((tell) => {
    const child = execFile('promtool', [...args], { cwd: PROMETHEUS }, (_, out, errors) =>
      tell({ status: child.exitCode ?? 1, said: out + errors }),
    )
    child.stdin?.end(input)
  })
}

function expressionsIn(dashboard: string): string[] {
  const found: string[] = []
  JSON.parse(dashboard, (key, value: unknown) => {
    if (key === 'expr' && typeof value === 'string') found.push(value)
    return value
  })
  return found
}

function readable(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
