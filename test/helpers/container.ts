// A container like those of compose and Kubernetes, made with kernel features alone: a read-only root of its own, volumes, a user, and only the given
// environment.

import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const REPOSITORY = resolve(import.meta.dirname, '../../..')

/** For tap's `skip`: mounting needs root, and Node and Redis must be in folders that can be mounted. */
export const withoutContainers: string | false =
  process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0 ? false : 'mounting needs root'

export interface Container {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The mount point of each folder of this machine. */
  readonly volumes: readonly { readonly folder: string; readonly at: string; readonly isReadOnly: boolean }[]
  readonly uid: number
}

/** Arguments: the new root, the program of Node, the repository, the user; then for each volume its folder, place, and rw or ro; `--`; the command. */
const NEW_ROOT = `
  set -e
  path=$PATH
  PATH=/usr/sbin:/usr/bin:/sbin:/bin
  root=$1 node=$2 repository=$3 uid=$4; shift 4
  mount -t tmpfs -o mode=755 tmpfs "$root"
  cd "$root"
  for each in bin sbin lib lib64; do if [ -L "/$each" ]; then cp -P "/$each" "$each"; fi; done
  for each in usr etc dev proc; do mkdir "$each"; mount --rbind "/$each" "$each"; done
  mkdir app tmp node
  touch node/node; mount --bind "$node" node/node
  mount --bind "$repository" app; mount -o remount,bind,ro app
  mount -t tmpfs -o mode=1777,size=64m tmpfs tmp
  while [ "$1" != -- ]; do
    mkdir -p ".$2"; mount --bind "$1" ".$2"
    [ "$3" = rw ] || mount -o remount,bind,ro ".$2"
    shift 3
  done
  shift
  mount -o remount,ro "$root"
  capabilities=
  [ "$uid" = 0 ] || capabilities='--inh-caps=-all --bounding-set=-all'
  exec chroot "$root" env PATH="$path" setpriv --reuid "$uid" --regid "$uid" --clear-groups --no-new-privs $capabilities sh -c 'cd /app && exec "$@"' sh "$@"`

/** Runs the container until it exits. */
export function runContainer({ command, env, volumes, uid }: Container, options: SpawnSyncOptions = {}) {
  const root = mkdtempSync(join(tmpdir(), 'tabir-root-'))
  try {
    for (const { folder } of volumes) mkdirSync(folder, { recursive: true })
    const shown = volumes.flatMap(({ folder, at, isReadOnly }) => [folder, at, isReadOnly ? 'ro' : 'rw'])
    const place = [root, process.execPath, REPOSITORY, String(uid), ...shown, '--']
    return spawnSync('unshare', ['--mount', 'sh', '-c', NEW_ROOT, 'sh', ...place, ...command], {
      ...options,
      env: { PATH: '/node:/usr/local/bin:/usr/bin:/bin', ...env },
    })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
