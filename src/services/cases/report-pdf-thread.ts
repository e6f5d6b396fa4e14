// Entry point of the thread that draws one report and exits.

import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { LANGUAGE_TAGS } from '../../domain/languages.js'
import { Report } from './report.js'
import { drawReport } from './report-drawing.js'

const { report, language } = z.object({ report: Report, language: z.enum(LANGUAGE_TAGS) }).parse(workerData)
parentPort?.postMessage(await drawReport(report, language))
