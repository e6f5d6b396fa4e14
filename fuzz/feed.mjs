// Runs the model of the feed with 100,000 writes.

import { spawnSync } from 'node:child_process'

const args = ['tap', '--disable-coverage', '--timeout=2400', 'dist/test/services/feed.model.test.js']
const { status } = spawnSync('npx', args, { stdio: 'inherit', env: { ...process.env, TABIR_TEST_FEED_WRITES: '100000' } })
process.exitCode = status ?? 1
