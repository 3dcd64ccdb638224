// Preloaded, this lets a test move the wall clock of a process: SIGUSR2 makes it read anew by how many ms.
import { readFileSync } from 'node:fs'

const file = process.env['MOVED_CLOCK']
const now = Date.now
let offsetMs = Number(readFileSync(file, 'utf8'))

process.on('SIGUSR2', () => (offsetMs = Number(readFileSync(file, 'utf8'))))

Date.now = () => now() + offsetMs

globalThis.Date = class extends Date {
  constructor(...given) {
    if (given.length === 0) super(Date.now())
    else super(...given)
  }
}
