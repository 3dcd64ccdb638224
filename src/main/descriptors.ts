/** How many connections and sockets that listen a process may have, so that descriptors are left for its files. */
export type ConnectionLimits = { readonly connectionsMax: number; readonly doorCount: number }

/** For files, threads, brokers and databases, beside a share of what there is. */
const reserve = 96
const doorsMax = 64
/** As many descriptors for one socket that listens: few of them would leave nothing for those who come in. */
const descriptorsPerDoor = 64
const connectionsMin = 16

/** `descriptors`: as many as the process may have open; undefined where that is not bounded. */
export const connectionLimits = (descriptors: number | undefined): ConnectionLimits => {
  if (descriptors === undefined) return { connectionsMax: Infinity, doorCount: doorsMax }
  const doorCount = Math.max(1, Math.min(doorsMax, Math.floor(descriptors / descriptorsPerDoor)))
  const connectionsMax = descriptors - Math.floor(descriptors / 8) - reserve - doorCount
  return { connectionsMax: Math.max(connectionsMin, connectionsMax), doorCount }
}

/** What the system allows this process. */
export const descriptorsMax = (): number | undefined => {
  // Without names from the network, which would be asked for all whom the process is connected with.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  report.excludeNetwork = true
  const { userLimits } = report.getReport() as { readonly userLimits?: Record<string, { readonly soft?: unknown }> }
  const soft = userLimits?.['open_files']?.soft
  return typeof soft === 'number' ? soft : undefined
}
