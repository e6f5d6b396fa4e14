// What the lock file says is installed: the one source of the bill of materials and of the licence check.

import { readFileSync } from 'node:fs'

/**
 * @typedef {object} Package
 * @property {string} path where it lies, as in the lock file
 * @property {string} name
 * @property {string} version
 * @property {string | undefined} licence SPDX, as its author says
 * @property {string | undefined} integrity
 * @property {boolean} isOptional is it left out where it does not fit the machine?
 * @property {string[]} needs the paths of what it needs, of what is in the lock file
 */

/**
 * All packages that a production install may bring, on whatever platform. Those of this repository are left out: they are Tabir itself.
 * @param {string} path of a lock file of version 3
 * @returns {{ name: string, version: string, licence: string | undefined, needs: string[], packages: Package[], text: string }}
 */
export function readLock(path) {
  const text = readFileSync(path, 'utf8')
  const { packages } = JSON.parse(text)
  const { '': root, ...rest } = packages
  const needsOf = (path, entry) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies }).flatMap(
      (name) => resolve(packages, path, name) ?? [],
    )
  const found = Object.entries(rest)
    .filter(([at, entry]) => at.includes('node_modules/') && entry.dev !== true && entry.link !== true)
    .map(([at, entry]) => ({
      path: at,
      name: entry.name ?? at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      licence: entry.license,
      integrity: entry.integrity,
      isOptional: entry.optional === true || entry.devOptional === true,
      needs: needsOf(at, entry),
    }))
  return { name: root.name, version: root.version, licence: root.license, needs: needsOf('', root), packages: found, text }
}

/** As Node looks for it: beside what needs it, then in each folder above. @returns its path, if it is in the lock file. */
function resolve(packages, from, name) {
  const steps = from.split('/node_modules/')
  for (let depth = from === '' ? 0 : steps.length; depth >= 0; depth--) {
    const folder = steps.slice(0, depth).join('/node_modules/')
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (packages[path] !== undefined) return path
  }
  return undefined
}
