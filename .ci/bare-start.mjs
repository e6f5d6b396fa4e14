// The README's first command, as somebody types it on a bare machine (.ci/bare), up to Ctrl-C.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

const others = ['redis-server', 'valkey-server', 'redis-cli', 'curl', 'python3', 'openssl', 'chromium', 'ffmpeg', 'git']
const here = others.filter((name) => (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${name}`)))
if (here.length > 0 || process.getuid?.() === 0) throw new Error(`This machine is not bare: ${here.join(', ') || 'root'}.`)

// A group of its own, which Ctrl-C is sent to as a terminal does.
const started = spawn('sh', ['-c', 'npm ci && npm start'], {
  detached: true,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, TABIR_PORT: '0' },
})
let said = ''
let health
started.stdout.setEncoding('utf8').on('data', async (text) => {
  process.stdout.write(text)
  said += text
  const url = /^Tabir is ready at (\S+)/m.exec(said)?.[1]
  if (url === undefined || health !== undefined) return
  health = fetch(`${url}/health/ready`).then((answer) => answer.json())
  await health.catch(() => {})
  process.kill(-started.pid, 'SIGINT')
})
started.on('close', async () => {
  const { ready, durability } = (await health?.catch(() => ({}))) ?? {}
  if (!ready || durability !== 'fsync' || !said.includes('Tabir has stopped.')) process.exitCode = 1
})
