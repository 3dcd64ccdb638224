import type { AddressInfo, Server } from 'node:net'
import { ParcomoloError } from '../base/index.ts'
import type { Config } from '../config/index.ts'

type Listener = {
  readonly doors: { listen(host: string, port: number, count: number): Promise<void> }
  readonly server: Pick<Server, 'address'>
}

const lingerMsMax = 1_000

/** How long connections that are kept alive get a last answer while the process stops; none where it stops at once. */
export const lingerMs = ({ stopDelay }: Config): number => Math.min(stopDelay, lingerMsMax)

/** Whether only this machine can reach it. */
export const isLoopback = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** Begins to take requests; gives the address to tell people. */
export const listen = async (
  http: Listener,
  host: string,
  port: number,
  { doorCount = 1, setting = 'PORT' }: { readonly doorCount?: number; readonly setting?: string } = {}
): Promise<string> => {
  try {
    await http.doors.listen(host, port, doorCount)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new ParcomoloError('PARCOMOLO_MAIN_CANNOT_LISTEN', `port '${port}' on '${host}' ${reason(code, setting)}`, {
      cause
    })
  }
  const { port: taken } = http.server.address() as AddressInfo
  return `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : bracketed(host)}:${taken}`
}

const reason = (code: string | undefined, setting: string): string => {
  switch (code) {
    case 'EADDRINUSE':
      return `is in use; stop the other process, or set ${setting} to another (${setting}=0 takes any free one)`
    case 'EACCES':
      return `may not be used by this user; set ${setting} to one above 1023`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'is no address of this machine; set PARCOMOLO_HOST to one of its own'
    default:
      return `cannot be listened on (${code ?? 'unknown'}); set ${setting} and PARCOMOLO_HOST to what this machine has`
  }
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)
