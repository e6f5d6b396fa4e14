// Simulates `docker compose` and `kubectl`: runs the commands for Tabir's containers as the files of this repository define them.
//   node orchestrator.js docker compose … | node orchestrator.js kubectl -n tabir …

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { type Container, runContainer } from './container.js'

const REPOSITORY = resolve(import.meta.dirname, '../../..')
const NODE_UID = 1000
const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8')
const env = z
  .object({
    /** A folder for each volume, by its name. */
    TABIR_TEST_VOLUMES: z.string(),
    /** The address of Redis, in place of `redis:6379`. */
    TABIR_TEST_REDIS: z.string(),
    TABIR_SEAL_KEYS: z.string(),
    TABIR_REDIS_PASSWORD: z.string(),
  })
  .parse(process.env)

const Service = z.object({
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  read_only: z.literal(true),
  user: z.string().optional(),
  volumes: z.array(z.string()).default([]),
})

const ReadOnlyRoot = z.object({ readOnlyRootFilesystem: z.literal(true) })
const PodSpec = z.object({
  securityContext: z.object({ runAsUser: z.number() }),
  containers: z.tuple([
    z.object({
      command: z.array(z.string()),
      env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
      securityContext: ReadOnlyRoot,
      volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) })),
    }),
  ]),
  volumes: z.array(z.object({ name: z.string(), persistentVolumeClaim: z.object({ claimName: z.string() }).optional() })),
})
const Job = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string() }),
  spec: z.object({ template: z.object({ spec: PodSpec }) }),
})
const Cron = z.object({ spec: z.object({ jobTemplate: z.object({ spec: Job.shape.spec }) }) })

const [program, ...words] = process.argv.slice(2)
process.exitCode = program === 'docker' ? compose(words.slice(1)) : kubectl(words[0] === '-n' ? words.slice(2) : words)

/** `name:/place` or `name:/place:ro`. The user of the container owns a new volume. */
function volume(name: string, at: string, isReadOnly: boolean, uid: number) {
  const folder = join(env.TABIR_TEST_VOLUMES, name)
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
  if (!isReadOnly && uid !== 0) spawnSync('chown', ['-R', `${uid}:${uid}`, folder])
  return { folder, at, isReadOnly }
}

function withRedis(text: string): string {
  return text.replace(/:[^:@]*@redis:6379/, env.TABIR_TEST_REDIS)
}

function compose([verb, ...rest]: readonly string[]): number {
  if (verb === 'stop' || verb === 'up') return 0
  const given: Record<string, string> = {}
  const args = [...rest]
  for (let at = args.indexOf('-e'); at >= 0; at = args.indexOf('-e')) {
    const [, word = ''] = args.splice(at, 2)
    given[word.split('=')[0] ?? ''] = word.slice(word.indexOf('=') + 1)
  }
  const [name = '', ...command] = args.filter((word) => word !== '--rm' && word !== '-T')
  const file = z
    .object({ services: z.record(z.string(), z.unknown()) })
    .parse(parse(read('docker-compose.yml'), { merge: true }))
  const service = Service.parse(file.services[name])
  const filled = (text: string) =>
    text
      .replaceAll(/\$\{(\w+)(?::[-?]([^}]*))?\}/g, (_, variable: string) => process.env[variable] ?? '')
      .replaceAll('$$', '$')
  const uid = service.user === 'root' ? 0 : NODE_UID
  const environment = Object.fromEntries(
    Object.entries(service.environment).map(([key, value]) => [key, withRedis(filled(value))]),
  )
  const volumes = service.volumes.map((each) => {
    const [source = '', at = '', mode] = each.split(':')
    return volume(source, at, mode === 'ro', uid)
  })
  const own = command.length > 0 ? command : service.command.map(filled)
  return run({ command: own, env: { ...environment, ...given }, volumes, uid })
}

function run(container: Container): number {
  return runContainer(container, { stdio: 'inherit' }).status ?? 1
}

function kubectl([verb, ...rest]: readonly string[]): number {
  if (verb === 'create')
    return runJob(Cron.parse(ofKind('deploy/kubernetes/tabir.yml', 'CronJob')).spec.jobTemplate.spec, rest.at(-1) ?? '')
  if (verb === 'apply') {
    const { spec, metadata } = Job.parse(ofKindIn(readFileSync(0, 'utf8'), 'Job'))
    return runJob(spec, metadata.name)
  }
  const [job = ''] = rest.flatMap((word) => (word.startsWith('job/') ? [word.slice(4)] : []))
  if (verb === 'logs') process.stdout.write(readFileSync(outputOf(job), 'utf8'))
  return 0
}

function ofKind(path: string, kind: string): unknown {
  return ofKindIn(read(path), kind)
}

function ofKindIn(text: string, kind: string): unknown {
  const all = parseAllDocuments(text).map((each) => z.looseObject({ kind: z.string() }).parse(each.toJS()))
  return all.find((each) => each.kind === kind)
}

function outputOf(job: string): string {
  return join(env.TABIR_TEST_VOLUMES, `${job}.out`)
}

/** Runs a job to its end, and fails with it. A cluster would only start it, and report a failure later. */
function runJob({ template: { spec } }: z.infer<typeof Job.shape.spec>, name: string): number {
  const [{ command, env: given, volumeMounts }] = spec.containers
  const uid = spec.securityContext.runAsUser
  const values: Record<string, string> = {}
  for (const { name: key, value } of given) values[key] = value ?? secretOf(key)
  const volumes = volumeMounts
    .filter(({ mountPath }) => mountPath !== '/tmp')
    .map(({ name: own, mountPath, readOnly }) => {
      const claim = spec.volumes.find((each) => each.name === own)?.persistentVolumeClaim?.claimName
      return volume(claim ?? `of-${name}-${own}`, mountPath, readOnly, uid)
    })
  // As kubelet: expands $(NAME), and $$ to $.
  const filled = command.map((word) =>
    word.replaceAll(/\$\$|\$\((\w+)\)/g, (all, key: string | undefined) => (key === undefined ? '$' : (values[key] ?? all))),
  )
  const { status, stdout, stderr } = runContainer({ command: filled, env: values, volumes, uid }, { encoding: 'utf8' })
  writeFileSync(outputOf(name), `${stdout}${stderr}`)
  if (status !== 0) process.stderr.write(String(stderr))
  return status ?? 1
}

function secretOf(name: string): string {
  if (name === 'REDIS_URL') return withRedis(`redis://:${env.TABIR_REDIS_PASSWORD}@redis:6379`)
  return name === 'TABIR_SEAL_KEYS' ? env.TABIR_SEAL_KEYS : ''
}
