import type { DiskUsage, Log } from '../log/index.ts'

/**
 * What the topics take on the brokers' disks, and what is free there, as Prometheus text. Nothing where the log does
 * not know of disks, or is not told: a metric that is not there can raise an alarm, and nothing else has to suffer.
 */
export const diskMetricsText = async (log: Pick<Log, 'diskUsage'>): Promise<string> => {
  const usage = await log.diskUsage?.().catch(() => undefined)
  return usage === undefined ? '' : `${linesOf(usage).join('\n')}\n`
}

const linesOf = ({ topics, volumes }: DiskUsage): string[] => {
  const places = volumes.map((volume) => ({ ...volume, labels: `{node="${volume.node}",folder="${volume.folder}"}` }))
  return [
    '# TYPE parcomolo_log_topic_bytes gauge',
    ...[...topics].map(([topic, bytes]) => `parcomolo_log_topic_bytes{topic="${topic}"} ${bytes}`),
    '# TYPE parcomolo_log_volume_bytes gauge',
    ...places.map(({ labels, bytes }) => `parcomolo_log_volume_bytes${labels} ${bytes}`),
    '# TYPE parcomolo_log_volume_free_bytes gauge',
    ...places.map(({ labels, freeBytes }) => `parcomolo_log_volume_free_bytes${labels} ${freeBytes}`)
  ]
}
