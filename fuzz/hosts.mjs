// Cuts off hosts in network namespaces (root): Redis with replicas and Sentinels, then workers.

import { spawnSync } from 'node:child_process'

const args = ['tap', '--disable-coverage', '--timeout=240', 'dist/test/faults/hosts.test.js']
const { status } = spawnSync('npx', args, { stdio: 'inherit', env: { ...process.env, TABIR_TEST_HOSTS: '1' } })
process.exitCode = status ?? 1
