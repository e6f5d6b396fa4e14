// `npm run demo [-- FOLDER]`.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DECODED_FORMATS } from '../domain/media/media-formats.js'
import { messageOf } from '../domain/message-of.js'
import { type Folder, readFolder, unlike } from './folder.js'
import { runDemo } from './run.js'
import { type Service, startService } from './service.js'
import { paintFor } from './terminal-table.js'

const HELP = `npm run demo [-- FOLDER]

Starts a whole Tabir of its own, opens a case, adds the pictures of FOLDER (else those that ship with it), asks about edited
copies and about strangers, withdraws the case, asks again, and then searches Redis, the files and the log for any piece of
the pictures. Nothing stays behind, and no running service is touched.

  FOLDER    a folder with pictures: ${DECODED_FORMATS}. Folders in it are left alone.
  --help    this text

Exit status: 0 when all was as promised, 1 when not, 2 when there is nothing to show. NO_COLOR turns colours off.`

const PICTURES = fileURLToPath(new URL('../../../demo/pictures', import.meta.url))
const STRANGERS = fileURLToPath(new URL('../../../demo/strangers', import.meta.url))

const status = { kept: 0, broken: 1, usage: 2, interrupted: 130 } as const

class Interrupted extends Error {}

async function main(args: readonly string[]): Promise<number> {
  const wish = wishIn(args)
  if (wish.kind === 'help') {
    console.log(HELP)
    return status.kept
  }
  if (wish.kind === 'wrong') {
    console.error(`At most one folder can be given.\n\n${HELP}`)
    return status.usage
  }
  const path = wish.folder === undefined ? PICTURES : resolve(process.env['INIT_CWD'] ?? '.', wish.folder)
  const folder = await readFolder(path)
  if (folder === undefined || folder.pictures.length === 0) {
    console.error(folder === undefined ? `There is no folder ${path} that can be read.` : `There is no picture in ${path}.`)
    for (const { name, reason } of folder?.skipped ?? []) console.error(`  ${name}: ${reason}`)
    return status.usage
  }
  const strangers = await readFolder(path === STRANGERS ? PICTURES : STRANGERS)
  return await inOwnService(folder, await unlike(strangers?.pictures ?? [], folder.pictures))
}

type Wish =
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'run'; readonly folder: string | undefined }

function wishIn(args: readonly string[]): Wish {
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    if (values.help === true) return { kind: 'help' }
    return positionals.length > 1 ? { kind: 'wrong' } : { kind: 'run', folder: positionals[0] }
  } catch {
    return { kind: 'wrong' }
  }
}

/** Always stops the service and removes its folder. */
async function inOwnService(folder: Folder, strangers: Folder['pictures']): Promise<number> {
  const serviceFolder = await mkdtemp(join(tmpdir(), 'tabir-demo-'))
  let service: Promise<Service> | undefined
  try {
    return await Promise.race([
      interruption(),
      (async () => {
        console.log('Starting a Tabir of its own: Redis, api and workers, all their data in a temporary folder.')
        service = startService(serviceFolder, process.env)
        const promisesBroken = await runDemo({
          service: await service,
          serviceFolder,
          folder,
          strangers,
          print: (line) => console.log(line),
          paint: paintFor(process.stdout.isTTY === true, process.env['NO_COLOR']),
          progress: { stream: process.stderr, now: () => performance.now() },
        })
        return verdict(promisesBroken)
      })(),
    ])
  } catch (error) {
    if (error instanceof Interrupted) return status.interrupted
    console.error(messageOf(error))
    return status.broken
  } finally {
    await service?.then((started) => started.stop()).catch(() => {}) // a service that did not start has stopped itself
    await rm(serviceFolder, { recursive: true, force: true })
  }
}

function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => reject(new Interrupted()))
  })
}

function verdict(promisesBroken: readonly string[]): number {
  console.log('')
  if (promisesBroken.length === 0) {
    console.log('All as promised: the copies were recognised, the strangers were not, and nothing of the pictures is left.')
    return status.kept
  }
  console.log('Not as promised:')
  for (const line of promisesBroken) console.log(`  ${line}`)
  return status.broken
}

process.exit(await main(process.argv.slice(2)))
