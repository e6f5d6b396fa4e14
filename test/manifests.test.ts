// The manifests of Kubernetes and the units of systemd, checked as far as possible without either.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const filesIn = (folder: string) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`)

const Container = z.looseObject({
  image: z.string(),
  command: z.array(z.string()),
  securityContext: z.looseObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.looseObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.looseObject({
    requests: z.looseObject({ memory: z.string() }),
    limits: z.looseObject({ memory: z.string() }),
  }),
  startupProbe: z.unknown().optional(),
  readinessProbe: z.looseObject({ httpGet: z.looseObject({ path: z.string() }).optional() }).optional(),
  lifecycle: z.looseObject({ preStop: z.unknown() }).optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
})
const Pod = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    enableServiceLinks: z.literal(false),
    automountServiceAccountToken: z.literal(false),
    affinity: z.unknown().optional(),
    containers: z.tuple([Container]),
    volumes: z.array(z.looseObject({ name: z.string() })),
  }),
})
const Template = z.looseObject({
  template: Pod,
  volumeClaimTemplates: z.array(z.looseObject({ metadata: z.object({ name: z.string() }) })).default([]),
})
const Policy = z.object({
  podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
  policyTypes: z.array(z.string()),
})

function objectsOf(path: string) {
  return parseAllDocuments(read(path)).map((document) =>
    z
      .looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }), spec: z.unknown().optional() })
      .parse(document.toJS()),
  )
}

function podsOf(path: string): z.infer<typeof Template>[] {
  return objectsOf(path).flatMap(({ kind, spec }) => {
    if (['StatefulSet', 'Deployment', 'Job'].includes(kind)) return [Template.parse(spec)]
    return kind === 'CronJob'
      ? [Template.parse(z.looseObject({ jobTemplate: z.looseObject({ spec: z.unknown() }) }).parse(spec).jobTemplate.spec)]
      : []
  })
}

t.test('every pod is confined, has its volumes, and a network policy in both directions', async (t) => {
  for (const path of filesIn('deploy/kubernetes')) {
    const policies = objectsOf(path)
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map(({ spec }) => Policy.parse(spec))
    for (const { template, volumeClaimTemplates } of podsOf(path)) {
      const { labels } = template.metadata
      const own = [
        ...template.spec.volumes.map(({ name }) => name),
        ...volumeClaimTemplates.map(({ metadata }) => metadata.name),
      ]
      const [{ volumeMounts }] = template.spec.containers
      t.same(
        volumeMounts.filter(({ name }) => !own.includes(name)),
        [],
        `${path}: volumes of ${labels['app']}`,
      )
      const both = policies.some(
        ({ podSelector: { matchLabels }, policyTypes }) =>
          policyTypes.length === 2 && Object.entries(matchLabels).every(([key, value]) => labels[key] === value),
      )
      t.ok(both, `${path}: ${labels['app']} has a policy`)
    }
  }
})

t.test(
  'apis stay in service during an outage of Redis, are spread over nodes like workers, and drain before they stop',
  async (t) => {
    const byApp = new Map(
      podsOf('deploy/kubernetes/tabir.yml').map((each) => [each.template.metadata.labels['app'], each.template.spec]),
    )
    for (const app of ['redis', 'api', 'workers', 'messenger'])
      t.ok(byApp.get(app)?.containers[0].startupProbe, `${app}: startup`)
    const api = byApp.get('api')
    t.equal(
      api?.containers[0].readinessProbe?.httpGet?.path,
      '/health/live',
      'an outage that all share takes none of them out of service',
    )
    t.match(api?.containers[0].startupProbe, { httpGet: { path: '/health/ready' } })
    t.ok(api?.containers[0].lifecycle?.preStop)
    for (const app of ['api', 'workers']) t.match(byApp.get(app)?.affinity, { podAntiAffinity: {} }, app)
  },
)

t.test('what is in memory is not swapped to a disk', (t) => {
  for (const { template } of filesIn('deploy/kubernetes').flatMap(podsOf)) {
    const [{ resources }] = template.spec.containers
    t.equal(resources.requests.memory, resources.limits.memory, template.metadata.labels['app'] ?? 'a pod')
  }
  const Limits = z.looseObject({ mem_limit: z.string(), memswap_limit: z.string() })
  const { services } = z
    .looseObject({ services: z.record(z.string(), Limits) })
    .parse(parse(read('docker-compose.yml'), { merge: true }))
  for (const [name, limits] of Object.entries(services)) t.equal(limits.memswap_limit, limits.mem_limit, name)
  for (const unit of ['tabir', 'tabir-backup']) t.match(read(`deploy/systemd/${unit}.service`), /^MemorySwapMax=0$/m)
  t.end()
})

t.test('Redis refuses writes before its container runs out of memory', async (t) => {
  const [redis] = podsOf('deploy/kubernetes/tabir.yml')
  const container = redis?.template.spec.containers[0]
  const most = Number(/--maxmemory (\d+)gb/.exec(container?.command.at(-1) ?? '')?.[1])
  const limit = Number(/^(\d+)Gi$/.exec(container?.resources.limits.memory ?? '')?.[1])
  t.ok(most > 0 && most <= 0.75 * limit, `${most} of ${limit}`)
})

t.test('systemd accepts the units, and the backup is confined like the service', async (t) => {
  const setIn = (name: string) => new Set(read(`deploy/systemd/${name}`).match(/^[A-Z]\w+=.*$/gm))
  const [service, backup] = [setIn('tabir.service'), setIn('tabir-backup.service')]
  const hardening =
    /^(Umask|UMask|Limit(?!NOFILE)|NoNew|Protect|Private|Restrict(?!art)|Lock|RemoveIPC|Capability|SystemCall(?!Filter)|MemorySwap)/
  const lacking = [...service].filter((line) => hardening.test(line) && !backup.has(line))
  t.same(lacking, [], 'the backup is confined like the service')
  for (const unit of [service, backup]) {
    t.ok([...unit].some((line) => line.startsWith('OnFailure=')))
    t.ok([...unit].some((line) => line.startsWith('SystemCallFilter=')))
  }
  const which = spawnSync('systemd-analyze', ['--version'])
  if (which.status !== 0) return t.pass('verify', { skip: 'needs systemd-analyze (apt-get install systemd)' })
  // With the programs and users of this machine; everything else is verified.
  const folder = t.testdir({})
  for (const path of filesIn('deploy/systemd'))
    writeFileSync(
      join(folder, path.split('/').at(-1) ?? ''),
      read(path)
        .replaceAll('/opt/tabir', root)
        .replaceAll('/usr/bin/node', process.execPath)
        .replaceAll('User=tabir', 'User=root'),
    )
  const names = readdirSync(folder).map((name) => join(folder, name.replace('@.', '@a.')))
  const said = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...names], { encoding: 'utf8' })
  t.match(said, { status: 0, stderr: '' })
})
