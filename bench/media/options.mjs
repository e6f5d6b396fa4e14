// Reads the command line.

import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * @returns the options, with `entries`, the files to be sent as rows of the manifest, and `service` where one runs already.
 * @throws {Error} says which option is wrong.
 */
export function optionsOf(words) {
  const { values } = parsed(words)
  if (values.folder === undefined) fail('--folder must be given')
  const folder = resolve(values.folder)
  const manifest = manifestOf(folder)
  const { padded } = manifest
  const entries = [
    ...manifest.files,
    ...(padded === undefined ? [] : [{ ...padded, file: padded.from, kind: 'padded' }]),
  ].filter(chosenBy(values.only))
  if (entries.length === 0)
    fail(
      values.only === undefined
        ? '--folder: the manifest names no file'
        : `--only: the manifest has nothing of ${values.only}`,
    )
  if (!values['skip-page'] && !existsSync(values.chromium))
    fail(`--chromium: there is no ${values.chromium}; --skip-page leaves the page out`)
  return { ...values, folder, entries, service: serviceOf(values) }
}

function chosenBy(only) {
  const words = only?.split(',')
  return ({ kind, file }) =>
    words === undefined || words.includes(kind) || (kind !== 'padded' && words.includes(basename(file)))
}

function manifestOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  } catch (error) {
    return fail(`--folder: ${error.message}`)
  }
}

function serviceOf({ url, 'key-file': keyFile }) {
  if (url === undefined) return undefined
  if (keyFile === undefined || !existsSync(keyFile)) fail('--url needs --key-file, a file with a key that may match')
  const { origin } = new URL(url)
  return { ready: async () => origin, key: readFileSync(keyFile, 'utf8').trim() }
}

function parsed(words) {
  try {
    return parseArgs({
      args: words,
      options: {
        folder: { type: 'string' },
        only: { type: 'string' },
        'skip-page': { type: 'boolean', default: false },
        url: { type: 'string' },
        'key-file': { type: 'string' },
        chromium: { type: 'string', default: '/usr/bin/chromium' },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return fail(error.message)
  }
}

/** @returns {never} */
function fail(message) {
  throw new Error(message)
}
