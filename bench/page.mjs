// The page in a real Chromium: are its hashes those of the server, how long does it take, does it stay responsive?
// npm run bench:page [-- --photos FOLDER] [--most N] [--large N] [--json]
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { distance, parseHash } from '../dist/src/hash/hash256.js'
import { hashImage } from '../dist/workers/media/hash-image.js'
import { largePicture } from './pictures.mjs'
import { percentile } from './report.mjs'
import { startService } from './service.mjs'
