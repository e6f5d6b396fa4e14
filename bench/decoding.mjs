// Cost of decoding the costliest pictures, each in a fresh decoder; then the time for one person's 20 photographs while somebody floods the only
// decoder with pictures that are within the limits. npm run bench decoding
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { pictureCost } from '../dist/src/domain/media/picture-cost.js'
import { openSandbox } from '../dist/workers/sandbox.js'
import { NO_SANDBOX } from '../dist/workers/sandbox-command.js'
import { progress } from './report.mjs'
import { run } from './service.mjs'

const CHILD = fileURLToPath(new URL('../dist/workers/media/child.js', import.meta.url))
const SUPERVISOR = fileURLToPath(new URL('../dist/src/boot/supervisor.js', import.meta.url))
const BOMB = readFileSync(new URL('../test/data/flat-50-megapixels.avif', import.meta.url))
const PORT = 18_431
const FLOOD_S = 20
const [HER, ATTACKER] = ['127.0.0.2', '127.0.0.3']

sharp.concurrency(1)

/** Enlarged noise of the stated size, which is not too plain. */
async function picture(side, kind, options) {
  const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 2654435761) >>> 24))
  return await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
    .resize(side, side, { kernel: 'cubic' })
    [kind](options)
    .toBuffer()
}

function cpuS(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function decoded(name, file) {
  const sandbox = openSandbox({
    children: 1,
    memoryMb: 1536,
    timeLimitMs: 20_000,
    entry: [CHILD],
    sandboxCommand: NO_SANDBOX,
  })
  await sandbox.ready
  const [pid] = sandbox.pids
  const before = cpuS(pid)
  const answer = await sandbox.hash(file, 'submission')
  const peakMb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
  const cost = pictureCost(file)
  console.log(
    `| ${name} | ${(file.length / 1000).toFixed(1)} | ${'problem' in answer ? answer.problem : 'hashed'} | ${(cpuS(pid) - before).toFixed(2)} | ${peakMb.toFixed(0)} | ${(cost.timeMs / 1000).toFixed(2)} | ${cost.memoryMb.toFixed(0)} |`,
  )
  await sandbox.close()
}

/** @param {{ headers?: Record<string, string>, body?: string | Buffer }} sent */
function call(localAddress, method, path, { headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: PORT, localAddress, method, path, headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function openCase(address) {
  const body = JSON.stringify({ adult: true })
  const { text } = await call(address, 'POST', '/v1/cases', { headers: { 'content-type': 'application/json' }, body })
  return JSON.parse(text)
}

async function send(address, { caseNumber, token }, files) {
  const form = new Response(
    files.reduce((data, file) => {
      data.append('image', new Blob([file]), 'x')
      return data
    }, new FormData()),
  )
  const headers = { authorization: `Bearer ${token}`, 'content-type': form.headers.get('content-type') }
  const body = Buffer.from(await form.arrayBuffer())
  const startedMs = performance.now()
  const { status } = await call(address, 'POST', `/v1/cases/${caseNumber}/images`, { headers, body })
  return { status, tookMs: performance.now() - startedMs }
}

await run(async (defer) => {
  progress('Making pictures …')
  const photograph = await picture(3464, 'jpeg', { quality: 85 })
  const costly = await picture(3500, 'avif', { effort: 0, quality: 20 })
  console.log(
    '| picture | kB | answer | s of a core | peak MB | predicted s | predicted MB |\n|---|---|---|---|---|---|---|',
  )
  await decoded('flat AVIF, 50 megapixels', BOMB)
  await decoded('JPEG, 12 megapixels', photograph)
  await decoded('AVIF, 12 megapixels', costly)
  for (const [megapixels, side] of Object.entries({ 50: 7071, 108: 10_392, 200: 14_142, 250: 15_811 }))
    await decoded(`JPEG, ${megapixels} megapixels`, await picture(side, 'jpeg', { quality: 60 }))
  for (const [megapixels, side] of Object.entries({ 50: 7071, 120: 10_954 }))
    await decoded(
      `JPEG, progressive, ${megapixels} megapixels`,
      await picture(side, 'jpeg', { quality: 60, progressive: true }),
    )
  const wasteful = { quality: 60, progressive: true, chromaSubsampling: '4:4:4' }
  await decoded('JPEG, progressive 4:4:4, 120 megapixels', await picture(10_954, 'jpeg', wasteful))
  await decoded('PNG, 50 megapixels', await picture(7071, 'png', { compressionLevel: 1 }))
  await decoded('PNG, interlaced, 12 megapixels', await picture(3464, 'png', { progressive: true, compressionLevel: 1 }))
  await decoded('WebP, 50 megapixels', await picture(7071, 'webp', { quality: 60, effort: 0 }))
  await decoded('WebP, lossless, 50 megapixels', await picture(7071, 'webp', { lossless: true, effort: 0 }))
  await decoded('TIFF, 50 megapixels', await picture(7071, 'tiff', { compression: 'lzw' }))
  await decoded('AVIF, 50 megapixels', await picture(7071, 'avif', { effort: 0, quality: 40 }))

  const dataDir = mkdtempSync(join(tmpdir(), 'tabir-decoding-'))
  defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { PATH: process.env.PATH, TABIR_PORT: String(PORT), TABIR_DATA_DIR: dataDir, TABIR_HASHERS: '1' }
  const service = spawn(process.execPath, [SUPERVISOR], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise((tell) => service.on('exit', tell))
  defer(async () => {
    service.kill('SIGTERM')
    await ended
  })
  await new Promise((tell) => service.stdout.on('data', (text) => String(text).includes('is ready') && tell()))

  const her = async () => {
    const own = await openCase(HER)
    const { status, tookMs } = await send(HER, own, Array(20).fill(photograph))
    return `${(tookMs / 1000).toFixed(1)} s (${status})`
  }
  console.log(`\n20 photographs of 12 megapixels, one decoder, without a flood: ${await her()}`)
  const floods = { 'the flat AVIF': BOMB, 'AVIF within the limits': costly }
  for (const [name, file] of Object.entries(floods)) {
    const until = performance.now() + FLOOD_S * 1000
    let sent = 0
    const attacking = [1, 2, 3].map(async () => {
      const own = await openCase(ATTACKER)
      while (performance.now() < until) {
        sent += 20
        await send(ATTACKER, own, Array(20).fill(file))
      }
    })
    await new Promise((tell) => setTimeout(tell, 3000))
    console.log(`while ${name} comes by three connections, 20 a request: ${await her()}`)
    await Promise.all(attacking)
    console.log(`  ${sent} of them were sent in ${FLOOD_S} s, ${((sent * file.length) / 1000).toFixed(0)} kB`)
  }
})
